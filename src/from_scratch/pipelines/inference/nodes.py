"""The nodes of inference that data processing does not have."""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
import pandas as pd
from torch import Tensor

from from_scratch.pipelines.data_processing.categories import find_codes
from from_scratch.pipelines.data_processing.checks import find_clashes, find_faults_of_new
from from_scratch.pipelines.data_processing.derivation import ValueCounts, count_rows, derive
from from_scratch.pipelines.data_processing.nodes import (
    SAME_PARAMETERS,
    Categories,
    raise_faults,
    require_table,
    to_types,
    warn_unseen,
)
from from_scratch.pipelines.training.nodes import compute_predictions
from from_scratch.pipelines.training.variants import draw_coefficients
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Inference, Precision, Variant
from from_scratch.scoring import THRESHOLD, choose_yardstick
from kedro_ledger.errors import InputError

log = logging.getLogger(__name__)


def ingest_new(
    new_data: pd.DataFrame,
    features: Features,
    categories: Categories,
    inference: Inference,
    value_counts: ValueCounts | None = None,
) -> pd.DataFrame:
    """Add derived columns to new rows, and check that the rows have what the features need.

    The target may be missing. `inference.unseen_categories` decides whether unknown categories are a fault.

    Returns:
        The rows, with numbers as numbers.

    Raises:
        InputError: A line for each fault: the file, the column, the rows, what was expected.
    """
    require_table("new_data", new_data)
    target, positive = features.target.column, features.target.positive
    named = [*(column.column for column in features.categorical), target]
    if missing := [name for name in named if name not in categories]:
        raise InputError(
            f"parameter features: the training run has no categories of {', '.join(missing)}; "
            f"{SAME_PARAMETERS}"
        )
    value_counts = value_counts or {}
    if missing := [name for name in features.counted if name not in value_counts]:
        raise InputError(
            f"parameter features.derived: the training run has no counts of {', '.join(missing)}; "
            f"{SAME_PARAMETERS}"
        )
    if find_codes(pd.Series([positive]), categories[target])[0] != 1:
        raise InputError(
            f"parameter features.target.positive is {positive!r}, but {categories[target][1]!r} in the "
            f"training run; {SAME_PARAMETERS}"
        )
    allowed = categories if inference.unseen_categories == "error" else {}
    are_fitting = np.zeros(len(new_data), dtype=bool)
    rows = count_rows(derive(new_data, features), features, value_counts, are_fitting)
    raise_faults(new_data, [*find_faults_of_new(rows, features, allowed), *find_clashes(new_data, features)])
    warn_unseen(rows, features, categories)
    return to_types(rows, features)


def predict_new(
    coefficients: dict[str, Tensor],
    metrics: dict[str, Any],
    new_input: dict[str, Tensor],
    new_data: pd.DataFrame,
    features: Features,
    variant: Variant,
    threads: int,
    precision: Precision,
) -> pd.DataFrame:
    """Predict each new row.

    `new_input` contains `independent` [rows, features], and `new_data` the identifiers of the same rows;
    `metrics` are those of the training run.

    Returns:
        A row for each new row: the identifier, or else `row`, counted from 1; and `score`: higher means that
        yes is more likely. (It may not be a probability: the absolute error drives it to 0 or 1.)

    Raises:
        InputError: If the coefficients are not those of this variant, or a prediction is not finite.
    """
    columns = new_input["independent"].shape[1]
    expected = draw_coefficients(variant, columns, seed=0)
    shapes = {name: tensor.shape for name, tensor in expected.items()}
    found = {name: tensor.shape for name, tensor in coefficients.items()}
    if shapes != found or metrics["model"] != variant.model:
        raise InputError(
            f"the coefficients do not fit model {variant.model} with hidden {variant.hidden}; "
            f"{SAME_PARAMETERS}"
        )
    yardstick = choose_yardstick(metrics)
    if yardstick.is_no_better(metrics[f"{yardstick.metric}_low"]):
        log.warning(
            "The %s of this variant on the validation rows, %.4f, is not clearly above the baseline, %.4f; "
            "choose another variant with --params inference.variant=NAME",
            yardstick.name,
            metrics[yardstick.metric],
            yardstick.baseline,
        )
    predictions = compute_predictions(coefficients, new_input, variant, threads, precision)
    identifier = features.identifier
    names = new_data[identifier].to_numpy() if identifier else range(1, len(new_data) + 1)
    predicted = pd.DataFrame({identifier or "row": names, "score": predictions.numpy()})
    predicted.attrs = dict(new_data.attrs)
    return predicted


def answer(new_predictions: pd.DataFrame, features: Features, categories: Categories) -> pd.DataFrame:
    """Answer yes for each new row whose score is above one half, and no for the others.

    Returns:
        A row for each new row: its identifier, and the target's value. For Kaggle's passengers, this is a
        file that Kaggle accepts as a submission.
    """
    target = features.target.column
    no, yes = categories[target]
    answers = new_predictions.drop(columns="score")
    answers[target] = (new_predictions["score"] > THRESHOLD).map({False: no, True: yes})
    return answers
