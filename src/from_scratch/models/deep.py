"""A deep net: as many hidden layers as one likes (section 8)."""

from itertools import pairwise

import torch
from torch import Generator, Tensor

from from_scratch.models.layers import Layers


def initialise(features: int, hidden: list[int], generator: Generator) -> dict[str, Tensor]:
    """Draw every layer, then a constant for each.

    The odd numbers are the article's. Whether such a net trains at all hangs on them, and on the seed.

    Args:
        features: How many features there are.
        hidden: The size of each hidden layer.
        generator: The source of the random numbers.

    Returns:
        `layer1`, `layer2`, … [inputs, outputs] from [-0.3, 0.7) × 4 / outputs, and as many constants,
        `constant1`, `constant2`, … [] from [-0.05, 0.05), all float32.
    """
    sizes = [features, *hidden, 1]
    shapes = list(enumerate(pairwise(sizes), start=1))
    layers = {
        f"layer{i}": (torch.rand(inputs, outputs, generator=generator) - 0.3) / outputs * 4
        for i, (inputs, outputs) in shapes
    }
    constants = {f"constant{i}": (torch.rand(1, generator=generator)[0] - 0.5) * 0.1 for i, _ in shapes}
    return layers | constants


def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Send the features through every layer, with a rectifier between two and a sigmoid after the last.

    Args:
        coefficients: As `initialise` returns them.
        independent: The features [rows, features].

    Returns:
        Probabilities [rows].
    """
    depth = len(coefficients) // 2
    activations = independent
    for i in range(1, depth + 1):
        activations = activations @ coefficients[f"layer{i}"] + coefficients[f"constant{i}"]
        if i < depth:
            activations = torch.relu(activations)
    return torch.sigmoid(activations).squeeze(1)


def layers(coefficients: dict[str, Tensor]) -> Layers:
    """Say which coefficients are layers.

    Args:
        coefficients: As `initialise` returns them.

    Returns:
        All layers, each with its constant, and a sigmoid.
    """
    depth = len(coefficients) // 2
    return Layers([(f"layer{i}", f"constant{i}") for i in range(1, depth + 1)], sigmoid=True)
