"""What a model's coefficients are: layers, one behind the other."""

from typing import NamedTuple


class Layers(NamedTuple):
    """The names of a model's layers, from the features to the prediction; between two stands a rectifier."""

    names: list[tuple[str, str | None]]
    """Of each layer the weights [inputs, outputs], or [inputs] for one output, and the constant [] if any."""
    sigmoid: bool
    """Whether a sigmoid follows the last layer."""
