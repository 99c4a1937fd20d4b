"""Models that are trained at once must equal models that are trained one by one."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
from torch import Tensor

from from_scratch.models import MODELS, Coefficients
from from_scratch.pipelines.data_processing import nodes
from from_scratch.pipelines.stability import many
from from_scratch.pipelines.stability.many import Predict, choose_batch, stack
from from_scratch.pipelines.training.variants import draw_coefficients, train_variant
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Variant
from from_scratch.scoring import accuracy
from from_scratch.training import train
from tests.from_scratch.schema.test_parameters import COMMITTED
from tests.support.project import RAW

MODELS_ALONE = {
    "linear": (0.2, 18, []),
    "sigmoid": (100.0, 30, []),
    "matmul": (100.0, 30, []),
    "neural_net": (20.0, 30, [20]),
    "deep": (4.0, 30, [10, 10]),
}
"""The article's learning rate, epochs and hidden layers of each model."""
SEEDS = range(440, 450)


@pytest.fixture(scope="module")
def rows() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Return the training and validation rows of Kaggle's passengers."""
    passengers = pd.read_csv(RAW / "train.csv")
    features = Features.model_validate(COMMITTED["features"])
    split = Split.model_validate(COMMITTED["split"])
    passengers = nodes.impute(passengers, nodes.compute_fill_values(passengers, features, split))
    categories = nodes.learn_categories(passengers, features, split)
    encoded = nodes.one_hot_encode(passengers, features, categories)
    scales = nodes.compute_scales(encoded, passengers, features, split)
    return nodes.split(nodes.make_model_input(encoded, scales, passengers, features), split)


def initialise(
    name: str, hidden: list[int], dtype: torch.dtype, features: int = 12
) -> list[dict[str, Tensor]]:
    return [
        {
            key: tensor.to(dtype)
            for key, tensor in MODELS[name]
            .initialise(features, hidden, torch.Generator().manual_seed(seed))
            .items()
        }
        for seed in SEEDS
    ]


def to(tensors: dict[str, Tensor], dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    return tensors["independent"].to(dtype), tensors["dependent"].to(dtype)


def train_each(
    name: str, dtype: torch.dtype, train_rows: dict[str, Tensor], valid: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    """Return losses [models, epochs] and predictions [models, rows] of models that are trained one by one."""
    rate, epochs, hidden = MODELS_ALONE[name]
    losses, predictions = [], []
    for coefficients in initialise(name, hidden, dtype):
        training = train(MODELS[name].predict, coefficients, *to(train_rows, dtype), rate, epochs)
        losses.append([loss.item() for loss in training])
        predictions.append(MODELS[name].predict(coefficients, to(valid, dtype)[0]).detach())
    return torch.tensor(losses, dtype=dtype), torch.stack(predictions)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-3), (torch.float64, 1e-9)])
@pytest.mark.parametrize("fast", [True, False], ids=["forward", "predict"])
def test_many_at_once_are_what_each_is_alone(
    rows: tuple[dict[str, Tensor], dict[str, Tensor]],
    name: str,
    dtype: torch.dtype,
    tolerance: float,
    fast: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rate, epochs, hidden = MODELS_ALONE[name]
    (x, targets), (valid, truth) = (to(tensors, dtype) for tensors in rows)
    if not fast:
        monkeypatch.setattr(many, "_transpose", lambda stacked: None)
    predict, coefficients = stack(MODELS[name].predict, initialise(name, hidden, dtype), x[:64])
    assert (predict is MODELS[name].predict) != fast
    losses_together = torch.stack([*train(predict, coefficients, x, targets, rate, epochs)], dim=1)
    predictions_together = predict(coefficients, valid).detach()
    losses, predictions = train_each(name, dtype, *rows)
    torch.testing.assert_close(losses_together, losses, atol=tolerance, rtol=0)
    torch.testing.assert_close(predictions_together, predictions, atol=tolerance, rtol=0)
    for together, alone in zip(predictions_together, predictions, strict=True):
        assert accuracy(together, truth) == accuracy(alone, truth)
    assert len({*losses[:, 0].tolist()}) == len(SEEDS), "each has its own start"


PRACTICE = {
    "unit": {"constants": "unit"},
    "he": {"initialisation": "he"},
    "cross_entropy": {"constants": "unit", "loss": "cross_entropy"},
    "squared_error": {"loss": "squared_error"},
    "batches": {"batch_size": 64, "optimiser": "momentum", "weight_decay": 0.001},
    "adam": {"initialisation": "he", "constants": "unit", "batch_size": 100, "optimiser": "adam"},
    "dropout": {"initialisation": "he", "batch_size": 200, "dropout": 0.2},
}


@pytest.mark.parametrize("practice", PRACTICE)
@pytest.mark.parametrize("name", MODELS)
def test_with_what_practice_adds_too(
    rows: tuple[dict[str, Tensor], dict[str, Tensor]], name: str, practice: str
) -> None:
    hidden = MODELS_ALONE[name][2]
    if (name == "linear" and practice == "cross_entropy") or (not hidden and practice == "dropout"):
        return
    variant = Variant(
        model=name,
        seed=1,
        learning_rate=0.05,
        epochs=5,
        hidden=hidden,
        **PRACTICE[practice],  # type: ignore[arg-type]
    )
    train_rows = {part: tensor.double() for part, tensor in rows[0].items()}
    valid = rows[1]["independent"].double()
    x = train_rows["independent"]

    def draw(seed: int) -> Coefficients:
        return {key: value.double() for key, value in draw_coefficients(variant, 12, seed).items()}

    draws, drops = [draw(seed) for seed in SEEDS], practice == "dropout"
    predict, together = stack(MODELS[name].predict, draws, x[:64], use_forward=not drops)
    assert (predict is MODELS[name].predict) == drops
    generators = [torch.Generator().manual_seed(seed) for seed in SEEDS]
    losses = torch.stack([*train_variant(variant, predict, together, train_rows, generators)])
    predictions = predict(together, valid).detach()
    for i, seed in enumerate(SEEDS):
        alone, generator = draw(seed), torch.Generator().manual_seed(seed)
        of_one = [*train_variant(variant, MODELS[name].predict, alone, train_rows, generator)]
        torch.testing.assert_close(losses[:, i], torch.stack(of_one))
        torch.testing.assert_close(predictions[i], MODELS[name].predict(alone, valid).detach())


def predict_tanh(coefficients: Coefficients, x: Tensor) -> Tensor:
    return torch.tanh((x * coefficients["weights"][..., None, :]).sum(dim=-1))


def predict_power(coefficients: Coefficients, x: Tensor) -> Tensor:
    return (x * coefficients["weights"][..., None, :]).sum(dim=-1) * coefficients["power"][..., None] ** 2


@pytest.mark.parametrize("predict", [predict_tanh, predict_power])
def test_a_model_that_forward_does_not_know_trains_too(
    rows: tuple[dict[str, Tensor], dict[str, Tensor]], predict: Predict
) -> None:
    x, targets = to(rows[0], torch.float32)
    draws = [
        {"weights": torch.rand(12, generator=torch.Generator().manual_seed(seed)), "power": torch.ones(())}
        for seed in (1, 2, 3)
    ]
    if predict is predict_tanh:  # the names are those of a linear model
        draws = [{"weights": draw["weights"]} for draw in draws]
    chosen, together = stack(predict, draws, x[:64])
    assert chosen is predict
    *_, last = train(chosen, together, x, targets, 0.1, 5)
    for i, coefficients in enumerate(draws):
        *_, alone = train(predict, coefficients, x, targets, 0.1, 5)
        torch.testing.assert_close(last[i], alone)
        torch.testing.assert_close(together["weights"][i], coefficients["weights"])


@pytest.mark.parametrize("hidden", [[1], [7], [5, 3, 1, 4]])
def test_nets_of_any_shape(hidden: list[int]) -> None:
    deep = MODELS["deep"]
    each = [deep.initialise(4, hidden, torch.Generator().manual_seed(seed)) for seed in range(3)]
    x = torch.rand(9, 4, generator=torch.Generator().manual_seed(0))
    predict, together = stack(deep.predict, each, x)
    assert predict is not deep.predict
    alone = torch.stack([deep.predict(coefficients, x) for coefficients in each])
    torch.testing.assert_close(predict(together, x), alone)


def test_stacking_copies(rows: tuple[dict[str, Tensor], dict[str, Tensor]]) -> None:
    x, targets = to(rows[0], torch.float32)
    for name, (rate, _, hidden) in MODELS_ALONE.items():
        draws = initialise(name, hidden, torch.float32)
        kept = [{key: tensor.clone() for key, tensor in draw.items()} for draw in draws]
        predict, together = stack(MODELS[name].predict, draws, x[:64])
        [*train(predict, together, x, targets, rate, 2)]
        assert all(draw[key].equal(was[key]) for draw, was in zip(draws, kept, strict=True) for key in was)


def test_fewer_models_train_at_once_if_each_is_larger() -> None:
    assert choose_batch([], 713) > choose_batch([10, 10], 713) > choose_batch([20], 713) > 1
    assert choose_batch([20], 10**9) == 1
