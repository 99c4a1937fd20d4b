"""Leaks: columns that give the answer away, since they are known only after it, or restate it."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pandas.api import types

from from_scratch.pipelines.data_processing.categories import find_codes
from from_scratch.schema.features import Features, text_of

MAX_CHANCE = 1e-5
"""Maximum probability that a leak is a coincidence."""
FIRST_ROWS = 10_000
"""Number of rows to check first: they are enough to clear most columns."""


def find_leaks(rows: pd.DataFrame, features: Features) -> dict[str, str]:
    """Find the features' columns that give the answer away in all rows.

    Returns:
        A description of each leak, as in `describe_leak`, by column.
    """
    is_yes = find_codes(rows[features.target.column], [text_of(features.target.positive)]) == 0
    found = {column.column: describe_leak(rows[column.column], is_yes) for column in features.columns}
    return {name: leak for name, leak in found.items() if leak}


def describe_leak(values: pd.Series, is_yes: NDArray[np.bool_]) -> str:
    """Describe how a column gives the answer away, unless it may be a coincidence.

    Args:
        values: The column [rows].
        is_yes: The answers [rows].

    Returns:
        A clause that is true of all rows; empty if the column does not leak.
    """
    if len(values) > FIRST_ROWS and not any(_find_leaks(values[:FIRST_ROWS], is_yes[:FIRST_ROWS])):
        return ""
    found = (leak for leak, log_chance in _find_leaks(values, is_yes) if log_chance < math.log(MAX_CHANCE))
    return next(found, "")


def _find_leaks(values: pd.Series, is_yes: NDArray[np.bool_]) -> Iterator[tuple[str, float]]:
    """Yield each way in which a column gives the answer away, and the logarithm of its chance probability."""
    codes, _ = pd.factorize(values)
    is_known = codes >= 0
    share = is_yes.mean()
    if share in (0, 1):
        yield "all rows have one answer", 0.0  # if these are only the first rows, all rows decide
        return
    if (is_known == is_yes).all() or (is_known != is_yes).all():
        yield "it is missing in all rows with one answer, and in no others", _log_chance(is_yes)
    rows = np.bincount(codes[is_known])
    rows_of_yes = np.bincount(codes[is_known], weights=is_yes[is_known])
    if ((rows_of_yes == 0) | (rows_of_yes == rows)).all():
        log_chances = np.logaddexp(rows * math.log(share), rows * math.log(1 - share))
        # An amount that is often 0, which means no, has distinct values in most other rows: that is no leak.
        are_shared = rows[rows > 1].sum() > rows.sum() / 2
        yield "each of its values has one answer", float(log_chances.sum()) if are_shared else 0.0
    if types.is_numeric_dtype(values):
        yes, no = values[is_known & is_yes], values[is_known & ~is_yes]
        if len(yes) and len(no) and (yes.max() < no.min() or no.max() < yes.min()):
            yield "a single threshold separates the answers", _log_chance(is_yes[is_known])


def _log_chance(is_yes: NDArray[np.bool_]) -> float:
    """Return the logarithm of the probability that a random order puts all yes first, or all last."""
    rows, yes = len(is_yes), int(is_yes.sum())
    return math.log(2) - math.lgamma(rows + 1) + math.lgamma(yes + 1) + math.lgamma(rows - yes + 1)
