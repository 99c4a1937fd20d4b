"""Guesses of a CSV's separator and encoding, from its first rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from fsspec.implementations.local import LocalFileSystem

FIRST_ROWS = 50
"""Number of rows to guess from."""
BLANKS = r"\s+"
"""The separator for columns with one or more blanks between them."""
_COMMON = (",", ";", "\t", "|", BLANKS)
_RARE = re.compile(r"[^\w\s.\"'+-]")


def separator_of(load_args: dict[str, Any]) -> Any:
    """Return the separator in arguments for `pandas.read_csv`."""
    return load_args.get("sep", load_args.get("delimiter", ","))


def open_as_text(file: Path, load_args: dict[str, Any]) -> Any:
    """Open a file, which may be compressed, as text, with the encoding in arguments for `read_csv`."""
    encoding = str(load_args.get("encoding") or "utf-8").lower()
    encoding = "utf-8-sig" if encoding in ("utf-8", "utf8") else encoding  # drops a byte order mark
    opened = {"mode": "r", "compression": "infer", "encoding": encoding, "newline": ""}
    return LocalFileSystem().open(str(file), **opened)


def read_first_lines(file: Path, load_args: dict[str, Any]) -> list[str]:
    """Read the first lines that are not blank; return an empty list if the file cannot be read."""
    with suppress(OSError, ValueError, LookupError), open_as_text(file, load_args) as text:
        lines = (line.rstrip("\r\n") for line in islice(text, 2 * FIRST_ROWS))
        return list(islice((line for line in lines if line.strip()), FIRST_ROWS))
    return []


def split_rows(lines: Sequence[str], separator: str, skip_blanks: bool = False) -> list[list[str]]:
    """Split rows at a separator; return an empty list if that is not possible."""
    if separator == BLANKS:
        return [line.split() for line in lines]
    if len(separator) > 1:
        with suppress(re.error):
            return [re.split(separator, line) for line in lines]
    with suppress(csv.Error, TypeError):
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=skip_blanks))
    return []


def guess_separator(lines: Sequence[str], given: Any, wanted: str | None = None) -> str | None:
    """Guess the separator of a file, if the given one does not fit.

    Args:
        lines: The first lines of the file.
        given: The separator that the arguments name.
        wanted: The name of a column; separators that produce this column are preferred.

    Returns:
        A separator that splits all rows into the same number of columns, at least two; None if there is no
        such separator. Also None if the given one fits, unless only another one produces the wanted column.
    """
    header = split_rows(lines[:1], given) if lines and isinstance(given, str) else []
    is_missed = wanted is not None and bool(header) and wanted not in [name.strip() for name in header[0]]
    if not lines or (_count_columns(lines, given) >= 2 and not is_missed):
        return None
    rare = [candidate for candidate in dict.fromkeys(_RARE.findall(lines[0])) if candidate not in _COMMON]
    counts = {
        candidate: _count_columns(lines, candidate) for candidate in (*_COMMON, *rare) if candidate != given
    }
    fitting = [candidate for candidate, columns in counts.items() if columns >= 2]

    def has_wanted(candidate: str) -> bool:
        return wanted in [name.strip() for name in split_rows(lines[:1], candidate)[0]]

    if _count_columns(lines, given) >= 2:
        fitting = list(filter(has_wanted, fitting))
    return max(
        fitting,
        key=lambda candidate: (has_wanted(candidate), candidate in _COMMON[:-1], counts[candidate]),
        default=None,
    )


def _count_columns(lines: Sequence[str], separator: Any) -> int:
    """Return the number of columns; 0 if it differs between rows."""
    if not isinstance(separator, str):
        return 0
    counts = {len(row) for row in split_rows(lines, separator)}
    return counts.pop() if len(counts) == 1 else 0


def hint_encoding(file: Path) -> str:
    """Suggest how to read a file that is not UTF-8, judging by its first bytes."""
    first = b""
    with suppress(OSError), file.open("rb") as content:
        first = content.read(2)
    if first in (b"\x1f\x8b", b"PK"):
        return "the file is compressed; expected a name that ends in .csv.gz or .csv.zip"
    encoding = "utf-16" if first in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return (
        f"if the file has another encoding, set `load_args: {{encoding: {encoding}}}` in the catalog, or use "
        f"`--encoding {encoding}` with `kedro features suggest`"
    )
