"""The linear model with a sigmoid around it, which keeps predictions between 0 and 1 (section 6.4)."""

import torch
from torch import Tensor

from from_scratch.models import linear
from from_scratch.models.layers import Layers

initialise = linear.initialise


def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Squeeze the linear model's predictions into (0, 1).

    Args:
        coefficients: `weights` [features].
        independent: The features [rows, features].

    Returns:
        Probabilities [rows].
    """
    return torch.sigmoid(linear.predict(coefficients, independent))


def layers(coefficients: dict[str, Tensor]) -> Layers:
    """Say which coefficients are layers.

    Args:
        coefficients: As `initialise` returns them.

    Returns:
        One layer, and a sigmoid.
    """
    return Layers([("weights", None)], sigmoid=True)
