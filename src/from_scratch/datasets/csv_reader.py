"""CSV, read as strictly as pandas can, and a little more so."""

from __future__ import annotations

import csv
import json
import warnings
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
from fsspec.implementations.local import LocalFileSystem
from kedro.io.core import DatasetError

from from_scratch.schema.features import find_doubled
from from_scratch.schema.validation import shorten

SHARED_ARGS = ("quotechar", "doublequote", "escapechar", "skipinitialspace")
"""The arguments of `pandas.read_csv` that `csv.reader` has too."""
PANDAS_ARGS = (
    "names nrows skipfooter comment skip_blank_lines lineterminator quoting dialect compression "
    "encoding_errors"
).split()
"""Those with which `csv.reader` would read something else."""


def read_csv(file: Path, load_args: dict[str, Any]) -> pd.DataFrame:
    """Read the rows of a CSV, with arguments for `pandas.read_csv`.

    Raises:
        DatasetError: If it can't be read as CSV, a row has more fields than the header has names, or fewer,
            or the header has a name twice.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise DatasetError(f"{file} is not a regular file; expected a CSV")
    if not isinstance(load_args, dict):
        raise DatasetError(f"{file}: load_args is {load_args!r}; expected a block, such as {{sep: ';'}}")
    if in_parts := {"chunksize", "iterator"} & load_args.keys():
        raise DatasetError(
            f"{file}: load_args has {', '.join(sorted(in_parts))}; expected the whole file at once"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pd.errors.ParserWarning)
            rows: pd.DataFrame = pd.read_csv(file, **_complete(load_args))
    except Exception as error:  # those of pandas, Python and the system have little in common
        if isinstance(error, UnicodeError):
            reason = f"{error}; {_guess_encoding(file)}"
        elif isinstance(error, pd.errors.ParserWarning):
            reason = "a row has more fields than the header has names" + _guess_separator(file, load_args)
        else:
            reason = shorten(" ".join(str(error).split()), 200).rstrip(".") + _guess_separator(
                file, load_args
            )
        raise DatasetError(f"{file} can't be read as CSV: {reason}") from error
    if fault := _find_fault(file, load_args, rows):
        raise DatasetError(f"{file}: {fault}")
    return rows.rename(columns=str)


def _separator(load_args: dict[str, Any]) -> Any:
    return load_args.get("sep", load_args.get("delimiter", ","))


def _complete(load_args: dict[str, Any]) -> dict[str, Any]:
    """Add what makes pandas strict, as far as its engines know it."""
    separator = _separator(load_args)
    needs_python = separator is None or len(str(separator)) > 1 or "skipfooter" in load_args
    engine = load_args.get("engine", "python" if needs_python else "c")
    strict = {"c": {"low_memory": False, "index_col": False}, "python": {"index_col": False}}
    return {"engine": engine, **strict.get(engine, {}), **load_args}


def _find_fault(file: Path, load_args: dict[str, Any], rows: pd.DataFrame) -> str:
    """Find a name that stands twice, or the first row that has not as many fields as the header.

    pandas renames the one, takes fields that aren't there for missing, and may drop those that the header has
    no name for. Arguments with which `csv.reader` would read something else switch this off.
    """
    separator, skipped = _separator(load_args), load_args.get("skiprows", 0)
    if (
        not (isinstance(separator, str) and len(separator) == 1 and isinstance(skipped, int))
        or load_args.get("header", 0) != 0
        or load_args.keys() & PANDAS_ARGS
        or ".tar" in file.suffixes
    ):
        return ""
    encoding = str(load_args.get("encoding") or "utf-8").lower()
    encoding = "utf-8-sig" if encoding in ("utf-8", "utf8") else encoding  # without the mark at the beginning
    shared = {name: load_args[name] for name in SHARED_ARGS if name in load_args}
    opened = {"mode": "r", "compression": "infer", "encoding": encoding, "newline": ""}
    try:
        with LocalFileSystem().open(str(file), **opened) as text:
            read = csv.reader(islice(text, skipped, None), delimiter=separator, **shared)
            lines = (line for line in read if len(line) > 1 or "".join(line).strip())
            header = next(lines, [])
            doubled = find_doubled(name for name in header if name)
            if doubled is not None and doubled in rows.columns:
                return f"column {shorten(doubled, 200)} stands twice; expected each column once"
            for row, fields in enumerate(lines, start=1):
                if len(fields) != len(header) and (len(fields) < len(header) or any(fields[len(header) :])):
                    return f"row {row} has {len(fields)} fields; expected {len(header)}, as the header"
    except (csv.Error, ValueError):  # too long a field, a zero byte, a compression it doesn't know
        pass
    return ""


def _guess_separator(file: Path, load_args: dict[str, Any]) -> str:
    """Suggest another separator, if the first line speaks for it."""
    if {"sep", "delimiter"} & load_args.keys():
        return ""
    first = _read_first_line(file)
    likely = max(",;\t|", key=lambda separator: first.count(separator.encode()))
    if likely == "," or likely.encode() not in first or not first.isascii():
        return ""
    return (
        f"; if its separator is {likely!r}, the catalog can say it: load_args: {{sep: {json.dumps(likely)}}}"
    )


def _guess_encoding(file: Path) -> str:
    """Suggest what a file may be that is not UTF-8, by its first bytes."""
    first = _read_first_line(file)
    if first.startswith((b"\x1f\x8b", b"PK")):
        return "it is compressed: give it its suffix, such as .csv.gz or .csv.zip"
    encoding = "utf-16" if first.startswith((b"\xff\xfe", b"\xfe\xff")) else "latin-1"
    return f"if its encoding is another, the catalog can say it: load_args: {{encoding: {encoding}}}"


def _read_first_line(file: Path) -> bytes:
    """Read the first line, or its beginning; nothing if that can't be read."""
    with suppress(OSError), file.open("rb") as content:
        return content.readline(10_000)
    return b""
