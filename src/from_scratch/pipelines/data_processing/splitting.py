"""Which rows are for training, and which for validation (section 6.2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor

from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split
from kedro_ledger.errors import InputError


def shuffle(rows: int, parameters: Split) -> tuple[Tensor, Tensor]:
    """Shuffle row numbers, and set some aside for validation.

    The fraction for validation is rounded down to whole rows.

    Returns:
        The numbers of the training rows and of the validation rows, in the order of the shuffle.

    Raises:
        InputError: If one of the two would have no row.
    """
    fraction = parameters.validation_fraction
    validating = int(fraction * rows)
    if not 0 < validating < rows:
        raise InputError(
            f"parameter split.validation_fraction is {fraction}: {validating} of {rows} rows would validate; "
            "expected at least one, and one to train"
        )
    shuffled = torch.randperm(rows, generator=torch.Generator().manual_seed(parameters.seed))
    return shuffled[validating:], shuffled[:validating]


def find_fitting(rows: int, features: Features, parameters: Split) -> NDArray[np.bool_]:
    """Find the rows that everything is learnt from, as `features.fit_on` says.

    Returns:
        Whether each row is one of them [rows].
    """
    are_fitting = np.ones(rows, dtype=bool)
    if features.fit_on == "train":
        _, valid = shuffle(rows, parameters)
        are_fitting[valid.numpy()] = False
    return are_fitting


def select_fitting(table: pd.DataFrame, features: Features, parameters: Split) -> pd.DataFrame:
    """Select the rows that fill values, categories and scales are learnt from."""
    return table if features.fit_on == "all" else table[find_fitting(len(table), features, parameters)]
