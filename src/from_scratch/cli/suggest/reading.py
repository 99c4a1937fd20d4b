"""How a CSV is to be read, so that its columns are what they look like."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from from_scratch.cli.suggest.header import name_columns, require_header
from from_scratch.cli.suggest.marks import find_marks, join_marks
from from_scratch.datasets.csv_guesses import guess_separator, read_first_lines, separator_of, split_rows
from from_scratch.datasets.csv_reader import read_csv
from kedro_ledger.errors import InputError

_CODE = re.compile(r"0\d+|\d{16,}")


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
    load_args |= name_columns(file, head, has_header, list(names))
    if missing:
        load_args["na_values"] = list(missing)
    as_texts = {"dtype": str, "keep_default_na": False, "na_values": ["", *missing]}
    texts = read_csv(file, {**load_args, **as_texts})
    rows = read_csv(file, load_args)
    marks = find_marks(rows, texts, str(load_args.get("decimal", ".")))
    if "names" not in load_args and not has_header:
        require_header(file, head, texts, target)
    codes = [str(column) for column in rows if _holds_codes(rows[column], texts[column])]
    if marks:
        load_args["na_values"] = join_marks(marks, texts, target, missing)
    if codes:
        load_args["dtype"] = dict.fromkeys(codes, "str")
    if marks or codes:
        rows = read_csv(file, load_args)
    if rows.empty:
        raise InputError(f"{file.name}: there are no rows, only a header; expected at least one")
    return Table(file, load_args, rows, texts, marks)


def _quote_for_shell(separator: str) -> str:
    return f"'{separator}'".replace("\t", "\\t")


def _has_blanks(lines: Sequence[str], separator: Any) -> bool:
    """Tell whether a blank follows nearly every separator."""
    if not isinstance(separator, str) or len(separator) != 1 or separator.isspace():
        return False
    following = [text[:1] for line in lines for text in line.split(separator)[1:] if text]
    return following.count(" ") > 0.9 * len(following)


def _holds_codes(values: pd.Series, texts: pd.Series) -> bool:
    """Tell codes such as 01 from numbers: these have lost the zero, or digits."""
    return types.is_numeric_dtype(values) and bool(texts.str.fullmatch(_CODE).any())
