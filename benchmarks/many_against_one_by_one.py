"""Compare training many models at once, as in the stability study, with training them one by one.

python benchmarks/many_against_one_by_one.py [PAIRS]

Each pair trains the same models in turn: the article's variants, from the same seeds, on one thread, in
float64 as in the study. Prints the medians over all pairs of the models per second and of their ratio. The
study runs in one process, then in two processes with one thread each, all in memory. Expected ratios: 3 in
one process, 5.5 in two.
"""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from statistics import median
from time import perf_counter

import pandas as pd
import torch
import yaml
from side_by_side import ROOT
from tqdm import tqdm

from from_scratch import article
from from_scratch.models import MODELS
from from_scratch.pipelines.stability.nodes import StudySplit, prepare_splits, train_seeds
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Stability, Variant
from from_scratch.scoring import accuracy
from from_scratch.training import train

SEEDS = 200
PROCESSES = 2
RAW = yaml.safe_load((ROOT / "conf" / "base" / "parameters.yml").read_text())
VARIANTS = [Variant.model_validate(RAW["variants"][name]) for name in article.VARIANTS]
STUDY = Stability(seeds=SEEDS)

Work = Callable[[], list[float]]
"""Function that trains all models and returns their accuracies on the validation rows."""


def read_split() -> StudySplit:
    passengers = pd.read_csv(ROOT / "data" / "01_raw" / "train.csv")
    features = Features.model_validate(RAW["features"])
    return prepare_splits(passengers, features, Split.model_validate(RAW["split"]), STUDY)[0]


def train_one_by_one(split: StudySplit) -> list[float]:
    accuracies = []
    independent, dependent = split.train["independent"].double(), split.train["dependent"].double()
    for variant in VARIANTS:
        model = MODELS[variant.model]
        for seed in range(SEEDS):
            generator = torch.Generator().manual_seed(seed)
            drawn = model.initialise(independent.shape[1], variant.hidden, generator)
            coefficients = {name: tensor.double() for name, tensor in drawn.items()}
            for _ in train(
                model.predict, coefficients, independent, dependent, variant.learning_rate, variant.epochs
            ):
                pass
            with torch.no_grad():
                predictions = model.predict(coefficients, split.valid["independent"].double()).float()
            accuracies.append(accuracy(predictions, split.valid["dependent"]))
    return accuracies


def study(split: StudySplit, variant: Variant) -> list[float]:
    accuracies: list[float] = train_seeds(split, variant, STUDY, 1)["valid_accuracy"].tolist()
    return accuracies


def train_at_once(split: StudySplit) -> list[float]:
    return [value for variant in VARIANTS for value in study(split, variant)]


def train_in_processes(pool: ProcessPoolExecutor, splits: list[StudySplit]) -> list[float]:
    """Train each variant on each split as one task, like a step of the pipeline."""
    work = [(split, variant) for split in splits for variant in VARIANTS]
    return [value for part in pool.map(study, *zip(*work, strict=True)) for value in part]


def time(work: Work, models: int) -> tuple[float, list[float]]:
    """Return the models per second and the accuracies."""
    started = perf_counter()
    accuracies = work()
    return models / (perf_counter() - started), accuracies


def compare(what: str, ours: Work, theirs: Work, copies: int, pairs: int) -> None:
    """Print the models per second; `ours` trains the models of `theirs` `copies` times."""
    models = len(VARIANTS) * SEEDS
    assert ours() == theirs() * copies, "expected the same models"
    rates = []
    for _ in tqdm(range(pairs), desc=what, leave=False):
        rates.append((time(ours, models * copies)[0], time(theirs, models)[0]))
    ratio = median(a / b for a, b in rates)
    a, b = (median(column) for column in zip(*rates, strict=True))
    print(f"{what:<62} {a:6.0f}/s {b:6.0f}/s {ratio:7.2f}")


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    torch.set_num_threads(1)
    split = read_split()
    one_by_one = partial(train_one_by_one, split)
    heading = f"models per second, medians of {pairs} pairs"
    print(f"{heading:<62} {'ours':>8} {'other':>8} {'ratio':>7}")
    compare("many at once / one by one", partial(train_at_once, split), one_by_one, 1, pairs)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PROCESSES, mp_context=spawn) as pool:
        copies = 2 * PROCESSES
        spread = partial(train_in_processes, pool, [split] * copies)
        compare(f"many at once, in {PROCESSES} processes / one by one", spread, one_by_one, copies, pairs)


if __name__ == "__main__":
    main()
