"""The mathematics: tensors in, tensors out. Nothing here knows of Kedro, pandas or passengers.

Each of the article's five models is a file with two functions, `initialise` and `predict`. How all of them
learn stands in `training`, and how they are judged in `scoring`.
"""

from collections.abc import Callable
from typing import NamedTuple

from torch import Generator, Tensor

from from_scratch.models import deep, linear, matmul, neural_net, sigmoid
from from_scratch.models.training import Predict, gradient_step, mean_absolute_error, train

__all__ = ["MODELS", "Model", "gradient_step", "mean_absolute_error", "train"]


class Model(NamedTuple):
    """What makes a model: how its coefficients are drawn, and how it predicts with them."""

    initialise: Callable[[int, list[int], Generator], dict[str, Tensor]]
    """(features, sizes of the hidden layers, source of random numbers) -> coefficients."""
    predict: Predict


MODELS = {
    "linear": Model(linear.initialise, linear.predict),
    "sigmoid": Model(sigmoid.initialise, sigmoid.predict),
    "matmul": Model(matmul.initialise, matmul.predict),
    "neural_net": Model(neural_net.initialise, neural_net.predict),
    "deep": Model(deep.initialise, deep.predict),
}
