"""How every model learns: the loss, a step, many steps (sections 6.1 and 6.2); and what practice adds."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor

from from_scratch.models import Coefficients

LARGE = 2**16
"""Up to so many rows go through a model all at once; more go through it in chunks."""
CHUNK = 2**14
"""How many rows a chunk has: few enough for a processor's cache, and fixed, as the last bits depend on it."""


# --- The loss: the article's first


def mean_absolute_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """The loss: how far, on average, predictions [..., rows] are from targets [rows], which are 0 or 1."""
    return (predictions - targets).abs().mean(dim=-1)  # [] or [models]


def mean_squared_error(predictions: Tensor, targets: Tensor) -> Tensor:
    """The same, with each distance squared: large ones weigh more."""
    return ((predictions - targets) ** 2).mean(dim=-1)


def cross_entropy(values: Tensor, targets: Tensor) -> Tensor:
    """How surprising the targets are: the mean of -ln p, where p is the probability they have by σ(values).

    Its gradient does not fade where the sigmoid is flat. It takes the values before the sigmoid: where that
    rounds to 0, its logarithm would be infinite, but -ln σ(z) = max(-z, 0) + ln(1 + e^-|z|) is not.
    """
    return (torch.relu(values) - values * targets + torch.log1p(torch.exp(-values.abs()))).mean(dim=-1)


LOSSES = {
    "absolute_error": mean_absolute_error,
    "squared_error": mean_squared_error,
    "cross_entropy": cross_entropy,
}

# --- The step: along the gradient, or along what an optimiser makes of it

Memory = dict[str, Any]
"""What an optimiser remembers of one coefficient's gradients."""


def gradient_descent(gradient: Tensor, memory: Memory) -> Tensor:
    """Go along the gradient: the article's."""
    return gradient


def momentum(gradient: Tensor, memory: Memory) -> Tensor:
    """Keep going: what successive gradients have in common adds up, and the rest cancels out."""
    velocity: Tensor = 0.9 * memory.get("velocity", 0) + gradient
    memory["velocity"] = velocity
    return velocity


def adam(gradient: Tensor, memory: Memory) -> Tensor:
    """Divide the gradient's running mean by its usual size (D. P. Kingma and J. Ba, 2014).

    So each coefficient moves by about the learning rate, however small its gradient is.
    """
    memory["steps"] = memory.get("steps", 0) + 1
    memory["mean"] = 0.9 * memory.get("mean", 0) + 0.1 * gradient
    memory["square"] = 0.999 * memory.get("square", 0) + 0.001 * gradient**2
    # Both means start from 0: the division makes up for that.
    mean = memory["mean"] / (1 - 0.9 ** memory["steps"])
    square = memory["square"] / (1 - 0.999 ** memory["steps"])
    direction: Tensor = mean / (square.sqrt() + 1e-8)
    return direction


OPTIMISERS = {"gradient_descent": gradient_descent, "momentum": momentum, "adam": adam}
Optimiser = Callable[[Tensor, Memory], Tensor]


def gradient_step(
    coefficients: Coefficients,
    learning_rate: float,
    optimiser: Optimiser = gradient_descent,
    memory: dict[str, Memory] | None = None,
    weight_decay: float = 0.0,
) -> None:
    """Move every coefficient a little downhill, in place, after `loss.backward()`.

    That has left each coefficient's gradient in its `grad`: how fast the loss grows with it. So a step
    against it lessens the loss. With weight decay, each step also makes the weights smaller, by
    `learning_rate * weight_decay` of their size, but no constant.
    """
    with torch.no_grad():
        for name, coefficient in coefficients.items():
            assert coefficient.grad is not None
            if weight_decay and not name.startswith(("bias", "constant")):
                coefficient.mul_(1 - learning_rate * weight_decay)
            direction = optimiser(coefficient.grad, {} if memory is None else memory[name])
            coefficient.sub_(direction * learning_rate)
            coefficient.grad.zero_()  # or the next backward() would add to it


# --- Many steps

Generators = Generator | Sequence[Generator]
"""The source of random numbers of one model, or one for each of many."""


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
    """Take many steps: in each epoch one that looks at all rows or, with batches, one for each batch.

    `loss` is that of what `predict` returns: for `cross_entropy`, of the values before the sigmoid. A batch
    has `batch_size` rows, which `generators` shuffle anew in each epoch.

    Yields:
        The loss of each epoch, [] or [models]: the mean over all rows, each seen before its batch's step.
    """
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    memory: dict[str, Memory] = {name: {} for name in coefficients}
    for _ in range(epochs):
        epoch_loss = torch.zeros((), dtype=targets.dtype)
        for batch in _split_into_batches(features, targets, batch_size, generators):
            rows = batch[1].shape[-1]
            for x, y in _split_if_large(*batch):
                # Gradients add up until the step; each model's are its own, though the sum is of all models.
                mean = loss(predict(coefficients, x), y) * (y.shape[-1] / rows)
                mean.sum().backward()  # type: ignore[no-untyped-call]
                epoch_loss = epoch_loss + mean.detach() * (rows / len(targets))
            gradient_step(coefficients, learning_rate, optimiser, memory, weight_decay)
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


def _split_if_large(features: Tensor, targets: Tensor) -> Iterable[tuple[Tensor, Tensor]]:
    """Split rows so that what is computed from them stays in the processor's cache."""
    if targets.shape[-1] <= LARGE:
        return [(features, targets)]
    return zip(torch.split(features, CHUNK, dim=-2), torch.split(targets, CHUNK, dim=-1), strict=True)


def drop_out(x: Tensor, share: float, generators: Generators) -> Tensor:
    """Put 0 for a random share of x [..., rows, units], and enlarge the rest so that sums stay as large.

    No unit can rely on another one then (N. Srivastava and others, 2014).
    """
    kept = draw(partial(torch.rand, x.shape[-2:]), generators) >= share
    return x * kept / (1 - share)


def draw(function: Callable[..., Tensor], generators: Generators) -> Tensor:
    """Draw from one source, or from one for each model, side by side."""
    if isinstance(generators, Generator):
        return function(generator=generators)
    return torch.stack([function(generator=generator) for generator in generators])
