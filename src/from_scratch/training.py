"""How every model learns: a loss, a gradient step, a loop (sections 6.1 and 6.2); then what practice adds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from from_scratch.models import Coefficients

MAX_UNSPLIT_ROWS = 2**16
"""Maximum number of rows that pass through a model at once; more rows are split into chunks."""
CHUNK_SIZE = 2**14
"""Rows in a chunk: few enough for the CPU cache, and fixed, since a sum's last bits depend on the chunks."""


# --- The loss, beginning with the article's


def mean_absolute_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Average the distances between predictions [..., rows] and targets [rows], which are 0 or 1."""
    return (predictions - targets).abs().mean(dim=-1)  # [] or [models]


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """Average the squared distances, so that large errors weigh more."""
    return ((predictions - targets) ** 2).mean(dim=-1)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Average -ln p, where p is the probability that σ(logits) gives to each target.

    Unlike the other two, it keeps its gradient where the sigmoid is flat. It takes logits, the values before
    the sigmoid: if σ(z) rounds to 0, ln σ(z) is infinite, but the equal -max(-z, 0) - ln(1 + e^-|z|) is not.
    """
    return (torch.relu(logits) - logits * targets + torch.log1p(torch.exp(-logits.abs()))).mean(dim=-1)


LOSSES = {
    "absolute_error": mean_absolute_error,
    "squared_error": mean_squared_error,
    "cross_entropy": cross_entropy,
}

# --- The step: along the gradient, or in the direction that an optimiser makes of it

State = dict[str, Any]
"""What an optimiser remembers between steps, for one tensor of coefficients."""


def gradient_descent(gradient: Tensor, state: State) -> Tensor:
    """Follow the gradient itself, as the article does."""
    return gradient


def momentum(gradient: Tensor, state: State) -> Tensor:
    """Keep moving: what successive gradients have in common adds up, and the rest cancels out."""
    velocity: Tensor = 0.9 * state.get("velocity", 0) + gradient
    state["velocity"] = velocity
    return velocity


def adam(gradient: Tensor, state: State) -> Tensor:
    """Divide the gradient's running mean by its typical size (D. P. Kingma and J. Ba, 2014).

    Each coefficient then moves by about the learning rate, however small its gradient is.
    """
    state["steps"] = state.get("steps", 0) + 1
    state["mean"] = 0.9 * state.get("mean", 0) + 0.1 * gradient
    state["square"] = 0.999 * state.get("square", 0) + 0.001 * gradient**2
    # Both running means start at 0, so they are too small at first; the division corrects that.
    mean = state["mean"] / (1 - 0.9 ** state["steps"])
    square = state["square"] / (1 - 0.999 ** state["steps"])
    direction: Tensor = mean / (square.sqrt() + 1e-8)
    return direction


OPTIMISERS = {"gradient_descent": gradient_descent, "momentum": momentum, "adam": adam}
Optimiser = Callable[[Tensor, State], Tensor]


def gradient_step(
    coefficients: Coefficients,
    learning_rate: float,
    optimiser: Optimiser = gradient_descent,
    states: dict[str, State] | None = None,
    weight_decay: float = 0.0,
) -> None:
    """Move every coefficient a little downhill, in place, after `loss.backward()`.

    `backward()` leaves each coefficient's gradient in its `grad`: how fast the loss grows with it. So a step
    against the gradient reduces the loss. Weight decay also shrinks the weights, but not the constants, by
    `learning_rate * weight_decay` of their size in each step.
    """
    with torch.no_grad():
        for name, coefficient in coefficients.items():
            assert coefficient.grad is not None
            if weight_decay and not name.startswith(("bias", "constant")):
                coefficient.mul_(1 - learning_rate * weight_decay)
            direction = optimiser(coefficient.grad, {} if states is None else states[name])
            coefficient.sub_(direction * learning_rate)
            coefficient.grad.zero_()  # otherwise the next backward() would add to it


# --- The loop: many steps

Generators = Generator | Sequence[Generator]
"""The random generator of one model, or a generator for each of many models."""


def train(
    predict: Callable[[Coefficients, Tensor], Tensor],
    coefficients: Coefficients,
    features: Tensor,  # [rows, features]
    targets: Tensor,  # [rows]
    learning_rate: float,
    epochs: int,
    loss: Callable[[Tensor, Tensor], Tensor] = mean_absolute_error,
    optimiser: Optimiser = gradient_descent,
    weight_decay: float = 0.0,
    batch_size: int | None = None,
    generators: Generators | None = None,
) -> Iterator[Tensor]:
    """Take one step per epoch, on all rows; or, with a batch size, one step per batch.

    The coefficients change in place. `generators` shuffle the rows into new batches in each epoch. If the
    loss is `cross_entropy`, `predict` must return logits.

    Yields:
        The loss of each epoch, [] or [models]: the mean over all rows, each taken before its batch's step.
    """
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    states: dict[str, State] = {name: {} for name in coefficients}
    for _ in range(epochs):
        epoch_loss = torch.zeros((), dtype=targets.dtype)
        for batch in _split_into_batches(features, targets, batch_size, generators):
            rows = batch[1].shape[-1]
            for x, y in _split_into_chunks(*batch):
                # Gradients add up over a batch's chunks; with many models, each keeps its own gradient.
                chunk_loss = loss(predict(coefficients, x), y) * (y.shape[-1] / rows)
                chunk_loss.sum().backward()  # type: ignore[no-untyped-call]
                epoch_loss = epoch_loss + chunk_loss.detach() * (rows / len(targets))
            gradient_step(coefficients, learning_rate, optimiser, states, weight_decay)
        yield epoch_loss


def _split_into_batches(
    features: Tensor, targets: Tensor, size: int | None, generators: Generators | None
) -> Iterator[tuple[Tensor, Tensor]]:
    if size is None or generators is None:
        yield features, targets
        return
    order = draw(partial(torch.randperm, len(targets)), generators)  # [rows] or [models, rows]
    for rows in torch.split(order, size, dim=-1):
        yield features[rows], targets[rows]


def _split_into_chunks(features: Tensor, targets: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Split the rows of a large batch, so that intermediate results stay in the CPU cache."""
    if targets.shape[-1] <= MAX_UNSPLIT_ROWS:
        return [(features, targets)]
    return zip(
        torch.split(features, CHUNK_SIZE, dim=-2), torch.split(targets, CHUNK_SIZE, dim=-1), strict=True
    )


def dropout(x: Tensor, share: float, generators: Generators) -> Tensor:
    """Set a random share of x [..., rows, units] to 0, and scale up the rest so that the expected sums stay.

    No unit can then rely on another (N. Srivastava and others, 2014).
    """
    kept = draw(partial(torch.rand, x.shape[-2:]), generators) >= share
    return x * kept / (1 - share)


def draw(function: Callable[..., Tensor], generators: Generators) -> Tensor:
    """Draw with one generator; or with one for each model, and stack the results."""
    if isinstance(generators, Generator):
        return function(generator=generators)
    return torch.stack([function(generator=generator) for generator in generators])
