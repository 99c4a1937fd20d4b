"""The linear model: a coefficient for every feature (sections 6 to 6.3 of the article).

There is no constant term: the dummies of one category always sum to one, so they hold it already.
"""

import torch
from torch import Generator, Tensor

from from_scratch.models.layers import Layers


def initialise(features: int, hidden: list[int], generator: Generator) -> dict[str, Tensor]:
    """Draw one coefficient for each feature, uniformly from [-0.5, 0.5).

    Args:
        features: How many features there are.
        hidden: Not used: a linear model has no hidden layer.
        generator: The source of the random numbers.

    Returns:
        `weights` [features], float32.
    """
    return {"weights": torch.rand(features, generator=generator) - 0.5}


def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Multiply each feature by its coefficient and add them up.

    Args:
        coefficients: `weights` [features].
        independent: The features [rows, features].

    Returns:
        Predictions [rows]; nothing keeps them between 0 and 1.
    """
    return (independent * coefficients["weights"]).sum(dim=1)


def layers(coefficients: dict[str, Tensor]) -> Layers:
    """Say which coefficients are layers.

    Args:
        coefficients: As `initialise` returns them.

    Returns:
        One layer, and nothing after it.
    """
    return Layers([("weights", None)], sigmoid=False)
