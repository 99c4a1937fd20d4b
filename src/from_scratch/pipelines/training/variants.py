"""From a variant's parameters to the functions of models.py and training.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from from_scratch.models import MODELS, Coefficients, initialise
from from_scratch.schema.parameters import Variant
from from_scratch.training import CHUNK, LARGE, LOSSES, OPTIMISERS, Generators, drop_out, train

ALLOCATOR_RESERVE = 24 * 2**20
"""How many bytes the C library is to keep for the next epoch."""


def draw_coefficients(variant: Variant, features: int, seed: int) -> Coefficients:
    """Draw the coefficients of a variant that sees so many features.

    Returns:
        The coefficients by name, float32.
    """
    generator = torch.Generator().manual_seed(seed)
    model = MODELS[variant.model]
    return initialise(model, features, variant.hidden, generator, variant.initialisation, variant.constants)


def train_variant(
    variant: Variant,
    predict: Callable[..., Tensor],
    coefficients: Coefficients,
    rows: dict[str, Tensor],
    generators: Generators,
) -> Iterator[Tensor]:
    """Train a model as a variant's parameters say, or many models at once.

    Args:
        variant: The parameters.
        predict: The model's own, or another that takes the same arguments.
        coefficients: Those of the model, or of many stacked; changed in place.
        rows: `independent` [rows, features] and `dependent` [rows].
        generators: What shuffles batches and drops units: of the model, or one for each of many.

    Returns:
        The loss of each epoch, [] or [models].
    """
    _reserve_memory()
    arguments: dict[str, Callable[[Tensor], Tensor]] = {}
    if variant.loss == "cross_entropy":
        arguments["output"] = _keep  # which leaves the value before the sigmoid
    if variant.dropout:
        arguments["hidden"] = lambda x: drop_out(torch.relu(x), variant.dropout, generators)
    return train(
        lambda coefficients, x: predict(coefficients, x, **arguments),
        coefficients,
        rows["independent"],
        rows["dependent"],
        variant.learning_rate,
        variant.epochs,
        LOSSES[variant.loss],
        OPTIMISERS[variant.optimiser],
        variant.weight_decay,
        variant.batch_size,
        generators,
    )


def _reserve_memory() -> None:
    """Have the C library keep memory: Linux's would give it back after each epoch, and fetch it again.

    That takes a quarter of the time. It keeps twice the largest piece that was ever freed: so one is, which
    costs nothing as nobody fills it.
    """
    torch.empty(ALLOCATOR_RESERVE, dtype=torch.uint8)


def _keep(x: Tensor) -> Tensor:
    return x


def predict_in_chunks(variant: Variant, coefficients: Coefficients, x: Tensor) -> Tensor:
    """Predict rows x [rows, features]; more than fit into the processor's cache, a part after the other.

    Returns:
        The predictions [rows].
    """
    predict = MODELS[variant.model].predict
    parts = [x] if len(x) <= LARGE else torch.split(x, CHUNK)
    return torch.cat([predict(coefficients, part) for part in parts])


def list_layers(coefficients: Coefficients) -> list[tuple[str, str | None]]:
    """Name each layer's weights, in their order, and its constant if it has one."""
    layers = [
        name
        for name in ("weights", *(f"layer{i + 1}" for i in range(len(coefficients))))
        if name in coefficients
    ]
    constants = [
        next((name for name in (f"bias{i}", f"constant{i}") if name in coefficients), None)
        for i in range(1, len(layers) + 1)
    ]
    for name in ("bias", "constant"):
        if layers and name in coefficients:
            constants[-1] = name
    return list(zip(layers, constants, strict=True))
