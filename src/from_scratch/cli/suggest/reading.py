"""How a CSV is to be read, so that its columns are what they look like."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from from_scratch.datasets.csv_guesses import guess_separator, read_first_lines, separator_of, split_rows
from from_scratch.datasets.csv_reader import read_csv
from from_scratch.pipelines.data_processing.checks import to_numbers
from from_scratch.schema.features import find_doubled
from from_scratch.schema.validation import list_some, shorten
from kedro_ledger.errors import InputError

MAX_LENGTH = 40
"""So many characters are shown of a text."""
MAX_MARKS = 3
"""So many different texts may stand in a column of numbers for missing values."""
FEW_NUMBERS = 5
"""Among so few different numbers, a word may be a category: 2, 4, more."""
KNOWN_MARKS = {*("", "?", "-", "--", ".", "*"), *("unknown", "n.a.", "n/a", "na", "none", "missing", "null")}
"""What stands for a missing value wherever it stands among numbers, without blanks and in small letters."""
_WAYS_OUT = (
    "If it is data, --no-header names the columns column_1, column_2, …, and --names a,b,c names them as you "
    "like; if it is a header, say --header"
)
_CODE = re.compile(r"0\d+|\d{16,}")
_YEAR = re.compile(r"(18|19|20)\d\d")


@dataclass(frozen=True)
class Table:
    """The rows of a CSV, and how they were read."""

    file: Path
    load_args: dict[str, Any]
    """Arguments for `pandas.read_csv`."""
    rows: pd.DataFrame
    """The rows as a run reads them."""
    texts: pd.DataFrame
    """The same rows as they stand in the file."""
    marks: dict[str, list[str]]
    """What stands in a column of numbers for missing values."""


def read_table(
    file: Path,
    target: str,
    load_args: dict[str, Any],
    has_header: bool | None = None,
    names: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Table:
    """Read a CSV, and find out how.

    Args:
        file: Where it is.
        target: The column to predict.
        load_args: What is known already, for `pandas.read_csv`.
        has_header: Whether the first row holds the names of the columns; if None, it must look like that.
        names: The columns, of a file without a header.
        missing: What stands for missing values, besides nothing.

    Raises:
        DatasetError: If the file can't be read.
        InputError: If the separator is another, the first row is not what it is said to be, or there are no
            rows.
    """
    lines = read_first_lines(file, load_args)
    separator = separator_of(load_args)
    if likely := guess_separator(lines, separator, target):
        columns = len(split_rows(lines[:1], likely)[0])
        raise InputError(
            f"{file.name}: the rows are not separated by {separator!r}, but may be by {likely!r}: "
            f"--separator {_quote_for_shell(likely)} makes {columns} columns of them"
        )
    load_args = dict(load_args)
    if _has_blanks(lines, separator):
        load_args["skipinitialspace"] = True
    head = split_rows(lines, separator, skip_blanks="skipinitialspace" in load_args)
    load_args |= _name_columns(file, head, has_header, list(names))
    if missing:
        load_args["na_values"] = list(missing)
    as_texts = {"dtype": str, "keep_default_na": False, "na_values": ["", *missing]}
    texts = read_csv(file, {**load_args, **as_texts})
    rows = read_csv(file, load_args)
    marks = _find_marks(rows, texts, str(load_args.get("decimal", ".")))
    _require_header(file, texts, target, load_args, has_header)
    codes = [str(column) for column in rows if _holds_codes(rows[column], texts[column])]
    if marks:
        load_args["na_values"] = _join_marks(marks, texts, target, missing)
    if codes:
        load_args["dtype"] = dict.fromkeys(codes, "str")
    if marks or codes:
        rows = read_csv(file, load_args)
    if rows.empty:
        raise InputError(f"{file.name}: there are no rows, only a header; expected at least one")
    return Table(file, load_args, rows, texts, marks)


def quote(texts: Iterable[str]) -> list[str]:
    """Quote texts from a file for a message, and cut long ones."""
    return [shorten(repr(text), MAX_LENGTH) for text in texts]


def _quote_for_shell(separator: str) -> str:
    return f"'{separator}'".replace("\t", "\\t")


def _has_blanks(lines: Sequence[str], separator: Any) -> bool:
    """Tell whether a blank follows nearly every separator."""
    if not isinstance(separator, str) or len(separator) != 1 or separator.isspace():
        return False
    following = [text[:1] for line in lines for text in line.split(separator)[1:] if text]
    return following.count(" ") > 0.9 * len(following)


def _name_columns(
    file: Path, head: Sequence[Sequence[str]], has_header: bool | None, names: list[str]
) -> dict[str, Any]:
    """Return the arguments that name the columns of a file without a header.

    Raises:
        InputError: If the first row is not what it is said to be, or there are not as many names as columns.
    """
    if names and has_header:
        raise InputError("--names is for a file without a header; expected it without --header")
    first = head[0] if head else []
    votes = _compare_first_row(head)
    if not names and has_header is not False:
        if votes < 0 and has_header is None:
            raise InputError(
                f"{file.name}: the first row looks like data: {list_some(quote(first), 5)}; expected names. "
                f"{_WAYS_OUT}"
            )
        return {}
    if votes > 0 and has_header is not False:
        raise InputError(
            f"{file.name}: the first row looks like a header: {list_some(quote(first), 5)}; expected data, "
            "since --names gives the columns' names. If it is data, say --no-header, too"
        )
    names = names or [f"column_{place}" for place in range(1, len(first) + 1)]
    if len(names) != len(first):
        raise InputError(
            f"{file.name}: --names has {len(names)} names; expected {len(first)}, one per column"
        )
    if (doubled := find_doubled(names)) is not None:
        raise InputError(f"--names has {doubled!r} twice; expected each name once")
    return {"header": None, "names": names}


def _compare_first_row(head: Sequence[Sequence[str]]) -> int:
    """Count what speaks for the first row being a header (above 0) or data (below 0).

    A text above numbers is a name. A number above numbers is data, unless the numbers count the columns, or
    are years; so is a text that stands below, too, if most texts do; and what stands twice.
    """
    if len(head) < 2 or len({len(row) for row in head}) != 1:
        return 0
    votes, texts, repeated, numbers = 0, 0, 0, []
    for name, *below in zip(*head, strict=True):
        present = [text.strip() for text in below if text.strip()]
        are_numbers = sum(map(_is_number, present)) > 0.5 * len(present)
        name = name.strip()
        if _is_number(name):
            numbers += [name] if are_numbers else []
        elif any(map(str.isalpha, name)):
            texts += not are_numbers
            repeated += not are_numbers and name in present
            votes += are_numbers
    if numbers and not _may_be_names(numbers):
        votes -= len(numbers)
    if repeated and 2 * repeated >= texts:
        votes -= repeated
    named = [name.strip() for name in head[0] if name.strip()]
    return votes - (len(named) - len({*named}))


def _is_number(text: str) -> bool:
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return text.lower() not in ("nan", "inf", "infinity")


def _may_be_names(numbers: Sequence[str]) -> bool:
    """Tell whether numbers count from 0 or 1, or are years in their order."""
    if all(map(_YEAR.fullmatch, numbers)):
        return list(numbers) == sorted({*numbers})
    return any(list(numbers) == [str(start + place) for place in range(len(numbers))] for start in (0, 1))


def _find_marks(rows: pd.DataFrame, texts: pd.DataFrame, decimal: str) -> dict[str, list[str]]:
    """Find columns of numbers in which a few texts, without a digit, stand for missing values.

    Returns:
        These texts, sorted, by column.
    """
    marks = {}
    for column, values in rows.items():
        if types.is_numeric_dtype(values) or types.is_bool_dtype(values):
            continue
        present = texts[column].dropna()
        present = present[values.notna().to_numpy()[present.index]]  # pandas takes some for missing already
        present.attrs["decimal"] = decimal
        numbers = to_numbers(present)
        found = sorted(present[numbers.isna()].unique())
        may_be_categories = numbers.nunique() <= FEW_NUMBERS and not all(map(is_mark, found))
        if (
            0 < len(found) <= MAX_MARKS
            and numbers.notna().mean() > 0.5
            and not any(re.search(r"\d", text) for text in found)
            and not may_be_categories
        ):
            marks[str(column)] = found
    return marks


def is_mark(text: str) -> bool:
    """Tell whether a text mostly stands for a missing value."""
    return text.strip().lower() in KNOWN_MARKS


def _join_marks(
    marks: dict[str, list[str]], texts: pd.DataFrame, target: str, missing: Sequence[str]
) -> list[str] | dict[str, list[str]]:
    """Return the marks of all columns; by column, if one is a value elsewhere.

    Blanks and question marks are values of the target at most.
    """
    joined = sorted({mark for found in marks.values() for mark in found} - {*missing})
    empty = [mark for mark in joined if mark.strip() in ("", "?")]
    others = texts.drop(columns=list(marks))
    are_values = others.drop(columns=target, errors="ignore").isin([m for m in joined if m not in empty])
    if not are_values.to_numpy().any() and not (target in others and others[target].isin(joined).any()):
        return [*missing, *joined]
    of_others = {str(column): [*missing, *(empty if column != target else [])] for column in others}
    return {column: found for column, found in of_others.items() if found} | {
        column: [*missing, *found] for column, found in marks.items()
    }


def _require_header(
    file: Path, texts: pd.DataFrame, target: str, load_args: dict[str, Any], has_header: bool | None
) -> None:
    """Require that the target is named by a header, not by its own first value.

    Raises:
        InputError: If the first row looks like data.
    """
    if has_header or "names" in load_args:
        return
    if target in texts.columns:
        is_value = bool((texts[target] == target).any())
    else:
        is_value = any((texts[column] == target).any() for column in texts)
    if is_value:
        raise InputError(
            f"{file.name}: the first row looks like data, since {target!r} is a value, too; expected names, "
            f"and the target among them. {_WAYS_OUT}"
        )


def _holds_codes(values: pd.Series, texts: pd.Series) -> bool:
    """Tell codes such as 01 from numbers: these have lost the zero, or digits."""
    return types.is_numeric_dtype(values) and bool(texts.str.fullmatch(_CODE).any())
