from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import torch

from from_scratch.models import MODELS
from from_scratch.training import gradient_step, mean_absolute_error, train


def test_mean_absolute_error() -> None:
    loss = mean_absolute_error(torch.tensor([0.25, 0.5, 2.5]), torch.tensor([0.0, 1.0, 1.0]))
    assert loss.item() == (0.25 + 0.5 + 1.5) / 3


def test_gradient_step_goes_downhill_and_zeroes_the_gradients() -> None:
    coefficients = {
        "a": torch.tensor([1.0, 2.0], requires_grad=True),
        "b": torch.tensor(3.0, requires_grad=True),
    }
    gradient_step(coefficients, (coefficients["a"] ** 2).sum() + 5 * coefficients["b"], learning_rate=0.5)
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
