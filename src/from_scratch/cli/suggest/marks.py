"""Texts that stand for missing values among numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api import types

from from_scratch.pipelines.data_processing.checks import to_numbers

MAX_MARKS = 3
"""So many different texts may stand in a column of numbers for missing values."""
FEW_NUMBERS = 5
"""Among so few different numbers, a word may be a category: 2, 4, more."""
KNOWN_MARKS = {*("", "?", "-", "--", ".", "*"), *("unknown", "n.a.", "n/a", "na", "none", "missing", "null")}
"""What stands for a missing value wherever it stands among numbers, without blanks and in small letters."""


def find_marks(rows: pd.DataFrame, texts: pd.DataFrame, decimal: str) -> dict[str, list[str]]:
    """Find columns of numbers in which a few texts, without a digit, stand for missing values.

    Returns:
        These texts, sorted, by column.
    """
    marks = {}
    for column, values in rows.items():
        if types.is_numeric_dtype(values) or types.is_bool_dtype(values):
            continue
        present = texts[column].dropna()
        present = present[values.notna().to_numpy()[present.index]]  # pandas takes some for missing already
        present.attrs["decimal"] = decimal
        numbers = to_numbers(present)
        found = sorted(present[numbers.isna()].unique())
        may_be_categories = numbers.nunique() <= FEW_NUMBERS and not all(map(is_mark, found))
        if (
            0 < len(found) <= MAX_MARKS
            and numbers.notna().mean() > 0.5
            and not any(re.search(r"\d", text) for text in found)
            and not may_be_categories
        ):
            marks[str(column)] = found
    return marks


def is_mark(text: str) -> bool:
    """Tell whether a text mostly stands for a missing value."""
    return text.strip().lower() in KNOWN_MARKS


def join_marks(
    marks: dict[str, list[str]], texts: pd.DataFrame, target: str, missing: Sequence[str]
) -> list[str] | dict[str, list[str]]:
    """Return the marks of all columns; by column, if one is a value elsewhere.

    Blanks and question marks are values of the target at most.
    """
    joined = sorted({mark for found in marks.values() for mark in found} - {*missing})
    empty = [mark for mark in joined if mark.strip() in ("", "?")]
    others = texts.drop(columns=list(marks))
    are_values = others.drop(columns=target, errors="ignore").isin([m for m in joined if m not in empty])
    if not are_values.to_numpy().any() and not (target in others and others[target].isin(joined).any()):
        return [*missing, *joined]
    of_others = {str(column): [*missing, *(empty if column != target else [])] for column in others}
    return {column: found for column, found in of_others.items() if found} | {
        column: [*missing, *found] for column, found in marks.items()
    }
