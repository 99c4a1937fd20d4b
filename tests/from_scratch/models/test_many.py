"""Many models at once must be what each of them would be alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from from_scratch.models import MODELS, Model, train
from from_scratch.models.many import choose_batch, stack, train_many
from from_scratch.models.scoring import accuracies, accuracy
from from_scratch.pipelines.data_processing import nodes
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split
from tests.conftest import RAW
from tests.from_scratch.schema.test_parameters import COMMITTED

MODELS_ALONE = {
    "linear": (0.2, 18, []),
    "sigmoid": (100.0, 30, []),
    "matmul": (100.0, 30, []),
    "neural_net": (20.0, 30, [20]),
    "deep": (4.0, 30, [10, 10]),
}
"""Learning rate, epochs and hidden layers of each model, as the article has them."""
SEEDS = range(440, 450)


@pytest.fixture(scope="module")
def rows() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Kaggle's passengers: those that train, those that validate."""
    import pandas as pd

    passengers = pd.read_csv(RAW / "train.csv")
    features = Features.model_validate(COMMITTED["features"])
    split = Split.model_validate(COMMITTED["split"])
    passengers = nodes.impute(passengers, nodes.compute_fill_values(passengers, features, split))
    categories = nodes.learn_categories(passengers, features, split)
    encoded = nodes.one_hot_encode(passengers, features, categories)
    scales = nodes.compute_scales(encoded, features, split)
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
    """Losses [models, epochs] and predictions [models, rows] of models that train one by one."""
    rate, epochs, hidden = MODELS_ALONE[name]
    losses, predictions = [], []
    for coefficients in initialise(name, hidden, dtype):
        losses.append([*train(MODELS[name].predict, coefficients, *to(train_rows, dtype), rate, epochs)])
        predictions.append(MODELS[name].predict(coefficients, to(valid, dtype)[0]).detach())
    return torch.tensor(losses, dtype=dtype), torch.stack(predictions)


def train_together(
    model: Model, name: str, dtype: torch.dtype, train_rows: dict[str, Tensor], valid: dict[str, Tensor]
) -> tuple[Tensor, Tensor]:
    rate, epochs, hidden = MODELS_ALONE[name]
    predict, coefficients = stack(model, initialise(name, hidden, dtype))
    losses = [*train_many(predict, coefficients, *to(train_rows, dtype), rate, epochs)]
    return torch.stack(losses, dim=1), predict(coefficients, to(valid, dtype)[0]).detach()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 2e-3), (torch.float64, 1e-9)])
@pytest.mark.parametrize("quick", [True, False], ids=["layers", "vmap"])
def test_many_at_once_are_what_each_is_alone(
    rows: tuple[dict[str, Tensor], dict[str, Tensor]],
    name: str,
    dtype: torch.dtype,
    tolerance: float,
    quick: bool,
) -> None:
    model = MODELS[name] if quick else MODELS[name]._replace(layers=None)
    losses, predictions = train_each(name, dtype, *rows)
    losses_together, predictions_together = train_together(model, name, dtype, *rows)
    torch.testing.assert_close(losses_together, losses, atol=tolerance, rtol=0)
    torch.testing.assert_close(predictions_together, predictions, atol=tolerance, rtol=0)
    truth = rows[1]["dependent"]
    assert accuracies(predictions_together, truth) == [accuracy(one, truth) for one in predictions]
    assert len({*losses[:, 0].tolist()}) == len(SEEDS), "each starts somewhere else"


def test_a_model_that_is_no_layers_trains_too(rows: tuple[dict[str, Tensor], dict[str, Tensor]]) -> None:
    def initialise_one(features: int, hidden: list[int], generator: torch.Generator) -> dict[str, Tensor]:
        return {"slopes": torch.rand(features, generator=generator), "power": torch.ones(())}

    def predict_one(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
        return torch.tanh((independent * coefficients["slopes"]).sum(dim=1)) * coefficients["power"] ** 2

    odd = Model(initialise_one, predict_one)
    draws = [odd.initialise(12, [], torch.Generator().manual_seed(seed)) for seed in (1, 2, 3)]
    alone = [{name: tensor.clone() for name, tensor in draw.items()} for draw in draws]
    predict, together = stack(odd, draws)
    independent, dependent = to(rows[0], torch.float32)
    last = [*train_many(predict, together, independent, dependent, 0.1, 5)][-1]
    for i, coefficients in enumerate(alone):
        assert [*train(predict_one, coefficients, independent, dependent, 0.1, 5)][-1] == pytest.approx(
            last[i].item(), abs=1e-5
        )
        torch.testing.assert_close(together["slopes"][i], coefficients["slopes"])


@pytest.mark.parametrize("hidden", [[1], [7], [5, 3, 1, 4]])
def test_nets_of_any_shape(hidden: list[int]) -> None:
    draw: Callable[..., Any] = MODELS["deep"].initialise
    each = [draw(4, hidden, torch.Generator().manual_seed(seed)) for seed in range(3)]
    independent = torch.rand(9, 4, generator=torch.Generator().manual_seed(0))
    predict, together = stack(MODELS["deep"], each)
    alone = torch.stack([MODELS["deep"].predict(one, independent) for one in each])
    torch.testing.assert_close(predict(together, independent), alone)


def test_stacking_copies(rows: tuple[dict[str, Tensor], dict[str, Tensor]]) -> None:
    for name, (rate, _, hidden) in MODELS_ALONE.items():
        draws = initialise(name, hidden, torch.float32)
        kept = [{key: tensor.clone() for key, tensor in draw.items()} for draw in draws]
        predict, together = stack(MODELS[name], draws)
        [*train_many(predict, together, *to(rows[0], torch.float32), rate, 2)]
        assert all(one[key].equal(was[key]) for one, was in zip(draws, kept, strict=True) for key in was)


def test_fewer_train_at_once_the_more_each_takes() -> None:
    assert choose_batch([], 713) > choose_batch([10, 10], 713) > choose_batch([20], 713) > 1
    assert choose_batch([20], 10**9) == 1
