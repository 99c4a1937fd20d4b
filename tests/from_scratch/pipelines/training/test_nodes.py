from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import Tensor

from from_scratch.pipelines.training import nodes
from from_scratch.schema.parameters import Precision, Variant
from kedro_ledger.errors import InputError
from tests.from_scratch.pipelines.data_processing.conftest import SOURCE

LINEAR = Variant(model="linear", seed=442, learning_rate=0.1, epochs=5)
DEEP = Variant(model="deep", seed=1, learning_rate=0.5, epochs=5, hidden=[4, 3])


@pytest.fixture
def train() -> dict[str, Tensor]:
    independent = torch.rand(20, 3, generator=torch.Generator().manual_seed(1))
    return {"independent": independent, "dependent": (independent[:, 0] > 0.5).float()}


@pytest.mark.parametrize("variant", [LINEAR, DEEP])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_fit_leaves_its_inputs_alone_and_stores_float32(
    train: dict[str, Tensor], variant: Variant, precision: Precision
) -> None:
    initial = nodes.initialise(train, variant)
    kept = {name: tensor.clone() for name, tensor in initial.items()}
    coefficients, losses, by_epoch = nodes.fit(initial, train, variant, 1, precision)
    assert all(initial[name].equal(kept[name]) and not initial[name].requires_grad for name in kept)
    assert {tensor.dtype for tensor in coefficients.values()} == {torch.float32}
    assert not any(tensor.requires_grad for tensor in coefficients.values())
    assert losses["epoch"].tolist() == [1, 2, 3, 4, 5]
    for name, history in by_epoch.items():
        assert history.dtype == torch.float32
        assert history.shape == (5, *initial[name].shape)
        assert history[-1].equal(coefficients[name])
        assert not history[0].equal(history[1])
    predictions = nodes.predict(coefficients, train, train, variant, 1, precision)
    assert predictions["valid"].dtype == torch.float32
    assert predictions["valid"].equal(predictions["train"])


def test_each_epochs_coefficients_are_those_of_a_shorter_training(train: dict[str, Tensor]) -> None:
    initial = nodes.initialise(train, DEEP)
    *_, by_epoch = nodes.fit(initial, train, DEEP, 1, "float32")
    short, *_ = nodes.fit(initial, train, DEEP.model_copy(update={"epochs": 3}), 1, "float32")
    assert all(by_epoch[name][2].equal(short[name]) for name in short)


def test_too_many_coefficients_are_not_kept_after_each_epoch(
    train: dict[str, Tensor], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(nodes, "MAX_HISTORY", 14)
    initial = nodes.initialise(train, LINEAR)
    with caplog.at_level("INFO"):
        *_, by_epoch = nodes.fit(initial, train, LINEAR, 1, "float32")
    assert by_epoch == {}
    assert "after each epoch are not kept, since they exceed 14 numbers" in caplog.text
    monkeypatch.setattr(nodes, "MAX_HISTORY", 15)
    *_, by_epoch = nodes.fit(initial, train, LINEAR, 1, "float32")
    assert by_epoch["weights"].shape == (5, 3)


def test_float64_computes_wide_from_the_same_draws(train: dict[str, Tensor]) -> None:
    initial = nodes.initialise(train, DEEP)
    narrow, _, _ = nodes.fit(initial, train, DEEP, 1, "float32")
    wide, _, _ = nodes.fit(initial, train, DEEP, 1, "float64")
    assert not all(narrow[name].equal(wide[name]) for name in narrow)
    for name in narrow:
        torch.testing.assert_close(narrow[name], wide[name], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("epochs", [1, 5])
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_training_that_overflows_stops_the_run(
    train: dict[str, Tensor], precision: Precision, epochs: int
) -> None:
    wild = LINEAR.model_copy(update={"learning_rate": 1e200, "epochs": epochs})
    initial = nodes.initialise(train, wild)
    with pytest.raises(InputError, match=r"training with learning_rate 1e\+200 overflows in epoch \d"):
        nodes.fit(initial, train, wild, 1, precision)


def test_score(train: dict[str, Tensor]) -> None:
    valid = {"dependent": torch.tensor([1.0, 0.0, 1.0, 0.0])}
    predictions = {"train": train["dependent"], "valid": torch.tensor([0.75, 0.25, 0.25, 0.75])}
    losses = pd.DataFrame({"epoch": [1, 2], "loss": [0.5, 0.25]})
    metrics = nodes.score(predictions, losses, train, valid, SOURCE, LINEAR, 1)
    assert metrics["source"] == "own"
    assert (metrics["train_rows"], metrics["valid_rows"]) == (20, 4)
    assert (metrics["train_accuracy"], metrics["valid_accuracy"]) == (1.0, 0.5)
    assert (metrics["train_mean_absolute_error"], metrics["valid_mean_absolute_error"]) == (0.0, 0.5)
    interval = (metrics["valid_accuracy_low"], metrics["valid_accuracy_high"])
    assert interval == pytest.approx((0.1500, 0.8500), abs=1e-4), "Wilson's of 2 in the 4 validation rows"
    assert [
        metrics[name] for name in ("true_positives", "false_positives", "true_negatives", "false_negatives")
    ] == [
        1,
        1,
        1,
        1,
    ]
    assert (metrics["epochs"], metrics["last_loss"]) == (2, 0.25)
