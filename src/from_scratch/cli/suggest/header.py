"""Whether the first row of a CSV holds the names of its columns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from from_scratch.cli.suggest.quoting import quote
from from_scratch.schema.features import find_doubled
from from_scratch.schema.validation import list_some
from kedro_ledger.errors import InputError

_WAYS_OUT = (
    "If it is data, --no-header names the columns column_1, column_2, …, and --names a,b,c names them as you "
    "like; if it is a header, say --header"
)
_YEAR = re.compile(r"(18|19|20)\d\d")


def name_columns(
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


def require_header(file: Path, head: Sequence[Sequence[str]], texts: pd.DataFrame, target: str) -> None:
    """Require that a header names the target, not its own first value, where nothing speaks for a header.

    Args:
        file: Where the rows are from.
        head: The first rows, with what may be a header.
        texts: All rows, by what may be names.
        target: The column to predict.

    Raises:
        InputError: If the first row looks like data.
    """
    columns = [target] if target in texts.columns else list(texts.columns)
    if _compare_first_row(head) <= 0 and any((texts[column] == target).any() for column in columns):
        raise InputError(
            f"{file.name}: the first row looks like data, since {target!r} is a value, too; expected names, "
            f"and the target among them. {_WAYS_OUT}"
        )
