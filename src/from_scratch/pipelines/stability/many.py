"""Many models of one kind, trained at once: one program over all their coefficients.

Small models keep a processor waiting, not computing: most of the time goes into calling one small operation
after the other. With models as the leading dimension, each call serves all of them. A model's own `predict`
can do that; `forward` is twice as quick, since its weights are transposed: with rows last, every operation
runs along memory. No more models train at once than fit into a processor's cache: all in one go would be
slower than a few at a time.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from from_scratch.models import Coefficients
from from_scratch.pipelines.training.variants import list_layers

MAX_ACTIVATIONS = 2**17
"""How many values the widest layer of all models that train at once may have: a megabyte in float64."""

Predict = Callable[..., Tensor]
"""As `predict` of a model, with its further arguments."""


def choose_batch(hidden: Sequence[int], rows: int) -> int:
    """Choose how many models train at once, each on so many rows in a step.

    Returns:
        A number that depends on the hidden layers and the number of rows alone, since the last bits of the
        results may depend on it.
    """
    return max(1, MAX_ACTIVATIONS // (max(hidden, default=1) * rows))


def stack(
    predict: Predict, draws: Sequence[Coefficients], sample: Tensor, use_forward: bool = True
) -> tuple[Predict, Coefficients]:
    """Put models of one kind side by side.

    Args:
        predict: How each of them predicts.
        draws: The coefficients of each, all of the same shapes.
        sample: Some rows [rows, features], of the coefficients' type.
        use_forward: Whether `forward` may predict, which has no argument `hidden`.

    Returns:
        How all of them predict at once, and their coefficients, as copies with models as the leading
        dimension. That is `forward`, and its transposed weights, if it predicts for the sample what `predict`
        does; else `predict` itself, which is slower.
    """
    stacked = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    transposed = _transpose(stacked) if use_forward else None
    if transposed:
        for fast in (partial(forward, output=torch.sigmoid), partial(forward, output=torch.clone)):
            if torch.allclose(fast(transposed, sample), predict(stacked, sample), atol=1e-6):
                return fast, transposed
    return predict, stacked


def forward(coefficients: Coefficients, x: Tensor, output: Callable[[Tensor], Tensor]) -> Tensor:
    """Send rows through every layer of every model, with a rectifier between two layers.

    Args:
        coefficients: The weights [models, units, inputs], which are `weights`, or `layer1`, `layer2`, …; and
            the constants of these: `bias`, `bias1`, … [models, units], `constant1`, … [models], or
            `constant`, of the last.
        x: The features [rows, features], quickest if their transpose is contiguous; or those of each model
            [models, rows, features].
        output: What becomes of the last layer.

    Returns:
        The predictions [models, rows].
    """
    (first, constant), *others = list_layers(coefficients)
    models, units, features = coefficients[first].shape
    rows = x.shape[-2]
    if x.dim() == 3:
        activations = _apply(coefficients, first, constant, x.mT)
    else:  # all models see the same rows, so their first layers are one matrix
        weights = coefficients[first].view(models * units, features)
        if constant is None:
            activations = weights @ x.T
        else:
            constants = _of_each_unit(coefficients[constant]).expand(models, units, 1).reshape(-1, 1)
            activations = torch.addmm(constants, weights, x.T)
    for name, constant in others:
        # In place, as nothing else needs what is replaced; and not on a view, whose gradient would be slow.
        activations = torch.relu_(activations).view(models, -1, rows)
        activations = _apply(coefficients, name, constant, activations)
    return output(activations.view(models, rows))


def _apply(coefficients: Coefficients, weights: str, constant: str | None, x: Tensor) -> Tensor:
    """Compute the sums of a layer [models, units, rows] from x [models, inputs, rows]."""
    if constant is None:
        return torch.bmm(coefficients[weights], x)
    return torch.baddbmm(_of_each_unit(coefficients[constant]), coefficients[weights], x)


def _of_each_unit(constants: Tensor) -> Tensor:
    """Give the constants of a layer the shape [models, units, 1], or [models, 1, 1] of one for all units."""
    return constants[:, :, None] if constants.dim() == 2 else constants[:, None, None]


def _transpose(stacked: Coefficients) -> Coefficients | None:
    """The same coefficients as `forward` takes them; None if it has no place for some of them."""
    layers = list_layers(stacked)
    if {name for layer in layers for name in layer if name} != {*stacked}:
        return None
    transposed = dict(stacked)
    for name, _ in layers:
        weights = stacked[name]
        transposed[name] = weights.unsqueeze(1) if weights.dim() == 2 else weights.mT.contiguous()
    # Of the first, features are the leading dimension in memory: its gradient is computed twice as quickly.
    first, _ = layers[0]
    transposed[first] = transposed[first].permute(2, 0, 1).contiguous().permute(1, 2, 0)
    return transposed
