"""The report's inputs: one bundle for the data, and one for each variant.

The classes are node functions. Kedro copies datasets in memory between nodes. Bundles are never changed, so
copying one returns the bundle itself. (`copy_mode: assign` in the catalog does the same, but the processes of
Kedro's ParallelRunner do not share a MemoryDataset that is in the catalog.)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import pandas as pd
from torch import Tensor

from from_scratch.pipelines.data_processing.nodes import require_same_features
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Precision, Split, Variant


class Bundle:
    """Base of objects that are never changed, and so need no copy."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


@dataclass(frozen=True)
class PreparedData(Bundle):
    """The outputs of data processing, and its parameters.

    Raises:
        InputError: If the data was made with other columns than `columns`.
    """

    source: dict[str, Any]
    missing_values: dict[str, int]
    category_counts: dict[str, dict[str, int]]
    fill_values: pd.DataFrame
    categories: dict[str, list[str]]
    scales: pd.DataFrame
    features: pd.DataFrame
    model_input: dict[str, Tensor]
    train: dict[str, Tensor]
    valid: dict[str, Tensor]
    columns: Features
    split: Split
    threads: int
    precision: Precision

    def __post_init__(self) -> None:
        named = {column.column: self.categories.get(column.column, []) for column in self.columns.categorical}
        require_same_features(self.columns.names(named), self.features.columns.tolist())

    @property
    def is_original(self) -> bool:
        """Whether these are the article's passengers, which are public."""
        return bool(self.source["source"] == "original")


@dataclass(frozen=True)
class Results(Bundle):
    """A variant's initial coefficients and its outputs."""

    variant: Variant
    initial_coefficients: dict[str, Tensor]
    coefficients: dict[str, Tensor]
    coefficients_by_epoch: dict[str, Tensor]
    """The coefficients after each epoch [epochs, ...]; empty if they would be too large."""
    losses: pd.DataFrame
    predictions: dict[str, Tensor]
    metrics: dict[str, Any]


def collect(**results: Results) -> dict[str, Results]:
    """Collect the results of all variants, in the order of the parameters."""
    return results
