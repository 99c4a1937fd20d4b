"""Categories: names for a column's values that do not depend on the types that a CSV reader inferred."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from from_scratch.schema.features import text_of

_NUMBER = re.compile(r"-?(0|[1-9]\d{0,99})(\.\d{1,99})?")


def list_categories(values: pd.Series) -> list[str]:
    """List the names of the categories in a column: numbers sorted by value, other values by name."""
    present = values.dropna().unique().tolist()
    numbers = all(isinstance(value, int | float) for value in present)
    return list(dict.fromkeys(map(text_of, sorted(present) if numbers else sorted(present, key=text_of))))


def find_codes(values: pd.Series, categories: Sequence[str]) -> NDArray[np.intp]:
    """Find the code of each row's category: its index in `categories`.

    Returns:
        The codes [rows]; -1 for other values and for missing values. Spellings that differ only by type are
        the same category, such as 1.50 and 1.5, or TRUE and True; 01 and 1 are not.
    """
    code_of = {category: code for code, category in enumerate(categories)}
    by_value: dict[object, list[int]] = {}
    for category, code in code_of.items():
        by_value.setdefault(_value_of(category), []).append(code)

    def find(name: str) -> int:
        alike = by_value.get(_value_of(name), [])
        return code_of.get(name, alike[0] if len(alike) == 1 else -1)

    codes, present = pd.factorize(values)
    found = [find(text_of(value)) for value in present.tolist()]
    return np.array([*found, -1])[codes]  # factorize codes missing values as -1, the last element


def _value_of(name: str) -> object:
    """Return the number or boolean that a name spells, or the name itself."""
    if number := _NUMBER.fullmatch(name):
        return float(name) if number[2] else int(name)
    return name.lower() if name.lower() in ("true", "false") else name


def name_values(values: pd.Series) -> pd.Series:
    """Replace each value with the name of its category; missing values stay missing."""
    try:
        codes, present = pd.factorize(values)
    except TypeError:  # unhashable values, such as lists
        return values.map(str, na_action="ignore")
    names = np.array([*map(text_of, present.tolist()), None], dtype=object)
    return pd.Series(names[codes], index=values.index, name=values.name, dtype="str")
