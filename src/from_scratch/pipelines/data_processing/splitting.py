"""The split into training rows and validation rows (section 6.2)."""

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
    """Find the rows whose target is yes.

    Returns:
        Whether each row is positive [rows]; all False if there is no target column.
    """
    target = features.target
    if target.column not in data.columns:
        return np.zeros(len(data), dtype=bool)
    found: NDArray[np.bool_] = find_codes(data[target.column], [text_of(target.positive)]) == 0
    return found


def shuffle(are_positive: NDArray[np.bool_], parameters: Split) -> tuple[Tensor, Tensor]:
    """Shuffle the row numbers, and split them into training rows and validation rows.

    The number of validation rows is rounded down. With `stratify`, their share of positive rows is that of
    all rows, up to rounding, and both parts have rows of both classes.

    Args:
        are_positive: Whether each row is positive [rows].
        parameters: The seed, the fraction, and whether to stratify.

    Returns:
        The numbers of the training rows and of the validation rows, in shuffled order.

    Raises:
        InputError: If one part would have no rows; with `stratify`, also if it would have no rows of a class.
    """
    rows, fraction = len(are_positive), parameters.validation_fraction
    valid_rows = int(fraction * rows)
    if not 0 < valid_rows < rows:
        raise InputError(
            f"parameter split.validation_fraction is {fraction}: {valid_rows} of {rows} rows would be "
            "validation rows; expected at least one validation row and one training row"
        )
    shuffled = torch.randperm(rows, generator=torch.Generator().manual_seed(parameters.seed))
    if not parameters.stratify:
        return shuffled[valid_rows:], shuffled[:valid_rows]
    valid_positives = _count_valid_positives(rows, int(are_positive.sum()), valid_rows)
    is_positive = torch.from_numpy(are_positive)[shuffled]
    in_validation = torch.where(
        is_positive,
        is_positive.cumsum(0) <= valid_positives,
        (~is_positive).cumsum(0) <= valid_rows - valid_positives,
    )
    return shuffled[~in_validation], shuffled[in_validation]


def _count_valid_positives(rows: int, positives: int, valid_rows: int) -> int:
    """Return the number of positive validation rows such that both parts have rows of both classes."""
    parts = {
        "positive": positives,
        "negative": rows - positives,
        "training": rows - valid_rows,
        "validation": valid_rows,
    }
    for name, count in parts.items():
        if count < 2:
            raise InputError(
                f"parameter split.stratify is true: the number of {name} rows is {count} of {rows}; expected "
                "at least 2, so that training rows and validation rows have both classes. Add rows, or set "
                "split.stratify: false"
            )
    negatives = rows - positives
    least, most = max(1, valid_rows - negatives + 1), min(positives, valid_rows) - 1
    return min(max(round(valid_rows * positives / rows), least), most)


def find_fitting(data: pd.DataFrame, features: Features, parameters: Split) -> NDArray[np.bool_]:
    """Find the rows that fill values, categories, scales and counts are learnt from: `features.fit_on`.

    Returns:
        Whether each row is one of them [rows].
    """
    are_fitting = np.ones(len(data), dtype=bool)
    if features.fit_on == "train":
        _, valid = shuffle(find_positives(data, features), parameters)
        are_fitting[valid.numpy()] = False
    return are_fitting


def select_fitting(data: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Select the rows that fill values, categories, scales and counts are learnt from."""
    return data if features.fit_on == "all" else data[find_fitting(data, features, parameters)]
