"""The sigmoid model as a matrix product (sections 6.5 and 7): the same sums, as networks write them."""

import torch
from torch import Generator, Tensor

from from_scratch.models.layers import Layers


def initialise(features: int, hidden: list[int], generator: Generator) -> dict[str, Tensor]:
    """Draw a column of coefficients, uniformly from [0, 0.1).

    Args:
        features: How many features there are.
        hidden: Not used: this model has no hidden layer.
        generator: The source of the random numbers.

    Returns:
        `weights` [features, 1], float32.
    """
    return {"weights": torch.rand(features, 1, generator=generator) * 0.1}


def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Multiply the features by the column of coefficients, and squeeze the result into (0, 1).

    Args:
        coefficients: `weights` [features, 1].
        independent: The features [rows, features].

    Returns:
        Probabilities [rows].
    """
    return torch.sigmoid(independent @ coefficients["weights"]).squeeze(1)


def layers(coefficients: dict[str, Tensor]) -> Layers:
    """Say which coefficients are layers.

    Args:
        coefficients: As `initialise` returns them.

    Returns:
        One layer, and a sigmoid.
    """
    return Layers([("weights", None)], sigmoid=True)
