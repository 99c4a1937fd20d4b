"""The nodes of the study: splits, trainings of many models at once, and one table of results."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import torch
from torch import Tensor
from tqdm import tqdm

from from_scratch.models import MODELS
from from_scratch.pipelines.data_processing import nodes as processing
from from_scratch.pipelines.data_processing.checks import find_faults
from from_scratch.pipelines.data_processing.derivation import count_rows, count_values
from from_scratch.pipelines.data_processing.splitting import find_fitting
from from_scratch.pipelines.stability.many import choose_batch, stack
from from_scratch.pipelines.training.variants import draw_coefficients, train_variant
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Stability, Variant
from from_scratch.scoring import THRESHOLD, baseline_accuracy
from kedro_ledger.errors import InputError


@dataclass(frozen=True)
class StudySplit:
    """The study's rows, split with one of its seeds. It is never changed, so Kedro need not copy it."""

    seed: int
    train: dict[str, Tensor]
    valid: dict[str, Tensor]

    def __deepcopy__(self, memo: object) -> StudySplit:
        return self


def prepare_splits(
    data: pd.DataFrame, features: Features, split: Split, study: Stability
) -> list[StudySplit]:
    """Split the rows with several seeds.

    Fill values, categories and scales are learnt again for each split; with `fit_on: train`, only from its
    training rows.

    Returns:
        The splits, with consecutive seeds that start at `split.seed`.

    Raises:
        InputError: If the training rows of a split are not enough to prepare the data.
    """
    seeds = ((split.seed + i) % 2**63 for i in range(study.splits))  # the largest seed is followed by 0
    splits = [split.model_copy(update={"seed": seed}) for seed in seeds]
    return [_prepare(data, features, split) for split in splits]


def _prepare(data: pd.DataFrame, features: Features, split: Split) -> StudySplit:
    if features.fit_on == "train":
        are_fitting = find_fitting(data, features, split)
        data = count_rows(data, features, count_values(data, features, are_fitting), are_fitting)
        faults = find_faults(data, data[are_fitting], features)
        processing.raise_faults(data, [f"split with seed {split.seed}: {fault}" for fault in faults])
    fill_values = processing.compute_fill_values(data, features, split)
    imputed = processing.impute(data, fill_values)
    categories = processing.learn_categories(imputed, features, split)
    encoded = processing.one_hot_encode(imputed, features, categories)
    scales = processing.compute_scales(encoded, imputed, features, split)
    model_input = processing.make_model_input(encoded, scales, imputed, features)
    train, valid = processing.split(model_input, split)
    return StudySplit(split.seed, train, valid)


def train_seeds(split: StudySplit, variant: Variant, study: Stability, threads: int) -> pd.DataFrame:
    """Train a variant from many seeds on one split, many models at once.

    Everything is computed in float64. In float32, the order of summation decides where about one in a
    thousand deep nets ends, and many models at once are summed in another order than a single one.

    Args:
        split: The rows.
        variant: The model and its training parameters; its `seed` is not used.
        study: The number of seeds: 0, 1, 2, …
        threads: The number of threads.

    Returns:
        A row for each seed: `model`, `split` (its seed), `seed`, `valid_accuracy`, `train_accuracy`,
        `majority_accuracy` (the baseline's accuracy on the validation rows), `last_loss` (before the last
        step), `train_rows` and `valid_rows`.

    Raises:
        InputError: If a loss, a coefficient or a prediction is not finite.
    """
    torch.set_num_threads(threads)
    truth = {
        name: rows["dependent"].double() for name, rows in (("train", split.train), ("valid", split.valid))
    }
    rows = len(truth["train"])
    size = choose_batch(variant.hidden, min(variant.batch_size or rows, rows))
    tables, diverged = [], []
    # In a terminal, show a bar if training takes more than two seconds.
    with tqdm(total=study.seeds, unit="model", delay=2, leave=False, disable=None) as bar:
        for first in range(0, study.seeds, size):
            seeds = range(first, min(first + size, study.seeds))
            predictions, last_losses, finite = _train_at_once(split, variant, seeds)
            table = {
                "seed": seeds,
                **{f"{name}_accuracy": _accuracies(predictions[name], truth[name]) for name in truth},
                "last_loss": last_losses.float().numpy(),
            }
            tables.append(pd.DataFrame(table))
            diverged += [
                seed for seed, is_finite in zip(seeds, finite.tolist(), strict=True) if not is_finite
            ]
            bar.update(len(seeds))
    if diverged:
        raise InputError(
            f"training with learning_rate {variant.learning_rate} overflows for {len(diverged):,} of "
            f"{study.seeds:,} seeds, first for seed {diverged[0]}; expected finite numbers. Try a smaller "
            "learning_rate"
        )
    constants: dict[str, Any] = {
        "model": variant.model,
        "split": split.seed,
        "majority_accuracy": baseline_accuracy(truth["train"], truth["valid"]),
        "train_rows": len(truth["train"]),
        "valid_rows": len(truth["valid"]),
    }
    columns = (
        "model split seed valid_accuracy train_accuracy majority_accuracy last_loss train_rows valid_rows"
    )
    return pd.concat(tables, ignore_index=True).assign(**constants)[columns.split()]


def _train_at_once(
    split: StudySplit, variant: Variant, seeds: range
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Train a model from each seed, as the pipeline `training` trains one.

    Returns:
        The predictions for `train` and `valid` [models, rows], float32; the last losses [models]; and whether
        all numbers of a model are finite [models].
    """
    x = {  # column by column in memory
        name: rows["independent"].double().T.contiguous().T
        for name, rows in (("train", split.train), ("valid", split.valid))
    }
    drawn = [draw_coefficients(variant, x["train"].shape[1], seed) for seed in seeds]
    draws = [{name: tensor.double() for name, tensor in draw.items()} for draw in drawn]
    predict, coefficients = stack(
        MODELS[variant.model].predict, draws, x["train"][:64], use_forward=not variant.dropout
    )
    rows = {"independent": x["train"], "dependent": split.train["dependent"].double()}
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    *_, last_losses = train_variant(variant, predict, coefficients, rows, generators)
    with torch.no_grad():
        predictions = {name: predict(coefficients, rows).float() for name, rows in x.items()}
    parts = [last_losses[:, None], *predictions.values(), *coefficients.values()]
    finite = torch.stack([part.detach().reshape(len(seeds), -1).isfinite().all(dim=1) for part in parts])
    return predictions, last_losses, finite.all(dim=0)


def _accuracies(predictions: Tensor, targets: Tensor) -> list[float]:
    """Return the accuracy of each model: predictions are [models, rows], targets [rows]."""
    correct = (predictions > THRESHOLD) == targets.bool()
    return [count / len(targets) for count in correct.sum(dim=1).tolist()]


def collect_runs(**chunks: pd.DataFrame) -> pd.DataFrame:
    """Concatenate all trainings.

    Args:
        chunks: The results of each variant on each split, named such as `deep.1`.

    Returns:
        The rows of all chunks, with `variant` as the first column.
    """
    tables = []
    for name, table in chunks.items():
        variant, _, _ = name.rpartition(".")
        tables.append(table.assign(variant=variant)[["variant", *table.columns]])
    return pd.concat(tables, ignore_index=True)
