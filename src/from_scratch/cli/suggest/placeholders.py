"""Placeholders: texts that represent missing values in columns of numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pandas as pd
from pandas.api import types

from from_scratch.pipelines.data_processing.checks import to_numbers

MAX_PLACEHOLDERS = 3
"""Maximum number of distinct placeholders in a column of numbers."""
MAX_CATEGORY_NUMBERS = 5
"""In a column with at most this many distinct numbers, a word may be a category: 2, 4, more."""
KNOWN_PLACEHOLDERS = {
    *("", "?", "-", "--", ".", "*"),
    *("unknown", "n.a.", "n/a", "na", "none", "missing", "null"),
}
"""Texts that are always placeholders among numbers, stripped and in lower case."""


def find_placeholders(rows: pd.DataFrame, texts: pd.DataFrame, decimal: str) -> dict[str, list[str]]:
    """Find the placeholders in each column of numbers: a few distinct texts without digits.

    Returns:
        The sorted placeholders by column.
    """
    placeholders = {}
    for column, values in rows.items():
        if types.is_numeric_dtype(values) or types.is_bool_dtype(values):
            continue
        present = texts[column].dropna()
        present = present[values.notna().to_numpy()[present.index]]  # pandas already reads some as missing
        present.attrs["decimal"] = decimal
        numbers = to_numbers(present)
        found = sorted(present[numbers.isna()].unique())
        may_be_categories = numbers.nunique() <= MAX_CATEGORY_NUMBERS and not all(map(is_placeholder, found))
        if (
            0 < len(found) <= MAX_PLACEHOLDERS
            and numbers.notna().mean() > 0.5
            and not any(re.search(r"\d", text) for text in found)
            and not may_be_categories
        ):
            placeholders[str(column)] = found
    return placeholders


def is_placeholder(text: str) -> bool:
    """Return whether a text usually represents a missing value."""
    return text.strip().lower() in KNOWN_PLACEHOLDERS


def merge_placeholders(
    placeholders: dict[str, list[str]], texts: pd.DataFrame, target: str, missing: Sequence[str]
) -> list[str] | dict[str, list[str]]:
    """Return the placeholders of all columns as one list, or by column if one of them is a value elsewhere.

    Blanks and question marks count as values only in the target.
    """
    merged = sorted({text for found in placeholders.values() for text in found} - {*missing})
    empty = [text for text in merged if text.strip() in ("", "?")]
    others = texts.drop(columns=list(placeholders))
    are_values = others.drop(columns=target, errors="ignore").isin(
        [text for text in merged if text not in empty]
    )
    if not are_values.to_numpy().any() and not (target in others and others[target].isin(merged).any()):
        return [*missing, *merged]
    of_others = {str(column): [*missing, *(empty if column != target else [])] for column in others}
    return {column: found for column, found in of_others.items() if found} | {
        column: [*missing, *found] for column, found in placeholders.items()
    }
