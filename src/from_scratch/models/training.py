"""How every model learns (sections 6.1 and 6.2): the loss, a step downhill, many steps."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

Predict = Callable[[dict[str, Tensor], Tensor], Tensor]
"""(coefficients, independent [rows, features]) -> predictions [rows]."""


def mean_absolute_error(predictions: Tensor, dependent: Tensor) -> Tensor:
    """How far, on average, the predictions are from the truth.

    Args:
        predictions: One for each row [rows], or of many models [models, rows].
        dependent: The truth, 0 or 1 [rows].

    Returns:
        The loss [], or each model's [models], 0 at best.
    """
    return torch.abs(predictions - dependent).mean(dim=-1)


def gradient_step(coefficients: dict[str, Tensor], loss: Tensor, learning_rate: float) -> None:
    """Move every coefficient a little downhill, in place.

    A coefficient's gradient says how fast the loss grows with it, so a step against it lessens the loss.
    Afterwards the gradients are set to zero, because autograd adds to what it finds there.

    Args:
        coefficients: Tensors that require gradients, from which `loss` was computed.
        loss: What to lessen [].
        learning_rate: The size of the step: it multiplies the gradient.
    """
    loss.backward()  # type: ignore[no-untyped-call]
    with torch.no_grad():
        for coefficient in coefficients.values():
            assert coefficient.grad is not None
            coefficient.sub_(coefficient.grad * learning_rate)
            coefficient.grad.zero_()


def train(
    predict: Predict,
    coefficients: dict[str, Tensor],
    independent: Tensor,
    dependent: Tensor,
    learning_rate: float,
    epochs: int,
) -> Iterator[float]:
    """Fit the coefficients, in place, one epoch at each turn of the iterator.

    An epoch is one step that looks at all rows.

    Args:
        predict: The model.
        coefficients: Where to start; where training ends.
        independent: The features [rows, features].
        dependent: The truth, 0 or 1 [rows].
        learning_rate: The size of a step.
        epochs: How many steps.

    Yields:
        Each epoch's loss, before its step.
    """
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    for _ in range(epochs):
        loss = mean_absolute_error(predict(coefficients, independent), dependent)
        gradient_step(coefficients, loss, learning_rate)
        yield loss.item()
