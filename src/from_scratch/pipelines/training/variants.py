"""Calls of models.py and training.py with a variant's parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from from_scratch.models import MODELS, Coefficients, initialise
from from_scratch.schema.parameters import Variant
from from_scratch.training import CHUNK_SIZE, LOSSES, MAX_UNSPLIT_ROWS, OPTIMISERS, Generators, dropout, train

ALLOCATOR_RESERVE = 24 * 2**20
"""Bytes for the C library to keep from one epoch to the next."""


def draw_coefficients(variant: Variant, features: int, seed: int) -> Coefficients:
    """Draw a variant's initial coefficients, for a number of features.

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
    """Train one model, or many at once, with a variant's parameters.

    Args:
        variant: The parameters.
        predict: The model's `predict`, or a function that takes the same arguments.
        coefficients: The coefficients of one model, or of many stacked; changed in place.
        rows: `independent` [rows, features] and `dependent` [rows].
        generators: For batches and dropout: one generator, or one for each of many models.

    Returns:
        An iterator that trains an epoch at each step, and yields the epoch's loss, [] or [models].
    """
    _reserve_memory()
    arguments: dict[str, Callable[[Tensor], Tensor]] = {}
    if variant.loss == "cross_entropy":
        arguments["output"] = _identity  # so that the model returns logits
    if variant.dropout:
        arguments["hidden"] = lambda x: dropout(torch.relu(x), variant.dropout, generators)
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
    """Make the C library keep freed memory, instead of returning it to Linux and fetching it in each epoch.

    Returning and fetching takes a quarter of the time. glibc keeps up to twice the size of the largest block
    freed so far, so this frees a large one; it costs nothing, since it is never filled.
    """
    torch.empty(ALLOCATOR_RESERVE, dtype=torch.uint8)


def _identity(x: Tensor) -> Tensor:
    return x


def predict_in_chunks(variant: Variant, coefficients: Coefficients, x: Tensor) -> Tensor:
    """Predict rows x [rows, features]: in chunks if there are many, so that they fit into the CPU cache.

    Returns:
        The predictions [rows].
    """
    predict = MODELS[variant.model].predict
    chunks = [x] if len(x) <= MAX_UNSPLIT_ROWS else torch.split(x, CHUNK_SIZE)
    return torch.cat([predict(coefficients, chunk) for chunk in chunks])


def list_layers(coefficients: Coefficients) -> list[tuple[str, str | None]]:
    """List the names of each layer's weights and constants, in order; None for no constants."""
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
