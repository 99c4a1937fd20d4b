"""What the report is made from: one bundle for the data and one for each variant, gathered in memory.

Kedro copies what nodes hand on in memory. Nobody changes a bundle, so it is spared that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
from torch import Tensor

from from_scratch.pipelines.data_processing.nodes import check_same
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Precision, Split, Variant


@dataclass(frozen=True)
class PreparedData:
    """What data processing made, and the parameters that say how."""

    source: dict[str, Any]
    missing_values: dict[str, int]
    category_counts: dict[str, dict[str, int]]
    fill_values: pd.DataFrame
    categories: dict[str, list[str]]
    features: pd.DataFrame
    model_input: dict[str, Tensor]
    train: dict[str, Tensor]
    valid: dict[str, Tensor]
    columns: Features
    split: Split
    threads: int
    precision: Precision

    def __deepcopy__(self, memo: object) -> PreparedData:
        return self

    @property
    def is_original(self) -> bool:
        """Whether these are the article's passengers, whom anyone may see."""
        return bool(self.source["source"] == "original")


@dataclass(frozen=True)
class Results:
    """What a variant started from, and what it reached."""

    variant: Variant
    initial_coefficients: dict[str, Tensor]
    coefficients: dict[str, Tensor]
    losses: pd.DataFrame
    predictions: dict[str, Tensor]
    metrics: dict[str, Any]

    def __deepcopy__(self, memo: object) -> Results:
        return self


def gather_data(
    source: dict[str, Any],
    missing_values: dict[str, int],
    category_counts: dict[str, dict[str, int]],
    fill_values: pd.DataFrame,
    categories: dict[str, list[str]],
    features: pd.DataFrame,
    model_input: dict[str, Tensor],
    train: dict[str, Tensor],
    valid: dict[str, Tensor],
    columns: Features,
    split: Split,
    threads: int,
    precision: Precision,
) -> PreparedData:
    """Put what data processing made into one bundle.

    Args:
        source: Where the passengers come from, and how many they are.
        missing_values: How many values each column lacks.
        category_counts: How many rows each category has, of each categorical column and of the target.
        fill_values: One row, what fills missing values of each column.
        categories: Those of each categorical column, and the two classes of the target.
        features: A column for each feature.
        model_input: `independent` [rows, features] and `dependent` [rows].
        train: The rows that train.
        valid: The rows that validate.
        columns: Which columns the models see.
        split: How the rows were split.
        threads: How many threads compute.
        precision: What the models compute in.

    Returns:
        All of it.

    Raises:
        InputError: If the data was made with other columns than these.
    """
    named = {one.column: categories.get(one.column, []) for one in columns.categorical}
    check_same(columns.names(named), features.columns.tolist())
    return PreparedData(
        source,
        missing_values,
        category_counts,
        fill_values,
        categories,
        features,
        model_input,
        train,
        valid,
        columns,
        split,
        threads,
        precision,
    )


def gather_results(
    variant: Variant,
    initial_coefficients: dict[str, Tensor],
    coefficients: dict[str, Tensor],
    losses: pd.DataFrame,
    predictions: dict[str, Tensor],
    metrics: dict[str, Any],
) -> Results:
    """Put what a variant reached into one bundle.

    Args:
        variant: Its parameters.
        initial_coefficients: The coefficients it started from.
        coefficients: The trained coefficients.
        losses: A row for each epoch.
        predictions: `train` [rows] and `valid` [rows].
        metrics: The metrics by name.

    Returns:
        All of it.
    """
    return Results(variant, initial_coefficients, coefficients, losses, predictions, metrics)


def collect(**results: Results) -> dict[str, Results]:
    """Put the variants side by side.

    Args:
        **results: What each reached.

    Returns:
        The same by variant, in the order of the configuration.
    """
    return results
