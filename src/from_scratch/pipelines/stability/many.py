"""Many models of one kind, trained at once with batched operations.

With small models, most of the time is spent on calling small operations. With models as the leading dimension
of every tensor, each call serves all of them. A model's own `predict` can do that. `forward` is twice as
fast, since its weights are transposed: rows are the last dimension, so every operation reads contiguous
memory. Models train in batches that fit into the processor's cache; all models in one batch would be slower.
"""

from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor

from from_scratch.models import Coefficients
from from_scratch.pipelines.training.variants import list_layers

MAX_ACTIVATIONS = 2**17
"""Maximum number of values in the widest layer of a batch of models: a megabyte in float64."""

Predict = Callable[..., Tensor]
"""The `predict` of a model, with its optional arguments."""


def choose_batch(hidden: Sequence[int], rows: int) -> int:
    """Choose how many models train at once, each on this number of rows in a step.

    Returns:
        The number of models. It depends only on the hidden layers and the rows, not on the machine, since the
        last bits of the results may depend on it.
    """
    return max(1, MAX_ACTIVATIONS // (max(hidden, default=1) * rows))


def stack(
    predict: Predict, draws: Sequence[Coefficients], sample: Tensor, use_forward: bool = True
) -> tuple[Predict, Coefficients]:
    """Stack models of one kind.

    Args:
        predict: The models' `predict`.
        draws: The coefficients of each model, all of the same shapes.
        sample: Some rows [rows, features], of the coefficients' dtype.
        use_forward: Whether `forward` may be used, which has no argument `hidden`.

    Returns:
        A function that predicts with all models at once, and copies of their coefficients with models as the
        leading dimension. The function is `forward`, with transposed weights, if it predicts the same as
        `predict` for the sample; otherwise `predict` itself, which is slower.
    """
    stacked = {name: torch.stack([draw[name] for draw in draws]) for name in draws[0]}
    transposed = _transpose(stacked) if use_forward else None
    if transposed:
        for fast in (partial(forward, output=torch.sigmoid), partial(forward, output=torch.clone)):
            if torch.allclose(fast(transposed, sample), predict(stacked, sample), atol=1e-6):
                return fast, transposed
    return predict, stacked


def forward(coefficients: Coefficients, x: Tensor, output: Callable[[Tensor], Tensor]) -> Tensor:
    """Predict with every model at once, with a relu between two layers.

    Args:
        coefficients: The weights [models, units, inputs], named `weights`, or `layer1`, `layer2`, …; and
            their constants: `bias`, `bias1`, … [models, units], `constant1`, … [models], or `constant` for
            the last layer.
        x: The features [rows, features], fastest if their transpose is contiguous; or separate features for
            each model [models, rows, features].
        output: The function that is applied to the last layer.

    Returns:
        The predictions [models, rows].
    """
    (first, constant), *others = list_layers(coefficients)
    models, units, features = coefficients[first].shape
    rows = x.shape[-2]
    if x.dim() == 3:
        activations = _apply(coefficients, first, constant, x.mT)
    else:  # all models have the same inputs, so their first layers are one matrix
        weights = coefficients[first].view(models * units, features)
        if constant is None:
            activations = weights @ x.T
        else:
            constants = _reshape_constants(coefficients[constant]).expand(models, units, 1).reshape(-1, 1)
            activations = torch.addmm(constants, weights, x.T)
    for name, constant in others:
        # In place, since the old values are not needed; and not on a view, whose gradient would be slow.
        activations = torch.relu_(activations).view(models, -1, rows)
        activations = _apply(coefficients, name, constant, activations)
    return output(activations.view(models, rows))


def _apply(coefficients: Coefficients, weights: str, constant: str | None, x: Tensor) -> Tensor:
    """Compute the sums of a layer [models, units, rows] from x [models, inputs, rows]."""
    if constant is None:
        return torch.bmm(coefficients[weights], x)
    return torch.baddbmm(_reshape_constants(coefficients[constant]), coefficients[weights], x)


def _reshape_constants(constants: Tensor) -> Tensor:
    """Reshape the constants of a layer to [models, units, 1], or to [models, 1, 1] if units share one."""
    return constants[:, :, None] if constants.dim() == 2 else constants[:, None, None]


def _transpose(stacked: Coefficients) -> Coefficients | None:
    """Return the coefficients in the layout of `forward`; None if some of them have other names."""
    layers = list_layers(stacked)
    if {name for layer in layers for name in layer if name} != {*stacked}:
        return None
    transposed = dict(stacked)
    for name, _ in layers:
        weights = stacked[name]
        transposed[name] = weights.unsqueeze(1) if weights.dim() == 2 else weights.mT.contiguous()
    # In the first layer, features are the leading dimension in memory: its gradient takes half the time.
    first, _ = layers[0]
    transposed[first] = transposed[first].permute(2, 0, 1).contiguous().permute(1, 2, 0)
    return transposed
