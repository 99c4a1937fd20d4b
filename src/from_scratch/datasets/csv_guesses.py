"""What a CSV may be that can't be read as it is said to be: by its first rows."""

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
"""So many rows are looked at."""
BLANKS = r"\s+"
"""The separator of columns that one or more blanks separate."""
_COMMON = (",", ";", "\t", "|", BLANKS)
_RARE = re.compile(r"[^\w\s.\"'+-]")


def separator_of(load_args: dict[str, Any]) -> Any:
    """Return the separator that arguments for `pandas.read_csv` name."""
    return load_args.get("sep", load_args.get("delimiter", ","))


def open_as_text(file: Path, load_args: dict[str, Any]) -> Any:
    """Open a file, which may be compressed, as text in the encoding that arguments for `read_csv` name."""
    encoding = str(load_args.get("encoding") or "utf-8").lower()
    encoding = "utf-8-sig" if encoding in ("utf-8", "utf8") else encoding  # without the mark at the beginning
    opened = {"mode": "r", "compression": "infer", "encoding": encoding, "newline": ""}
    return LocalFileSystem().open(str(file), **opened)


def read_first_lines(file: Path, load_args: dict[str, Any]) -> list[str]:
    """Read the first lines that are not blank; none if they can't be read."""
    with suppress(OSError, ValueError, LookupError), open_as_text(file, load_args) as text:
        lines = (line.rstrip("\r\n") for line in islice(text, 2 * FIRST_ROWS))
        return list(islice((line for line in lines if line.strip()), FIRST_ROWS))
    return []


def split_rows(lines: Sequence[str], separator: str, skip_blanks: bool = False) -> list[list[str]]:
    """Split rows at a separator; none if that is not possible."""
    if separator == BLANKS:
        return [line.split() for line in lines]
    if len(separator) > 1:
        with suppress(re.error):
            return [re.split(separator, line) for line in lines]
    with suppress(csv.Error, TypeError):
        return list(csv.reader(lines, delimiter=separator, skipinitialspace=skip_blanks))
    return []


def guess_separator(lines: Sequence[str], given: Any, wanted: str | None = None) -> str | None:
    """Guess which separator rows have, if it is not the given one.

    Args:
        lines: The first lines of the file.
        given: The separator that is said to be theirs.
        wanted: The name of a column; a separator that makes such a column is preferred.

    Returns:
        The separator that splits all rows into the same number of columns, at least two; None if none does,
        or the given one does, and makes the wanted column if another does.
    """
    header = split_rows(lines[:1], given) if lines and isinstance(given, str) else []
    is_missed = wanted is not None and bool(header) and wanted not in [name.strip() for name in header[0]]
    if not lines or (_count_columns(lines, given) >= 2 and not is_missed):
        return None
    rare = [mark for mark in dict.fromkeys(_RARE.findall(lines[0])) if mark not in _COMMON]
    counts = {mark: _count_columns(lines, mark) for mark in (*_COMMON, *rare) if mark != given}
    fitting = [mark for mark, columns in counts.items() if columns >= 2]

    def has_wanted(mark: str) -> bool:
        return wanted in [name.strip() for name in split_rows(lines[:1], mark)[0]]

    if _count_columns(lines, given) >= 2:
        fitting = list(filter(has_wanted, fitting))
    return max(fitting, key=lambda mark: (has_wanted(mark), mark in _COMMON[:-1], counts[mark]), default=None)


def _count_columns(lines: Sequence[str], separator: Any) -> int:
    """Count the columns of rows; 0 if not all have the same number."""
    if not isinstance(separator, str):
        return 0
    counts = {len(row) for row in split_rows(lines, separator)}
    return counts.pop() if len(counts) == 1 else 0


def guess_encoding(file: Path) -> str:
    """Suggest what a file may be that is not UTF-8, by its first bytes."""
    first = b""
    with suppress(OSError), file.open("rb") as content:
        first = content.read(2)
    if first in (b"\x1f\x8b", b"PK"):
        return "it is compressed: give it its suffix, such as .csv.gz or .csv.zip"
    encoding = "utf-16" if first in (b"\xff\xfe", b"\xfe\xff") else "latin-1"
    return (
        f"if its encoding is another, the catalog can say it: load_args: {{encoding: {encoding}}}; and to "
        f"`kedro features suggest`, --encoding {encoding}"
    )
