"""The nodes of training: the same for every variant, whatever its model.

`variant` names the model and how to train it; `threads` is the number of threads of PyTorch; `precision` is
float32 or float64. `train` and `valid` contain `independent` [rows, features] and `dependent` [rows];
`predictions` contains one prediction for each row of both.
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

MAX_HISTORY = 1_000_000
"""Maximum number of coefficients to keep for all epochs together: four megabytes."""


def initialise(train: dict[str, Tensor], variant: Variant) -> dict[str, Tensor]:
    """Draw the initial coefficients.

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
        The trained coefficients, float32; a table with a row for each epoch: `epoch` from 1, and `loss`; and
        the coefficients after each epoch, float32 [epochs, ...], or no tensors beyond `MAX_HISTORY` numbers.

    Raises:
        InputError: If the loss or a coefficient is no longer finite.
    """
    torch.set_num_threads(threads)
    coefficients, rows = _in_precision(initial_coefficients, precision), _in_precision(train, precision)
    generator = torch.Generator().manual_seed(variant.seed)
    training = train_variant(variant, MODELS[variant.model].predict, coefficients, rows, generator)
    losses: list[float] = []
    histories: dict[str, list[Tensor]] = {name: [] for name in coefficients}
    if variant.epochs * sum(tensor.numel() for tensor in coefficients.values()) > MAX_HISTORY:
        histories.clear()
        log.info(
            "Model %s: the coefficients after each epoch are not kept, since they exceed %s numbers",
            variant.model,
            f"{MAX_HISTORY:,}",
        )
    # On a terminal, shows a progress bar if training takes more than two seconds.
    for loss in tqdm(training, total=variant.epochs, unit="epoch", delay=2, leave=False, disable=None):
        losses.append(loss.item())
        for name, history in histories.items():
            history.append(coefficients[name].detach().to(torch.float32, copy=True))
        if not math.isfinite(losses[-1]):
            break
    trained = _in_precision(coefficients, "float32")
    if not (math.isfinite(losses[-1]) and all(tensor.isfinite().all() for tensor in trained.values())):
        raise InputError(
            f"training with learning_rate {variant.learning_rate} overflows in epoch {len(losses)} "
            f"(loss {losses[-1]}); expected finite numbers. Try a smaller learning_rate"
        )
    table = pd.DataFrame({"epoch": range(1, len(losses) + 1), "loss": pd.Series(losses, dtype="float32")})
    return trained, table, {name: torch.stack(history) for name, history in histories.items()}


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
    """Predict rows from their `independent` [rows, features].

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
            "finite number. The row's values are too far from those of the training rows"
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
    """Compute the metrics of the predictions (section 6.3).

    `source` describes the rows and the target, as returned by `ingest`.

    Returns:
        The metrics by name. `baseline` is the majority class of `train`, and `majority_accuracy` the accuracy
        of always predicting it. `valid_accuracy_low` and `_high` are the ends of Wilson's 95 % interval,
        those of `valid_roc_auc` of Newcombe's. True and false positives and negatives are counted in `valid`.
        A metric that is not defined is None, and `undefined` has the reason.
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
    """Copy tensors to a precision, without gradients."""
    return {
        name: tensor.detach().to(getattr(torch, precision), copy=True) for name, tensor in tensors.items()
    }
