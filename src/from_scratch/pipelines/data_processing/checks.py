"""What must hold of the passengers before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from from_scratch.parameters import Features

EXAMPLES = 3
GREATEST = 3.4028234e38
"""The greatest number that float32 holds."""


def find_faults(passengers: pd.DataFrame, features: Features) -> list[str]:
    """Look for everything that is wrong with the columns that the models need.

    Args:
        passengers: The passengers as they come.
        features: Which columns are needed, and what may stand in them.

    Returns:
        A phrase for each fault: the column, the rows (counted from 1, without the header), what was expected.
    """
    needed = [features.target, *features.continuous, *features.log, *features.categorical]
    absent = [column for column in needed if column not in passengers.columns]
    if absent:
        columns = f"column{'s' * (len(absent) > 1)} {', '.join(absent)}"
        return [f"no {columns}; found {', '.join(map(repr, passengers.columns))}"]
    if passengers.empty:
        return ["there are no rows, only a header"]
    return [fault for column in needed for fault in _faults_of(passengers[column], features)]


def _faults_of(values: pd.Series, features: Features) -> Iterator[str]:
    column = str(values.name)
    present = values.dropna()
    categories = features.categorical.get(column, [])
    if present.empty:
        yield f"column {column} has no values"
    elif any(isinstance(category, str) for category in categories):
        yield from _unexpected(
            present, present.isin(categories), f"one of {', '.join(map(repr, categories))}"
        )
    elif categories:
        yield from _no_numbers(present, f"one of {', '.join(map(repr, categories))}", isin=categories)
    elif column == features.target:
        yield from _no_numbers(values, "0 or 1 in every row", isin=[0, 1])
    elif column in features.log:
        yield from _no_numbers(present, "a number, 0 or more, since its logarithm is taken", least=0)
    else:
        yield from _no_numbers(present, "a number")


def _no_numbers(
    values: pd.Series, expected: str, isin: list[Any] | None = None, least: float = -GREATEST
) -> Iterator[str]:
    numbers = pd.to_numeric(values, errors="coerce")
    right = numbers.isin(isin) if isin else numbers.between(least, GREATEST)
    yield from _unexpected(values, right, expected)
    if right.all() and not pd.api.types.is_numeric_dtype(values):
        yield f"column {values.name} holds {values.dtype}; expected numbers"


def _unexpected(values: pd.Series, right: pd.Series, expected: str) -> Iterator[str]:
    if not right.all():
        found = values[~right]
        examples = ", ".join(
            f"{value!r} in row {row}"
            for row, value in zip(found.index + 1, found.head(EXAMPLES).tolist(), strict=False)
        )
        more = f" and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else ""
        yield f"column {values.name} has {examples}{more}; expected {expected}"
