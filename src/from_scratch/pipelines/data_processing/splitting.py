"""Which rows are for training, and which for validation (section 6.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from from_scratch.pipelines.data_processing.categories import find_codes
from from_scratch.schema.features import Features, text_of
from from_scratch.schema.parameters import Split
from kedro_ledger.errors import InputError


def find_positives(data: pd.DataFrame, features: Features) -> NDArray[np.bool_]:
    """Find the rows whose target is yes; none, if there is no such column.

    Returns:
        Whether each row is one of them [rows].
    """
    target = features.target
    if target.column not in data.columns:
        return np.zeros(len(data), dtype=bool)
    found: NDArray[np.bool_] = find_codes(data[target.column], [text_of(target.positive)]) == 0
    return found


def shuffle(are_positive: NDArray[np.bool_], parameters: Split) -> tuple[Tensor, Tensor]:
    """Shuffle row numbers, and set some aside for validation.

    The fraction for validation is rounded down to whole rows. With `stratify`, the share of positive rows
    among them is that of all rows, as nearly as whole rows allow, and both parts have rows of both classes.

    Args:
        are_positive: Whether each row is positive [rows].
        parameters: The seed, the fraction, and whether to stratify.

    Returns:
        The numbers of the training rows and of the validation rows, in the order of the shuffle.

    Raises:
        InputError: If one of the two would have no row; with `stratify`, no row of a class.
    """
    rows, fraction = len(are_positive), parameters.validation_fraction
    validating = int(fraction * rows)
    if not 0 < validating < rows:
        raise InputError(
            f"parameter split.validation_fraction is {fraction}: {validating} of {rows} rows would be for "
            "validation; expected at least one, and one for training"
        )
    shuffled = torch.randperm(rows, generator=torch.Generator().manual_seed(parameters.seed))
    if not parameters.stratify:
        return shuffled[validating:], shuffled[:validating]
    share = _count_validating_positives(rows, int(are_positive.sum()), validating)
    is_positive = torch.from_numpy(are_positive)[shuffled]
    validates = torch.where(
        is_positive, is_positive.cumsum(0) <= share, (~is_positive).cumsum(0) <= validating - share
    )
    return shuffled[~validates], shuffled[validates]


def _count_validating_positives(rows: int, positives: int, validating: int) -> int:
    """Count the positive validation rows, so that both parts have rows of both classes."""
    parts = {
        "positive": positives,
        "negative": rows - positives,
        "training": rows - validating,
        "validation": validating,
    }
    for name, count in parts.items():
        if count < 2:
            raise InputError(
                f"parameter split.stratify is true: of {rows} rows, {count} would be {name}; expected at "
                "least 2, so that both classes are in the training rows and in the validation rows; or "
                "stratify: false"
            )
    negatives = rows - positives
    least, most = max(1, validating - negatives + 1), min(positives, validating) - 1
    return min(max(round(validating * positives / rows), least), most)


def find_fitting(data: pd.DataFrame, features: Features, parameters: Split) -> NDArray[np.bool_]:
    """Find the rows that everything is learnt from, as `features.fit_on` says.

    Returns:
        Whether each row is one of them [rows].
    """
    are_fitting = np.ones(len(data), dtype=bool)
    if features.fit_on == "train":
        _, valid = shuffle(find_positives(data, features), parameters)
        are_fitting[valid.numpy()] = False
    return are_fitting


def select_fitting(data: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Select the rows that fill values, categories and scales are learnt from."""
    return data if features.fit_on == "all" else data[find_fitting(data, features, parameters)]
