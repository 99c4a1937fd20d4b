"""The steps of a training: the same for every variant, whatever its model.

`variant` says which model, and how it is trained; `threads` how many threads compute; `precision` whether in
float32 or float64. `train` and `valid` hold `independent` [rows, features] and `dependent` [rows]; of both,
`predictions` hold one for each row [rows].
"""

from __future__ import annotations

import logging
import math
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from from_scratch.models import MODELS
from from_scratch.pipelines.training.variants import draw_coefficients, predict_in_chunks, train_variant
from from_scratch.schema.parameters import Precision, Variant
from from_scratch.scoring import (
    accuracy,
    baseline_accuracy,
    confusion,
    is_mostly_yes,
    measure,
    roc_auc_interval,
    wilson_interval,
)
from from_scratch.training import mean_absolute_error
from kedro_ledger.errors import InputError

log = logging.getLogger(__name__)

MAX_REMEMBERED = 1_000_000
"""How many numbers the coefficients after each epoch may be, of all epochs together: four megabytes."""


def initialise(train: dict[str, Tensor], variant: Variant) -> dict[str, Tensor]:
    """Draw the coefficients to start from.

    Returns:
        The model's coefficients by name, float32.
    """
    return draw_coefficients(variant, train["independent"].shape[1], variant.seed)


def fit(
    initial_coefficients: dict[str, Tensor],
    train: dict[str, Tensor],
    variant: Variant,
    threads: int,
    precision: Precision,
) -> tuple[dict[str, Tensor], pd.DataFrame, dict[str, Tensor]]:
    """Train on `independent` [rows, features] and `dependent` [rows] of `train` (section 6.2).

    Returns:
        The trained coefficients, float32; a table with a row for each epoch: `epoch` from 1, `loss`; and the
        coefficients after each epoch, float32 [epochs, ...], or none if they are more than
        `MAX_REMEMBERED` numbers.

    Raises:
        InputError: If the loss or a coefficient is not finite any more.
    """
    torch.set_num_threads(threads)
    coefficients, rows = _in_precision(initial_coefficients, precision), _in_precision(train, precision)
    generator = torch.Generator().manual_seed(variant.seed)
    training = train_variant(variant, MODELS[variant.model].predict, coefficients, rows, generator)
    losses: list[float] = []
    remembered: dict[str, list[Tensor]] = {name: [] for name in coefficients}
    if variant.epochs * sum(tensor.numel() for tensor in coefficients.values()) > MAX_REMEMBERED:
        remembered.clear()
        log.info(
            "Model %s: the coefficients after each epoch are more than %s numbers, so they are not kept.",
            variant.model,
            f"{MAX_REMEMBERED:,}",
        )
    # A bar, where someone watches, for a training of more than two seconds.
    for loss in tqdm(training, total=variant.epochs, unit="epoch", delay=2, leave=False, disable=None):
        losses.append(loss.item())
        for name, history in remembered.items():
            history.append(coefficients[name].detach().to(torch.float32, copy=True))
        if not math.isfinite(losses[-1]):
            break
    trained = _in_precision(coefficients, "float32")
    if not (math.isfinite(losses[-1]) and all(tensor.isfinite().all() for tensor in trained.values())):
        raise InputError(
            f"with learning_rate {variant.learning_rate}, training went beyond all numbers in epoch "
            f"{len(losses)} (loss {losses[-1]}); expected it to stay finite: try a smaller learning_rate"
        )
    table = pd.DataFrame({"epoch": range(1, len(losses) + 1), "loss": pd.Series(losses, dtype="float32")})
    return trained, table, {name: torch.stack(history) for name, history in remembered.items()}


def predict(
    coefficients: dict[str, Tensor],
    train: dict[str, Tensor],
    valid: dict[str, Tensor],
    variant: Variant,
    threads: int,
    precision: Precision,
) -> dict[str, Tensor]:
    """Predict the training rows and the validation rows.

    Returns:
        `train` [rows] and `valid` [rows], float32.

    Raises:
        InputError: If a prediction is not finite.
    """
    return {
        name: compute_predictions(coefficients, rows, variant, threads, precision)
        for name, rows in {"train": train, "valid": valid}.items()
    }


def compute_predictions(
    coefficients: dict[str, Tensor],
    rows: dict[str, Tensor],
    variant: Variant,
    threads: int,
    precision: Precision,
) -> Tensor:
    """Predict rows, of which only `independent` [rows, features] is read.

    Returns:
        The predictions [rows], float32.

    Raises:
        InputError: If a prediction is not finite.
    """
    torch.set_num_threads(threads)
    coefficients, rows = _in_precision(coefficients, precision), _in_precision(rows, precision)
    predictions = predict_in_chunks(variant, coefficients, rows["independent"]).float()
    if not predictions.isfinite().all():
        raise InputError(
            f"model {variant.model} predicts {predictions[~predictions.isfinite()][0]} for a row; expected a "
            "finite number: the row's values lie too far from those it was trained on"
        )
    return predictions


def score(
    predictions: dict[str, Tensor],
    losses: pd.DataFrame,
    train: dict[str, Tensor],
    valid: dict[str, Tensor],
    source: dict[str, Any],
    variant: Variant,
    threads: int,
) -> dict[str, Any]:
    """Judge the predictions (section 6.3).

    `source` says where the rows come from and what is predicted, as `ingest` returns it.

    Returns:
        The metrics by name. `majority_accuracy` is the baseline's: always the answer that is more frequent in
        `train`, which is `baseline`; `valid_accuracy_low` and `_high` are the Wilson interval that holds the
        true accuracy with 95 % confidence, and those of `valid_roc_auc` Newcombe's; positives and negatives
        are counted in `valid`. What is not defined is None, and `undefined` says why.
    """
    torch.set_num_threads(threads)
    predictions, train, valid = (_in_precision(tensors, "float64") for tensors in (predictions, train, valid))
    described = ("source", "file", "target", "negative", "positive", "leaks")
    metrics: dict[str, Any] = {name: source[name] for name in described}
    metrics["baseline"] = source["positive" if is_mostly_yes(train["dependent"]) else "negative"]
    metrics["model"] = variant.model
    for name, rows in {"train": train, "valid": valid}.items():
        metrics |= {
            f"{name}_rows": len(rows["dependent"]),
            f"{name}_positives": int(rows["dependent"].sum()),
            f"{name}_accuracy": accuracy(predictions[name], rows["dependent"]),
            f"{name}_mean_absolute_error": mean_absolute_error(predictions[name], rows["dependent"]).item(),
        }
    low, high = wilson_interval(metrics["valid_accuracy"], metrics["valid_rows"])
    measures, reasons = measure(predictions["valid"], valid["dependent"])
    ends: tuple[float | None, float | None] = None, None
    if (area := measures["roc_auc"]) is not None:
        positives = metrics["valid_positives"]
        ends = roc_auc_interval(area, positives, metrics["valid_rows"] - positives)
    return {
        **metrics,
        "valid_accuracy_low": low,
        "valid_accuracy_high": high,
        "majority_accuracy": baseline_accuracy(train["dependent"], valid["dependent"]),
        **confusion(predictions["valid"], valid["dependent"]),
        **{f"valid_{name}": value for name, value in measures.items()},
        "valid_roc_auc_low": ends[0],
        "valid_roc_auc_high": ends[1],
        "undefined": {f"valid_{name}": reason for name, reason in reasons.items()},
        "epochs": len(losses),
        "last_loss": float(losses["loss"].iloc[-1]),
    }


def _in_precision(tensors: dict[str, Tensor], precision: Precision) -> dict[str, Tensor]:
    """Copy tensors into a precision, free of any gradients."""
    return {
        name: tensor.detach().to(getattr(torch, precision), copy=True) for name, tensor in tensors.items()
    }
