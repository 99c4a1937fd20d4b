"""Strict reading of CSV files, which reports rows that pandas would repair silently."""

from __future__ import annotations

import csv
import json
import re
import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io.core import DatasetError

from from_scratch.datasets.csv_guesses import (
    BLANKS,
    guess_separator,
    hint_encoding,
    open_as_text,
    read_first_lines,
    separator_of,
)
from from_scratch.schema.features import find_duplicate
from from_scratch.schema.validation import shorten

SHARED_ARGS = ("quotechar", "doublequote", "escapechar", "skipinitialspace")
"""Arguments of `pandas.read_csv` that `csv.reader` shares."""
PANDAS_ARGS = (
    "nrows skipfooter comment skip_blank_lines lineterminator quoting dialect compression encoding_errors"
).split()
"""Arguments of `pandas.read_csv` with which `csv.reader` would read other rows."""
MORE_FIELDS = re.compile(r"Expected (\d+) fields in line (\d+), saw (\d+)")
"""Message of pandas about a row with more fields than the rows before it."""


def read_csv(file: Path, load_args: dict[str, Any]) -> pd.DataFrame:
    """Read the rows of a CSV, with arguments for `pandas.read_csv`.

    Raises:
        DatasetError: If the file cannot be read as CSV, a row has more or fewer fields than the header, or a
            name appears twice in the header.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise DatasetError(f"{file} is not a regular file; expected a CSV file")
    if not isinstance(load_args, dict):
        raise DatasetError(f"{file}: load_args is {load_args!r}; expected a block, such as {{sep: ';'}}")
    if in_parts := {"chunksize", "iterator"} & load_args.keys():
        raise DatasetError(
            f"{file}: load_args has {', '.join(sorted(in_parts))}; expected to read the file as one table"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows: pd.DataFrame = pd.read_csv(file, **_complete(load_args))
    except Exception as error:  # pandas, Python and the system raise errors of unrelated types
        if isinstance(error, UnicodeError):
            reason = f"{error}; {hint_encoding(file)}"
        elif isinstance(error, pd.errors.ParserWarning):
            reason = "a row has more fields than the header has names" + _hint_separator(file, load_args)
        elif isinstance(error, pd.errors.EmptyDataError):
            reason = "the file is empty"
        elif isinstance(error, OSError) and error.strerror:
            reason = error.strerror
        elif fields := MORE_FIELDS.search(str(error)):
            expected, line, found = fields.groups()
            reason = f"line {line} has {found} fields; expected {expected}" + _hint_separator(file, load_args)
        else:
            reason = shorten(" ".join(str(error).split()), 200).rstrip(".")
            reason += _hint_separator(file, load_args)
        raise DatasetError(f"{file} could not be read as CSV: {reason}") from error
    if fault := _find_fault(file, load_args, rows):
        raise DatasetError(f"{file}: {fault}")
    return rows.rename(columns=str)


def _complete(load_args: dict[str, Any]) -> dict[str, Any]:
    """Add the arguments that make pandas strict, as far as its engine supports them."""
    separator = separator_of(load_args)
    is_pattern = separator is None or (len(str(separator).encode()) > 1 and separator != BLANKS)
    engine = load_args.get("engine", "python" if is_pattern or "skipfooter" in load_args else "c")
    strict = {"c": {"low_memory": False, "index_col": False}, "python": {"index_col": False}}
    return {"engine": engine, **strict.get(engine, {}), **load_args}


def _find_fault(file: Path, load_args: dict[str, Any], rows: pd.DataFrame) -> str:
    """Return what is wrong: a name that appears twice, or the first row with more or fewer fields than names.

    pandas would rename the column, treat absent fields as missing values, and possibly drop fields without a
    name. Arguments with which `csv.reader` would read other rows disable this check.
    """
    separator, skipped, names = separator_of(load_args), load_args.get("skiprows", 0), load_args.get("names")
    has_header = load_args.get("header", 0 if names is None else None) is not None
    if (
        not (isinstance(separator, str) and (len(separator) == 1 or separator == BLANKS))
        or not isinstance(skipped, int)
        or (has_header and (load_args.get("header", 0) != 0 or names is not None))
        or (not has_header and "usecols" in load_args)
        or load_args.keys() & PANDAS_ARGS
        or ".tar" in file.suffixes
    ):
        return ""
    shared = {name: load_args[name] for name in SHARED_ARGS if name in load_args}
    try:
        with open_as_text(file, load_args) as text:
            rest: Iterator[str] = islice(text, skipped, None)
            if separator == BLANKS:
                rest = (line.strip().replace("\t", " ") + "\n" for line in rest)
                shared |= {"skipinitialspace": True}
            read = csv.reader(rest, delimiter=" " if separator == BLANKS else separator, **shared)
            lines = (line for line in read if len(line) > 1 or "".join(line).strip())
            header = next(lines, []) if has_header else names or list(rows.columns)
            duplicate = find_duplicate(name for name in header if name) if has_header else None
            if duplicate is not None and duplicate in rows.columns:
                return f"column {shorten(duplicate, 200)} appears twice; expected each column once"
            for row, fields in enumerate(lines, start=1):
                if len(fields) != len(header) and (len(fields) < len(header) or any(fields[len(header) :])):
                    expected = "as in the header" if has_header else "one for each column"
                    count = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
                    return f"row {row} has {count}; expected {len(header)}, {expected}"
                if lines_in := _find_rows_in(fields, separator, len(header)):
                    return f"row {row} has an unclosed quote: {lines_in} rows are part of one field"
    except (csv.Error, ValueError):  # a field that is too long, a zero byte, an unknown compression
        pass
    return ""


def _find_rows_in(fields: Sequence[str], separator: str, columns: int) -> int:
    """Return the number of rows inside a field whose quote is not closed: at least two, or 0."""
    for field in fields:
        if field.count("\n") > 2:
            inner = field.splitlines()[1:-1]
            if columns > 2 and all(line.count(separator) == columns - 1 for line in inner):
                return len(inner)
    return 0


def _hint_separator(file: Path, load_args: dict[str, Any]) -> str:
    """Suggest another separator, if the first rows look like it."""
    likely = guess_separator(read_first_lines(file, load_args), separator_of(load_args))
    if likely is None:
        return ""
    return f". If the separator is {likely!r}, set `load_args: {{sep: {json.dumps(likely)}}}` in the catalog"
