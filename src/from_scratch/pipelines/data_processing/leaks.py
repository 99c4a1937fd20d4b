"""Columns that give the answer away: they are not known before it is, or are another word for it."""

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
"""What chance alone does more often than that is no leak."""
FIRST_ROWS = 10_000
"""Most columns are seen to be harmless by so many rows."""


def find_leaks(rows: pd.DataFrame, features: Features) -> dict[str, str]:
    """Find the columns that the models see and that give the answer away in all rows.

    Returns:
        By column, how: as `describe_leak` does.
    """
    is_yes = find_codes(rows[features.target.column], [text_of(features.target.positive)]) == 0
    found = {column.column: describe_leak(rows[column.column], is_yes) for column in features.columns}
    return {name: leak for name, leak in found.items() if leak}


def describe_leak(values: pd.Series, is_yes: NDArray[np.bool_]) -> str:
    """Describe how a column gives the answer away, where chance does not explain it.

    Args:
        values: The column [rows].
        is_yes: The answers [rows].

    Returns:
        What is true of all rows; nothing if the column is harmless.
    """
    if len(values) > FIRST_ROWS and not any(_find_leaks(values[:FIRST_ROWS], is_yes[:FIRST_ROWS])):
        return ""
    found = (leak for leak, log_chance in _find_leaks(values, is_yes) if log_chance < math.log(MAX_CHANCE))
    return next(found, "")


def _find_leaks(values: pd.Series, is_yes: NDArray[np.bool_]) -> Iterator[tuple[str, float]]:
    """Find how a column gives the answer away, and the logarithm of how likely that is by chance."""
    codes, _ = pd.factorize(values)
    is_known = codes >= 0
    share = is_yes.mean()
    if share in (0, 1):
        yield "all rows have one answer", 0.0  # where these are the first, the others decide
        return
    if (is_known == is_yes).all() or (is_known != is_yes).all():
        yield "it is missing in all rows of one answer, and in no other", _log_chance(is_yes)
    rows = np.bincount(codes[is_known])
    rows_of_yes = np.bincount(codes[is_known], weights=is_yes[is_known])
    if ((rows_of_yes == 0) | (rows_of_yes == rows)).all():
        log_chances = np.logaddexp(rows * math.log(share), rows * math.log(1 - share))
        # An amount that is often 0, and then means no, differs in most rows: that gives few answers away.
        are_shared = rows[rows > 1].sum() > rows.sum() / 2
        yield "each of its values has one answer", float(log_chances.sum()) if are_shared else 0.0
    if types.is_numeric_dtype(values):
        yes, no = values[is_known & is_yes], values[is_known & ~is_yes]
        if len(yes) and len(no) and (yes.max() < no.min() or no.max() < yes.min()):
            yield "a single limit separates the answers", _log_chance(is_yes[is_known])


def _log_chance(is_yes: NDArray[np.bool_]) -> float:
    """Return the logarithm of how likely a random order puts all yes first, or last."""
    rows, yes = len(is_yes), int(is_yes.sum())
    return math.log(2) - math.lgamma(rows + 1) + math.lgamma(yes + 1) + math.lgamma(rows - yes + 1)
