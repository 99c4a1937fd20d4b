"""Categories: the names of a column's values, whatever types a CSV reader has taken them for."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from from_scratch.schema.features import text_of

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,99})(\.\d{1,99})?")


def list_categories(values: pd.Series) -> list[str]:
    """List the names of the categories that occur: numbers sorted by value, all else by name."""
    present = values.dropna().unique().tolist()
    numbers = all(isinstance(value, int | float) for value in present)
    return list(dict.fromkeys(map(text_of, sorted(present) if numbers else sorted(present, key=text_of))))


def find_codes(values: pd.Series, categories: Sequence[str]) -> NDArray[np.intp]:
    """Find each row's category.

    Returns:
        The place of each row's category among these [rows]; -1 for any other value, and for none. What only
        another type writes otherwise is the same: 1.50 and 1.5, TRUE and True, but not 01 and 1.
    """
    place = {category: code for code, category in enumerate(categories)}
    by_value: dict[object, list[int]] = {}
    for category, code in place.items():
        by_value.setdefault(_value_of(category), []).append(code)

    def find(name: str) -> int:
        alike = by_value.get(_value_of(name), [])
        return place.get(name, alike[0] if len(alike) == 1 else -1)

    codes, present = pd.factorize(values)
    places = [find(text_of(value)) for value in present.tolist()]
    return np.array([*places, -1])[codes]  # a missing value has the code -1: the last


def _value_of(name: str) -> object:
    """Return the number or boolean that a name stands for; the name itself if it is neither."""
    if number := _NUMBER.fullmatch(name):
        return float(name) if number[2] else int(name)
    return name.lower() if name.lower() in ("true", "false") else name


def name_values(values: pd.Series) -> pd.Series:
    """Replace each value by the name of its category; missing values stay missing."""
    try:
        codes, present = pd.factorize(values)
    except TypeError:  # lists and the like
        return values.map(str, na_action="ignore")
    names = np.array([*map(text_of, present.tolist()), None], dtype=object)
    return pd.Series(names[codes], index=values.index, name=values.name, dtype="str")
