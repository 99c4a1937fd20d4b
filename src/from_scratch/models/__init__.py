"""The mathematics: tensors in, tensors out. Nothing here knows of Kedro, pandas or passengers.

Each of the article's five models is a file with two functions, `initialise` and `predict`. How all of them
learn stands in `training`, how many of a kind learn at once in `many`, and how they are judged in `scoring`.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Generator, Tensor

from from_scratch.models import deep, linear, matmul, neural_net, sigmoid
from from_scratch.models.layers import Layers
from from_scratch.models.training import Predict, gradient_step, mean_absolute_error, train

__all__ = ["MODELS", "Model", "gradient_step", "mean_absolute_error", "train"]


class Model(NamedTuple):
    """What makes a model: how its coefficients are drawn, and how it predicts with them."""

    initialise: Callable[[int, list[int], Generator], dict[str, Tensor]]
    """(features, sizes of the hidden layers, source of random numbers) -> coefficients."""
    predict: Predict
    layers: Callable[[dict[str, Tensor]], Layers] | None = None
    """(coefficients) -> which of them are layers; with it, many such models train at once quickly."""


MODELS = {
    "linear": Model(linear.initialise, linear.predict, linear.layers),
    "sigmoid": Model(sigmoid.initialise, sigmoid.predict, sigmoid.layers),
    "matmul": Model(matmul.initialise, matmul.predict, matmul.layers),
    "neural_net": Model(neural_net.initialise, neural_net.predict, neural_net.layers),
    "deep": Model(deep.initialise, deep.predict, deep.layers),
}
