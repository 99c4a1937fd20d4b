"""A neural net with one hidden layer (section 7)."""

import torch
from torch import Generator, Tensor

from from_scratch.models.layers import Layers


def initialise(features: int, hidden: list[int], generator: Generator) -> dict[str, Tensor]:
    """Draw two layers, and the constant that is added after the second.

    The first layer is divided by the size of the hidden one, so that the sums in the second come out
    about as large as the features were.

    Args:
        features: How many features there are.
        hidden: The size of the hidden layer, in a list of one.
        generator: The source of the random numbers.

    Returns:
        `layer1` [features, hidden] from [-0.5, 0.5) / hidden, `layer2` [hidden, 1] from [-0.3, 0.7) and
        `constant` [] from [0, 1), all float32.
    """
    (size,) = hidden
    return {
        "layer1": (torch.rand(features, size, generator=generator) - 0.5) / size,
        "layer2": torch.rand(size, 1, generator=generator) - 0.3,
        "constant": torch.rand(1, generator=generator)[0],
    }


def predict(coefficients: dict[str, Tensor], independent: Tensor) -> Tensor:
    """Send the features through the hidden layer, a rectifier, the second layer and a sigmoid.

    Args:
        coefficients: As `initialise` returns them.
        independent: The features [rows, features].

    Returns:
        Probabilities [rows].
    """
    activations = torch.relu(independent @ coefficients["layer1"])
    return torch.sigmoid(activations @ coefficients["layer2"] + coefficients["constant"]).squeeze(1)


def layers(coefficients: dict[str, Tensor]) -> Layers:
    """Say which coefficients are layers.

    Args:
        coefficients: As `initialise` returns them.

    Returns:
        Two layers, of which the second has a constant, and a sigmoid.
    """
    return Layers([("layer1", None), ("layer2", "constant")], sigmoid=True)
