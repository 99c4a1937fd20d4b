"""Categories: the names of a column's values, whatever types a CSV reader has taken them for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from from_scratch.features import text_of


def list_categories(values: pd.Series) -> list[str]:
    """List the categories that occur.

    Args:
        values: A column.

    Returns:
        Their names, sorted: numbers by their value, all else by the name.
    """
    present = values.dropna().unique().tolist()
    numbers = all(isinstance(value, int | float) for value in present)
    return list(dict.fromkeys(map(text_of, sorted(present) if numbers else sorted(present, key=text_of))))


def find_codes(values: pd.Series, categories: Sequence[str]) -> NDArray[np.intp]:
    """Find each row's category.

    Args:
        values: A column.
        categories: The names of categories.

    Returns:
        The place of each row's category among these [rows]; -1 for any other value, and for none.
    """
    place = {category: code for code, category in enumerate(categories)}
    codes, present = pd.factorize(values)
    places = [place.get(text_of(value), -1) for value in present.tolist()]
    return np.array([*places, -1])[codes]  # a missing value has the code -1: the last


def name_values(values: pd.Series) -> pd.Series:
    """Replace each value by the name of its category.

    Args:
        values: A column.

    Returns:
        The names; missing where values are.
    """
    codes, present = pd.factorize(values)
    names = np.array([*map(text_of, present.tolist()), None], dtype=object)
    return pd.Series(names[codes], index=values.index, name=values.name, dtype="str")
