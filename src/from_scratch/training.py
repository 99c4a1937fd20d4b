"""How every model learns: the loss, a step downhill, many steps (sections 6.1 and 6.2)."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from from_scratch.models import Coefficients


def mean_absolute_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """The loss: how far, on average, predictions [..., rows] are from targets [rows], which are 0 or 1."""
    return (predictions - targets).abs().mean(dim=-1)  # [] or [models]


def gradient_step(coefficients: Coefficients, loss: Tensor, learning_rate: float) -> None:
    """Move every coefficient a little downhill, in place.

    A coefficient's gradient says how fast the loss grows with it, so a step against it lessens the loss. Each
    model's loss depends on its own coefficients alone: so the gradients of the sum of many are those of each.
    """
    loss.sum().backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for coefficient in coefficients.values():
            assert coefficient.grad is not None
            coefficient.sub_(coefficient.grad * learning_rate)
            coefficient.grad.zero_()  # or the next backward() would add to it


def train(
    predict: Callable[[Coefficients, Tensor], Tensor],
    coefficients: Coefficients,
    features: Tensor,  # [rows, features]
    targets: Tensor,  # [rows]
    learning_rate: float,
    epochs: int,
) -> Iterator[Tensor]:
    """Gradient descent: one step in each epoch, which looks at all rows. Yields the loss before each step."""
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    for _ in range(epochs):
        loss = mean_absolute_error(predict(coefficients, features), targets)
        gradient_step(coefficients, loss, learning_rate)
        yield loss.detach()
