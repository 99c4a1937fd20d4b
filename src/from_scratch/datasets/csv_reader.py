"""CSV, read as strictly as pandas can, and a little more so."""

from __future__ import annotations

import csv
import json
import warnings
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd
from kedro.io.core import DatasetError

from from_scratch.schema.features import find_doubled

TOKENISING = (
    "sep delimiter encoding encoding_errors compression quotechar quoting doublequote escapechar comment "
    "skiprows skip_blank_lines skipinitialspace lineterminator dialect engine"
).split()
"""The arguments of `pandas.read_csv` that decide what the names of the columns are."""
USUAL = (("header", 0), ("quotechar", '"'))
"""What pandas does anyway, and some spell out."""


def read_csv(file: Path, load_args: dict[str, Any]) -> pd.DataFrame:
    """Read a CSV as strictly as pandas can.

    Args:
        file: The file.
        load_args: For `pandas.read_csv`.

    Returns:
        Its rows.

    Raises:
        DatasetError: If it can't be read as CSV, a row has more fields than the header has names, or fewer,
            or the header has a name twice.
    """
    if file.exists() and not (file.is_file() or file.is_dir()):
        raise DatasetError(f"{file} is no regular file; expected a CSV")
    if not isinstance(load_args, dict):
        raise DatasetError(f"{file}: load_args is {load_args!r}; expected a block, such as {{sep: ';'}}")
    if in_parts := {"chunksize", "iterator"} & load_args.keys():
        raise DatasetError(
            f"{file}: load_args has {', '.join(sorted(in_parts))}; expected the whole file at once"
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", pd.errors.ParserWarning)  # more fields than the header names
            rows: pd.DataFrame = pd.read_csv(file, **_complete(load_args))
            header = _read_header(file, load_args)
    except UnicodeError as error:
        raise DatasetError(f"{file} can't be read as CSV: {error}; {_guess_encoding(file)}") from error
    except pd.errors.ParserWarning as error:
        hint = _guess_separator(file, load_args)
        raise DatasetError(
            f"{file} can't be read as CSV: a row has more fields than the header has names{hint}"
        ) from error
    except Exception as error:  # those of pandas, Python and the system have little in common
        hint = _guess_separator(file, load_args)
        raise DatasetError(
            f"{file} can't be read as CSV: {_shorten(' '.join(str(error).split())).rstrip('.')}{hint}"
        ) from error
    if (doubled := find_doubled(header)) is not None and doubled in rows.columns:
        raise DatasetError(f"{file}: column {_shorten(doubled)} stands twice; expected each column once")
    if uneven := _find_uneven_row(file, load_args):
        raise DatasetError(f"{file}: {uneven}")
    return rows.rename(columns=str)


def _complete(load_args: dict[str, Any]) -> dict[str, Any]:
    """Add what makes pandas strict, as far as its engines know it."""
    separator = load_args.get("sep", load_args.get("delimiter", ","))
    needs_python = separator is None or len(str(separator)) > 1 or "skipfooter" in load_args
    engine = load_args.get("engine", "python" if needs_python else "c")
    strict = {"c": {"low_memory": False, "index_col": False}, "python": {"index_col": False}}
    return {"engine": engine, **strict.get(engine, {}), **load_args}


def _find_uneven_row(file: Path, load_args: dict[str, Any]) -> str:
    """Find the first row that has not as many fields as the header.

    pandas takes fields that aren't there for missing, and may drop those that the header has no name for.
    Only of a plain file whose fields are separated and quoted as usual; what pandas has read it can be, too.
    """
    separator = load_args.get("sep", load_args.get("delimiter", ","))
    unusual = {
        name
        for name, value in load_args.items()
        if name in (*TOKENISING, "header", "names", "skipfooter", "nrows") and (name, value) not in USUAL
    } - {"sep", "delimiter", "encoding", "engine"}
    is_packed = file.suffix.lower() in (".gz", ".bz2", ".zip", ".xz", ".zst", ".tar")
    if unusual or is_packed or not isinstance(separator, str) or len(separator) != 1:
        return ""
    encoding = str(load_args.get("encoding") or "utf-8").lower()
    with_mark = "utf-8-sig" if encoding in ("utf-8", "utf8") else encoding
    try:
        with file.open(encoding=with_mark, newline="") as text:
            read = csv.reader(text, delimiter=separator)
            lines = (line for line in read if line[1:] or "".join(line).strip())
            expected = len(next(lines))
            for row, fields in enumerate(lines, start=1):
                if len(fields) < expected or any(fields[expected:]):
                    return f"row {row} has {len(fields)} fields; expected {expected}, as the header"
    except csv.Error:  # of fields longer than it takes, and of zero bytes
        return ""
    return ""


def _read_header(file: Path, load_args: dict[str, Any]) -> list[str]:
    """Read the names as they stand there: pandas renames those that stand twice."""
    if "names" in load_args or load_args.get("header", 0) != 0:
        return []
    options = {name: value for name, value in load_args.items() if name in TOKENISING}
    engine = _complete(load_args)["engine"]
    options["engine"] = "c" if engine == "pyarrow" else engine  # which can't read one line
    first = pd.read_csv(file, **options, header=None, nrows=1, dtype=str, keep_default_na=False)
    return [name for name in first.iloc[0].tolist() if name]


def _guess_separator(file: Path, load_args: dict[str, Any]) -> str:
    """Say that another separator is likely, if the first line speaks for it."""
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
    """Say what a file may be that is not UTF-8, by its first bytes."""
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


def _shorten(text: str, length: int = 200) -> str:
    return text if len(text) <= length else f"{text[:length]}…"
