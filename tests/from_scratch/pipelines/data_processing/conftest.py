"""A few rows, and the parameters that describe their columns."""

from __future__ import annotations

from typing import Any

import pandas as pd

from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split

BLOCK: dict[str, Any] = {
    "target": {"column": "Survived", "positive": 1},
    "continuous": ["Age", "SibSp"],
    "log": ["Fare"],
    "categorical": [
        {"column": "Sex", "categories": ["male", "female"]},
        {"column": "Pclass", "categories": [1, 2, 3]},
    ],
    "ignore": ["Cabin"],
}
FEATURES = Features.model_validate(BLOCK)
SPLIT = Split(seed=42, validation_fraction=0.5)

SOURCE: dict[str, Any] = {
    "source": "own",
    "file": "own.csv",
    "rows": 24,
    "target": "Survived",
    "negative": "0",
    "positive": "1",
    "leaks": {},
}
"""Return the faults that `ingest` reports for rows of your own."""


def changed(**changes: Any) -> Features:
    """Return the block with changed parameters."""
    return Features.model_validate(BLOCK | changes)


def good() -> pd.DataFrame:
    """Return two rows without faults."""
    return pd.DataFrame(
        {
            "Survived": [0, 1],
            "Age": [22.0, None],
            "SibSp": [0, 1],
            "Fare": [7.25, 8.0],
            "Sex": ["male", "female"],
            "Pclass": [1, 3],
        }
    )
