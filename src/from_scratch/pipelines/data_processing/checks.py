"""What must hold of the passengers before anything is computed from them."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from from_scratch.parameters import Features

EXAMPLES = 3


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
        return [f"no {columns}; found {', '.join(map(str, passengers.columns))}"]
    if passengers.empty:
        return ["there are no rows, only a header"]
    return [fault for column in needed for fault in _faults_of(passengers[column], features)]


def _faults_of(values: pd.Series, features: Features) -> Iterator[str]:
    column = values.name
    present = values.dropna()
    if present.empty:
        yield f"column {column} has no values"
    elif column == features.target:
        yield from _unexpected(values, ~values.isin([0, 1]), "0 or 1 in every row")
    elif column in features.categorical:
        categories = features.categorical[str(column)]
        yield from _unexpected(
            present, ~present.isin(categories), f"one of {', '.join(map(str, categories))}"
        )
    else:
        numbers = pd.to_numeric(present, errors="coerce").abs() < float("inf")
        if not numbers.all():
            yield from _unexpected(present, ~numbers, "finite numbers")
        elif not pd.api.types.is_numeric_dtype(values):
            yield f"column {column} holds {values.dtype}; expected numbers"
        elif column in features.log:
            yield from _unexpected(present, present < 0, "0 or more, since its logarithm is taken")


def _unexpected(values: pd.Series, wrong: pd.Series, expected: str) -> Iterator[str]:
    if wrong.any():
        found = values[wrong]
        examples = ", ".join(
            f"{value!r} in row {row}"
            for row, value in zip(found.index + 1, found.head(EXAMPLES).tolist(), strict=False)
        )
        more = f" and {len(found) - EXAMPLES} more" if len(found) > EXAMPLES else ""
        yield f"column {values.name} has {examples}{more}; expected {expected}"
