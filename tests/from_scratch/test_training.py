from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, get_args

import pytest
import torch
from torch import Tensor, nn

from from_scratch import training
from from_scratch.models import MODELS, Coefficients
from from_scratch.schema.parameters import Variant
from from_scratch.training import (
    LOSSES,
    OPTIMISERS,
    Optimiser,
    cross_entropy,
    dropout,
    gradient_step,
    mean_absolute_error,
    mean_squared_error,
    train,
)


def test_mean_absolute_error() -> None:
    loss = mean_absolute_error(torch.tensor([0.25, 0.5, 2.5]), torch.tensor([0.0, 1.0, 1.0]))
    assert loss.item() == (0.25 + 0.5 + 1.5) / 3


def test_gradient_step_goes_downhill_and_zeroes_the_gradients() -> None:
    coefficients = {
        "a": torch.tensor([1.0, 2.0], requires_grad=True),
        "b": torch.tensor(3.0, requires_grad=True),
    }
    loss = (coefficients["a"] ** 2).sum() + 5 * coefficients["b"]
    loss.backward()  # type: ignore[no-untyped-call]
    gradient_step(coefficients, learning_rate=0.5)
    assert coefficients["a"].tolist() == [0.0, 0.0]
    assert coefficients["b"].item() == 0.5
    assert all(value.grad is not None and value.grad.eq(0).all() for value in coefficients.values())


def test_threads_give_the_same_bits() -> None:
    independent = torch.rand(400, 12, generator=torch.Generator().manual_seed(1))
    dependent = (independent[:, 0] > 0.5).float()

    deep = MODELS["deep"]

    def fit(_: int) -> list[float]:
        torch.set_num_threads(1)
        coefficients = deep.initialise(12, [10, 10], torch.Generator().manual_seed(442))
        return [loss.item() for loss in train(deep.predict, coefficients, independent, dependent, 1.0, 40)]

    with ThreadPoolExecutor(8) as threads:
        trainings = list(threads.map(fit, range(16)))
    assert all(training == trainings[0] for training in trainings)


def test_the_parameters_know_every_loss_and_optimiser() -> None:
    fields = Variant.model_fields
    assert set(get_args(fields["loss"].annotation)) == {*LOSSES}
    assert set(get_args(fields["optimiser"].annotation)) == {*OPTIMISERS}


def test_losses_are_those_of_torch() -> None:
    generator = torch.Generator().manual_seed(3)
    values = 8 * torch.randn(5, 40, generator=generator, dtype=torch.float64)
    targets = torch.rand(40, generator=generator, dtype=torch.float64).round()
    functional: Any = nn.functional
    for ours, theirs in (
        (mean_absolute_error, functional.l1_loss),
        (mean_squared_error, functional.mse_loss),
        (cross_entropy, functional.binary_cross_entropy_with_logits),
    ):
        expected = torch.stack([theirs(row, targets) for row in values])
        torch.testing.assert_close(ours(values, targets), expected)


def test_cross_entropy_stays_finite_where_the_sigmoid_rounds_to_0_or_1() -> None:
    values = torch.tensor([-1000.0, 1000.0], requires_grad=True)
    loss = cross_entropy(values, torch.tensor([1.0, 0.0]))
    loss.backward()  # type: ignore[no-untyped-call]
    assert loss.item() == 1000.0
    assert values.grad is not None
    assert values.grad.tolist() == [-0.5, 0.5]


# --- Optimisers, against torch.optim


def sgd(parameters: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.05)


def sgd_with_momentum(parameters: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.SGD(parameters, lr=0.05, momentum=0.9)


def adam_w(parameters: list[dict[str, Any]]) -> torch.optim.Optimizer:
    return torch.optim.AdamW(parameters, lr=0.05)


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize(
    ("optimiser", "referee"),
    [("gradient_descent", sgd), ("momentum", sgd_with_momentum), ("adam", adam_w)],
)
def test_optimisers_are_those_of_torch(optimiser: str, referee: Any, weight_decay: float) -> None:
    """Only weights decay. With momentum, the referee decays by hand: torch adds decay to the gradient."""
    generator = torch.Generator().manual_seed(5)
    start = {
        "weights": torch.randn(6, generator=generator, dtype=torch.float64),
        "bias": torch.randn(1, generator=generator, dtype=torch.float64),
    }
    ours = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    theirs = {name: tensor.clone().requires_grad_() for name, tensor in start.items()}
    of_torch = weight_decay if optimiser != "momentum" else 0.0
    groups = [
        {"params": [theirs["weights"]], "weight_decay": of_torch},
        {"params": [theirs["bias"]], "weight_decay": 0.0},
    ]
    steps, states = referee(groups), {name: {} for name in start}  # type: ignore[var-annotated]

    def loss(coefficients: Coefficients) -> Tensor:
        return (torch.log1p(coefficients["weights"] ** 4).sum() + coefficients["bias"] ** 2).sum()

    for _ in range(50):
        steps.zero_grad()
        loss(theirs).backward()  # type: ignore[no-untyped-call]
        if optimiser == "momentum":
            with torch.no_grad():
                theirs["weights"].mul_(1 - 0.05 * weight_decay)
        steps.step()
        loss(ours).backward()  # type: ignore[no-untyped-call]
        gradient_step(ours, 0.05, OPTIMISERS[optimiser], states, weight_decay)
    for name in start:
        torch.testing.assert_close(ours[name], theirs[name])
        assert not torch.allclose(ours[name], start[name])


# --- Batches, chunks and dropout


def predict_sum(coefficients: Coefficients, x: Tensor) -> Tensor:
    return (x * coefficients["weights"][..., None, :]).sum(dim=-1)


@pytest.mark.parametrize("optimiser", OPTIMISERS.values())
def test_batches_are_reshuffled_in_each_epoch_from_the_generator(optimiser: Optimiser) -> None:
    rows = torch.rand(10, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    targets = (rows[:, 0] > 0.5).double()
    seen: list[list[float]] = []

    def watch(coefficients: Coefficients, x: Tensor) -> Tensor:
        seen.append(x[:, 0].tolist())
        return predict_sum(coefficients, x)

    def fit(seed: int) -> tuple[Tensor, list[float]]:
        coefficients = {"weights": torch.ones(3, dtype=torch.float64)}
        generator = torch.Generator().manual_seed(seed)
        losses = train(
            watch,
            coefficients,
            rows,
            targets,
            0.1,
            3,
            optimiser=optimiser,
            batch_size=4,
            generators=generator,
        )
        return coefficients["weights"].detach(), [loss.item() for loss in losses]

    first, losses = fit(1)
    assert [len(batch) for batch in seen] == [4, 4, 2] * 3
    epochs = [[*chain(*seen[i : i + 3])] for i in (0, 3, 6)]
    assert all(sorted(epoch) == sorted(rows[:, 0].tolist()) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]
    assert losses[-1] < losses[0]
    again, same = fit(1)
    other, _ = fit(2)
    assert again.equal(first)
    assert same == losses
    assert not other.equal(first)


def test_an_epochs_loss_is_the_mean_over_all_rows() -> None:
    rows, targets = torch.tensor([[1.0], [2.0], [6.0]]), torch.zeros(3)
    coefficients = {"weights": torch.ones(1)}
    generator = torch.Generator().manual_seed(0)
    (loss,) = train(predict_sum, coefficients, rows, targets, 0.0, 1, batch_size=2, generators=generator)
    assert loss.item() == pytest.approx(3.0)


def test_many_rows_are_summed_over_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.rand(1000, 5, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    targets = (rows[:, 0] > 0.5).double()
    sizes = []

    def watch(coefficients: Coefficients, x: Tensor) -> Tensor:
        sizes.append(len(x))
        return predict_sum(coefficients, x)

    def fit() -> tuple[Tensor, Tensor]:
        coefficients = {"weights": torch.ones(5, dtype=torch.float64)}
        losses = torch.stack([*train(watch, coefficients, rows, targets, 0.1, 4)])
        return losses, coefficients["weights"].detach()

    at_once = fit()
    assert sizes == [1000] * 4
    sizes.clear()
    monkeypatch.setattr(training, "MAX_UNSPLIT_ROWS", 999)
    monkeypatch.setattr(training, "CHUNK_SIZE", 300)
    in_chunks = fit()
    assert sizes == [300, 300, 300, 100] * 4
    torch.testing.assert_close(in_chunks, at_once)


def test_dropout_keeps_the_mean() -> None:
    x = torch.rand(2000, 10, generator=torch.Generator().manual_seed(1)) + 1
    dropped = dropout(x, 0.25, torch.Generator().manual_seed(2))
    assert (dropped == 0).double().mean().item() == pytest.approx(0.25, abs=0.02)
    assert dropped.mean().item() == pytest.approx(x.mean().item(), rel=0.02)
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], (x / 0.75)[kept])
    of_many = dropout(torch.stack([x, x]), 0.25, [torch.Generator().manual_seed(seed) for seed in (2, 3)])
    assert of_many[0].equal(dropped)
    assert not of_many[1].equal(dropped)
