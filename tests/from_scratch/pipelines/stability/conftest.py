"""Made-up runs of three variants: `line` is the reference, `net` mostly stays at the baseline."""

from __future__ import annotations

import pandas as pd
import pytest

from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability

ACCURACIES = {
    "line": ("linear", [[0.70, 0.74], [0.80, 0.80]]),
    "curve": ("sigmoid", [[0.70, 0.76], [0.82, 0.84]]),
    "net": ("deep", [[0.60, 0.80], [0.60, 0.62]]),
}
"""The model and the validation accuracies [splits, seeds] of each variant."""
MAJORITY = (0.60, 0.62)


def make_runs(accuracies: dict[str, tuple[str, list[list[float]]]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "variant": variant,
                "model": model,
                "split": 42 + split,
                "seed": seed,
                "valid_accuracy": accuracy,
                "train_accuracy": accuracy,
                "majority_accuracy": MAJORITY[split],
                "last_loss": 0.5,
                "train_rows": 200,
                "valid_rows": 50,
            }
            for variant, (model, of_splits) in accuracies.items()
            for split, of_seeds in enumerate(of_splits)
            for seed, accuracy in enumerate(of_seeds)
        ]
    )


@pytest.fixture
def runs() -> pd.DataFrame:
    return make_runs(ACCURACIES)


@pytest.fixture
def summary(runs: pd.DataFrame) -> pd.DataFrame:
    return summarise(runs, Stability(reference="line"))
