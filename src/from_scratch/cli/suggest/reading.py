"""Reading of a CSV, with detection of its header, blanks, placeholders and codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pandas.api import types

from from_scratch.cli.suggest.header import name_columns, require_header
from from_scratch.cli.suggest.placeholders import find_placeholders, merge_placeholders
from from_scratch.datasets.csv_guesses import guess_separator, read_first_lines, separator_of, split_rows
from from_scratch.datasets.csv_reader import read_csv
from kedro_ledger.errors import InputError

_CODE = re.compile(r"0\d+|\d{16,}")


@dataclass(frozen=True)
class Table:
    """Rows of a CSV, with the arguments that read them."""

    file: Path
    load_args: dict[str, Any]
    """Arguments for `pandas.read_csv`."""
    rows: pd.DataFrame
    """The rows as a run reads them."""
    texts: pd.DataFrame
    """The same rows as texts, as they are in the file."""
    placeholders: dict[str, list[str]]
    """Texts that represent missing values, by column of numbers."""


def read_table(
    file: Path,
    target: str,
    load_args: dict[str, Any],
    has_header: bool | None = None,
    names: Sequence[str] = (),
    missing: Sequence[str] = (),
) -> Table:
    """Read a CSV, and detect the arguments that this needs.

    Args:
        file: The file.
        target: The column to predict.
        load_args: Arguments for `pandas.read_csv` that are already known.
        has_header: Whether the first row contains the column names; if None, it must look like a header.
        names: Column names for a file without a header.
        missing: Texts to read as missing values, in addition to empty fields.

    Raises:
        DatasetError: If the file cannot be read.
        InputError: If the separator is wrong, the first row contradicts the options, or there are no rows.
    """
    lines = read_first_lines(file, load_args)
    separator = separator_of(load_args)
    if likely := guess_separator(lines, separator, target):
        columns = len(split_rows(lines[:1], likely)[0])
        raise InputError(
            f"{file.name}: the columns are not separated by {separator!r}; expected {likely!r}, which gives "
            f"{columns} columns. Use --separator {_quote_for_shell(likely)}"
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
    placeholders = find_placeholders(rows, texts, str(load_args.get("decimal", ".")))
    if "names" not in load_args and not has_header:
        require_header(file, head, texts, target)
    codes = [str(column) for column in rows if _contains_codes(rows[column], texts[column])]
    if placeholders:
        load_args["na_values"] = merge_placeholders(placeholders, texts, target, missing)
    if codes:
        load_args["dtype"] = dict.fromkeys(codes, "str")
    if placeholders or codes:
        rows = read_csv(file, load_args)
    if rows.empty:
        raise InputError(f"{file.name}: there are no rows, only a header; expected at least one row")
    return Table(file, load_args, rows, texts, placeholders)


def _quote_for_shell(separator: str) -> str:
    return f"'{separator}'".replace("\t", "\\t")


def _has_blanks(lines: Sequence[str], separator: Any) -> bool:
    """Return whether a blank follows nearly every separator."""
    if not isinstance(separator, str) or len(separator) != 1 or separator.isspace():
        return False
    following = [text[:1] for line in lines for text in line.split(separator)[1:] if text]
    return following.count(" ") > 0.9 * len(following)


def _contains_codes(values: pd.Series, texts: pd.Series) -> bool:
    """Return whether numbers are codes such as 01, which lose zeros or digits when read as numbers."""
    return types.is_numeric_dtype(values) and bool(texts.str.fullmatch(_CODE).any())
