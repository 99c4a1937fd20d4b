"""Detection of a header: whether the first row of a CSV contains the column names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from from_scratch.cli.suggest.quoting import quote
from from_scratch.schema.features import find_duplicate
from from_scratch.schema.validation import list_some
from kedro_ledger.errors import InputError

_HINT = (
    "If it is data, use --no-header to name the columns column_1, column_2, …, or --names a,b,c to choose "
    "names; if it is a header, use --header"
)
_YEAR = re.compile(r"(18|19|20)\d\d")


def name_columns(
    file: Path, head: Sequence[Sequence[str]], has_header: bool | None, names: list[str]
) -> dict[str, Any]:
    """Return the arguments for `pandas.read_csv` that name the columns of a file without a header.

    Raises:
        InputError: If the first row contradicts the options, or the number of names is wrong.
    """
    if names and has_header:
        raise InputError(
            "--names and --header are both given; expected --names only for a file without a header"
        )
    first = head[0] if head else []
    votes = _compare_first_row(head)
    if not names and has_header is not False:
        if votes < 0 and has_header is None:
            raise InputError(
                f"{file.name}: the first row looks like data: {list_some(quote(first), 5)}; expected column "
                f"names. {_HINT}"
            )
        return {}
    if votes > 0 and has_header is not False:
        raise InputError(
            f"{file.name}: the first row looks like a header: {list_some(quote(first), 5)}; expected data, "
            "because --names is given. If it is data, add --no-header"
        )
    names = names or [f"column_{number}" for number in range(1, len(first) + 1)]
    if len(names) != len(first):
        raise InputError(
            f"{file.name}: --names has {len(names)} names; expected {len(first)}, one for each column"
        )
    if (duplicate := find_duplicate(names)) is not None:
        raise InputError(f"--names contains {duplicate!r} twice; expected each name once")
    return {"header": None, "names": names}


def _compare_first_row(head: Sequence[Sequence[str]]) -> int:
    """Return votes for the first row being a header (above 0) or data (below 0).

    A text above numbers is a vote for a header. Votes for data are a number above numbers, unless the numbers
    count the columns or are years; a text that appears again below, if at least half of the texts do; and a
    value that appears twice in the row.
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
    """Return whether numbers count from 0 or 1, or are years in ascending order."""
    if all(map(_YEAR.fullmatch, numbers)):
        return list(numbers) == sorted({*numbers})
    return any(
        list(numbers) == [str(start + position) for position in range(len(numbers))] for start in (0, 1)
    )


def require_header(file: Path, head: Sequence[Sequence[str]], texts: pd.DataFrame, target: str) -> None:
    """Require that the target is a column name, not one of its values, if nothing else suggests a header.

    Args:
        file: The file of the rows.
        head: The first rows, including the possible header.
        texts: All rows, with columns named by the possible header.
        target: The column to predict.

    Raises:
        InputError: If the first row looks like data.
    """
    columns = [target] if target in texts.columns else list(texts.columns)
    if _compare_first_row(head) <= 0 and any((texts[column] == target).any() for column in columns):
        raise InputError(
            f"{file.name}: the first row looks like data, because {target!r} is also a value; expected "
            f"column names that include the target. {_HINT}"
        )
