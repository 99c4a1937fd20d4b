"""A data set of four training rows and four validation rows, and the results of two variants."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch
from torch import Tensor

from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.training.nodes import score
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Variant
from tests.from_scratch.pipelines.data_processing.conftest import SOURCE

NAMES = ["Age", "Sex_male", "Sex_female", "Pclass_1", "Pclass_2"]
#               Age  m  f  1  2
TRAIN_ROWS = [[0.1, 1, 0, 1, 0], [0.5, 1, 0, 0, 1], [0.9, 0, 1, 1, 0], [1.0, 0, 1, 1, 0]]
VALID_ROWS = [[0.2, 1, 0, 1, 0], [0.4, 1, 0, 0, 1], [0.6, 0, 1, 1, 0], [0.8, 0, 1, 0, 1]]
TRUTH = {"train": [0, 0, 1, 0], "valid": [1, 0, 1, 1]}


@pytest.fixture
def data() -> PreparedData:
    """Return the data; the tables of features and fill values have the right columns, but made-up values."""
    rows = {"train": TRAIN_ROWS, "valid": VALID_ROWS}
    parts: dict[str, dict[str, Tensor]] = {
        part: {"independent": torch.tensor(rows[part]), "dependent": torch.tensor(TRUTH[part]).float()}
        for part in rows
    }
    return PreparedData(
        source=SOURCE | {"rows": 8},
        missing_values={"Age": 2, "<b>Sex</b>": 0},
        category_counts={"<b>Sex</b>": {"male": 3, "<i>female</i>": 5}, "Survived": {"0": 2, "1": 6}},
        fill_values=pd.DataFrame({"Age": [0.5]}),
        categories={"Sex": ["male", "female"], "Pclass": ["1", "2"], "Survived": ["0", "1"]},
        scales=pd.DataFrame({"feature": NAMES, "shift": 0.0, "scale": [80.0, 1, 1, 1, 1]}),
        features=pd.DataFrame(TRAIN_ROWS + VALID_ROWS, columns=NAMES),
        model_input={
            name: torch.cat([parts["train"][name], parts["valid"][name]])
            for name in ("independent", "dependent")
        },
        **parts,
        columns=Features.model_validate(
            {
                "target": {"column": "Survived", "positive": 1},
                "continuous": ["Age"],
                "categorical": [{"column": "Sex"}, {"column": "Pclass"}],
            }
        ),
        split=Split(seed=42, validation_fraction=0.5),
        threads=1,
        precision="float32",
    )


def make_results(data: PreparedData, model: str, train: list[float], valid: list[float]) -> Results:
    """Return results of a variant with these predictions."""
    predictions = {"train": torch.tensor(train).float(), "valid": torch.tensor(valid).float()}
    losses = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]}).astype({"loss": "float32"})
    hidden: dict[str, Any] = {"linear": {}, "deep": {"hidden": [2]}}[model]
    weights = {
        "linear": {"weights": torch.tensor([-1.0, 0.5, 1.5, 0.0, 2.0])},
        "deep": {
            "layer1": torch.ones(5, 2),
            "constant1": torch.tensor(-10.0),
            "layer2": torch.ones(2, 1),
            "constant2": torch.tensor(0.25),
        },
    }
    variant = Variant(model=model, seed=1, learning_rate=0.1, epochs=2, **hidden)
    return Results(
        variant=variant,
        initial_coefficients=weights[model],
        coefficients=weights[model],
        coefficients_by_epoch={name: torch.stack([tensor] * 2) for name, tensor in weights[model].items()},
        losses=losses,
        predictions=predictions,
        metrics=score(predictions, losses, data.train, data.valid, data.source, variant, threads=1),
    )


@pytest.fixture
def results(data: PreparedData) -> dict[str, Results]:
    """Return results: `line` predicts yes for women, `net` for everyone except a man of the first class."""
    return {
        "line": make_results(data, "linear", [0, 0, 1, 1], [0, 0, 1, 1]),
        "net": make_results(data, "deep", [0, 0.6, 1, 1], [0.1, 0.7, 1, 0.9]),
    }
