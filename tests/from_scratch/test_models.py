"""Every model is compared with the referee: the same model in torch.nn, trained by torch.optim."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from from_scratch.models import MODELS, initialise
from from_scratch.training import train

FEATURES, ROWS, EPOCHS = 12, 60, 25
HIDDEN = {"linear": [], "sigmoid": [], "matmul": [], "neural_net": [7], "deep": [9, 6, 4]}
LEARNING_RATES = {"linear": 0.1, "sigmoid": 2.0, "matmul": 2.0, "neural_net": 1.0, "deep": 0.5}


class Referee(nn.Module):
    """Linear layers without bias, but with one constant for all outputs of a layer, as in the article."""

    def __init__(self, layers: list[Tensor], constants: list[Tensor], sigmoid: bool) -> None:
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(a, b, bias=False) for a, b in (layer.shape for layer in layers))
        for module, layer in zip(self.layers, layers, strict=True):
            module.weight = nn.Parameter(layer.detach().clone().T)
        self.constants = nn.ParameterList(nn.Parameter(constant.detach().clone()) for constant in constants)
        self.last = nn.Sigmoid() if sigmoid else nn.Identity()

    def forward(self, rows: Tensor) -> Tensor:
        offset = len(self.layers) - len(self.constants)
        for i, layer in enumerate(self.layers):
            rows = layer(rows if i == 0 else nn.functional.relu(rows))
            if i >= offset:
                rows = rows + self.constants[i - offset]
        predictions: Tensor = self.last(rows).squeeze(1)
        return predictions


def referee(model: str, coefficients: dict[str, Tensor]) -> Referee:
    layers = [value for name, value in coefficients.items() if not name.startswith("constant")]
    constants = [value for name, value in coefficients.items() if name.startswith("constant")]
    layers = [layer if layer.ndim == 2 else layer[:, None] for layer in layers]
    return Referee(layers, constants, sigmoid=model != "linear")


@pytest.fixture
def data() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(7)
    independent = torch.rand(ROWS, FEATURES, generator=generator, dtype=torch.float64)
    return independent, (independent[:, 0] + independent[:, 1] > 1).double()


@pytest.mark.parametrize("model", MODELS)
def test_trains_as_torch_nn_does(model: str, data: tuple[Tensor, Tensor]) -> None:
    independent, dependent = data
    drawn = MODELS[model].initialise(FEATURES, HIDDEN[model], torch.Generator().manual_seed(442))
    coefficients = {name: value.double() for name, value in drawn.items()}
    theirs = referee(model, coefficients)

    training = train(
        MODELS[model].predict, coefficients, independent, dependent, LEARNING_RATES[model], EPOCHS
    )
    losses = [loss.item() for loss in training]

    optimiser, expected = torch.optim.SGD(theirs.parameters(), lr=LEARNING_RATES[model]), []
    for _ in range(EPOCHS):
        loss = nn.functional.l1_loss(theirs(independent), dependent)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        expected.append(loss.item())
    assert losses == pytest.approx(expected, rel=1e-12)
    assert losses[-1] < losses[0]
    torch.testing.assert_close(MODELS[model].predict(coefficients, independent), theirs(independent))


@pytest.mark.parametrize("model", MODELS)
def test_draws_depend_only_on_their_seed(model: str) -> None:
    def draw(seed: int) -> dict[str, Tensor]:
        drawn: dict[str, Tensor] = MODELS[model].initialise(
            FEATURES, HIDDEN[model], torch.Generator().manual_seed(seed)
        )
        return drawn

    before = torch.random.get_rng_state()
    first, second, other = draw(1), draw(1), draw(2)
    assert torch.random.get_rng_state().equal(before), "the global generator must not change"
    assert all(first[name].equal(second[name]) for name in first)
    assert not any(first[name].equal(other[name]) for name in first)
    assert all(tensor.dtype == torch.float32 for tensor in first.values())


@pytest.mark.parametrize("model", MODELS)
def test_many_stacked_train_as_each_does_alone(model: str, data: tuple[Tensor, Tensor]) -> None:
    """Models are stacked along one leading dimension, or along two."""
    draws = [
        MODELS[model].initialise(FEATURES, HIDDEN[model], torch.Generator().manual_seed(i)) for i in range(6)
    ]

    def fit(coefficients: dict[str, Tensor], precision: torch.dtype) -> tuple[Tensor, Tensor]:
        coefficients = {name: tensor.to(precision, copy=True) for name, tensor in coefficients.items()}
        features, targets = (tensor.to(precision) for tensor in data)
        predict = MODELS[model].predict
        losses = torch.stack(
            [*train(predict, coefficients, features, targets, LEARNING_RATES[model], EPOCHS)]
        )
        return losses, predict(coefficients, features).detach()

    alone = [fit(draw, torch.float64) for draw in draws]
    stacked = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    losses, predictions = fit(stacked, torch.float64)
    assert losses.shape == (EPOCHS, 6)
    torch.testing.assert_close(losses, torch.stack([losses for losses, _ in alone], dim=1))
    torch.testing.assert_close(predictions, torch.stack([predictions for _, predictions in alone]))
    squared = {name: tensor.view(2, 3, *tensor.shape[1:]) for name, tensor in stacked.items()}
    torch.testing.assert_close(fit(squared, torch.float64)[1], predictions.view(2, 3, -1))


# --- What practice adds to the initialisation


@pytest.mark.parametrize("model", MODELS)
def test_he_draws_weights_by_the_number_of_inputs_and_constants_from_0(model: str) -> None:
    generator = torch.Generator().manual_seed(1)
    hidden = [] if not HIDDEN[model] else [300] * len(HIDDEN[model])
    drawn = initialise(MODELS[model], 400, hidden, generator, initialisation="he")
    article = MODELS[model].initialise(400, hidden, torch.Generator().manual_seed(1))
    assert {name: tensor.shape for name, tensor in drawn.items()} == {
        name: tensor.shape for name, tensor in article.items()
    }
    for name, tensor in drawn.items():
        if name.startswith("constant"):
            assert tensor.item() == 0
            continue
        expected = (2 / (400 if name in ("weights", "layer1") else 300)) ** 0.5
        assert tensor.std().item() == pytest.approx(expected, rel=0.1), name
        assert tensor.mean().item() == pytest.approx(0, abs=0.01), name


@pytest.mark.parametrize("model", MODELS)
def test_unit_biases_make_the_models_of_torch_nn(model: str, data: tuple[Tensor, Tensor]) -> None:
    independent, dependent = data
    generator = torch.Generator().manual_seed(442)
    drawn = initialise(MODELS[model], FEATURES, HIDDEN[model], generator, "he", "unit")
    coefficients = {name: value.double() for name, value in drawn.items()}
    sizes = [FEATURES, *HIDDEN[model], 1]
    layers: list[nn.Module] = []
    for i, (inputs, outputs) in enumerate(pairwise(sizes), start=1):
        layer = nn.Linear(inputs, outputs, dtype=torch.float64)
        weights, bias = ("weights", "bias") if len(sizes) == 2 else (f"layer{i}", f"bias{i}")
        layer.weight.data = coefficients[weights].reshape(inputs, outputs).T.clone()
        assert coefficients[bias].eq(0).all()
        layer.bias.data = coefficients[bias].clone()
        layers += [layer, nn.ReLU()]
    layers[-1] = nn.Sigmoid() if model != "linear" else nn.Identity()
    theirs = nn.Sequential(*layers)

    losses = [*train(MODELS[model].predict, coefficients, independent, dependent, 0.1, EPOCHS)]
    optimiser = torch.optim.SGD(theirs.parameters(), lr=0.1)
    for expected in losses:
        loss = nn.functional.l1_loss(theirs(independent).squeeze(1), dependent)
        assert expected.item() == pytest.approx(loss.item(), rel=1e-12)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert losses[-1] < losses[0]
    assert len(coefficients) == 2 * (len(sizes) - 1)
    biases = [value for name, value in coefficients.items() if name.startswith("bias")]
    assert not any(bias.eq(0).all() for bias in biases), "each bias is trained"
