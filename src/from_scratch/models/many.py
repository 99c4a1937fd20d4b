"""Many models of one kind, trained at once: one program over all their coefficients.

Small models keep a processor waiting, not computing: most of the time goes into calling one small operation
after the other. With models as the leading dimension, each call serves all of them. Weights are transposed,
so that rows come last: then every operation runs along memory. No more models train at once than fit into a
processor's cache: all in one go would be slower than a few at a time.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from from_scratch.models import Model, gradient_step, mean_absolute_error
from from_scratch.models.layers import Layers
from from_scratch.models.training import Predict

VALUES = 2**17
"""How many values the widest layer of all models that train at once may have: a megabyte in float64."""
KEPT = 24 * 2**20
"""How many bytes the C library is to keep for the next epoch."""


def choose_batch(hidden: Sequence[int], rows: int) -> int:
    """Choose how many models train at once.

    Args:
        hidden: The sizes of a model's hidden layers.
        rows: How many rows train.

    Returns:
        A number that depends on nothing else, since the last bits of what comes out may depend on it.
    """
    return max(1, VALUES // (max(hidden, default=1) * rows))


def stack(model: Model, coefficients: Sequence[dict[str, Tensor]]) -> tuple[Predict, dict[str, Tensor]]:
    """Put models of one kind side by side.

    Args:
        model: The kind.
        coefficients: Those of each model, all of the same shapes.

    Returns:
        How all of them predict at once, and their coefficients, as copies with models as the leading
        dimension. If the model says which of them are layers, their weights are transposed [models, outputs,
        inputs]; if not, it is left to `torch.vmap`, which is slower.
    """
    stacked = {name: torch.stack([one[name] for one in coefficients]) for name in coefficients[0]}
    if model.layers is None:
        return torch.vmap(model.predict, in_dims=(0, None)), stacked
    layers = model.layers(coefficients[0])
    for name, _ in layers.names:
        weights = stacked[name]
        stacked[name] = weights.unsqueeze(1) if weights.dim() == 2 else weights.mT.contiguous()
    # Of the first, features are the leading dimension in memory: its gradient is computed twice as quickly.
    first, _ = layers.names[0]
    stacked[first] = stacked[first].permute(2, 0, 1).contiguous().permute(1, 2, 0)

    def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
        return send_through(layers, coefficients, independent)

    return predict, stacked


def send_through(layers: Layers, coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Send the features through every layer of every model.

    Args:
        layers: Which coefficients are layers.
        coefficients: Their weights [models, outputs, inputs] and constants [models].
        independent: The features [rows, features]; quickest if their transpose is contiguous.

    Returns:
        Predictions [models, rows].
    """
    (first, constant), *others = layers.names
    models, outputs, features = coefficients[first].shape
    # All models see the same rows, so their first layers are one matrix.
    weights = coefficients[first].view(models * outputs, features)
    if constant is None:
        activations = weights @ independent.T
    else:
        activations = torch.addmm(
            coefficients[constant].repeat_interleave(outputs)[:, None], weights, independent.T
        )
    for name, constant in others:
        # In place, as nothing else needs what is replaced; and not on a view, whose gradient would be slow.
        activations = torch.relu_(activations).view(models, -1, len(independent))
        weights = coefficients[name]
        if constant is None:
            activations = torch.bmm(weights, activations)
        else:
            activations = torch.baddbmm(coefficients[constant][:, None, None], weights, activations)
    activations = activations.view(models, len(independent))
    return torch.sigmoid(activations) if layers.sigmoid else activations


def train_many(
    predict: Predict,
    coefficients: dict[str, Tensor],
    independent: Tensor,
    dependent: Tensor,
    learning_rate: float,
    epochs: int,
) -> Iterator[Tensor]:
    """Fit the coefficients of many models, in place, one epoch at each turn of the iterator.

    Each model's loss hangs on its own coefficients alone, so the gradients of the sum are each one's own.

    Args:
        predict: The models, as `stack` returns them.
        coefficients: Where to start, with models as the leading dimension; where training ends.
        independent: The features [rows, features].
        dependent: The truth, 0 or 1 [rows].
        learning_rate: The size of a step.
        epochs: How many steps.

    Yields:
        The losses of an epoch, before its step [models].
    """
    for coefficient in coefficients.values():
        coefficient.requires_grad_()
    # Linux's C library would give memory back after each epoch and fetch it again, for a quarter of the time.
    # It keeps twice the largest piece that was ever freed: so one is, which costs nothing as nobody fills it.
    torch.empty(KEPT, dtype=torch.uint8)
    for _ in range(epochs):
        losses = mean_absolute_error(predict(coefficients, independent), dependent)
        gradient_step(coefficients, losses.sum(), learning_rate)
        yield losses.detach()
