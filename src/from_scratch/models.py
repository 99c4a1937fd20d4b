"""Five models, from a straight line to a deep net: tensors in, tensors out (sections 6 to 8 of the article).

A model is two functions: one draws its coefficients, the other predicts with them. In x, each row is a
passenger and each column a feature. All of it works for many models at once, too: then each coefficient has
one more dimension in front, and so have the predictions.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor

Coefficients = dict[str, Tensor]
"""Of one model, or stacked of many: [models, ...]."""


# --- A coefficient for each feature (sections 6 to 6.3)


def init_linear(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Uniform in [-0.5, 0.5)."""
    return {"weights": torch.rand(features, generator=generator) - 0.5}  # [features]


def linear(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = Σ xⱼ wⱼ: multiply each feature by its coefficient, and add up.

    There is no constant: the dummies of one category always sum to one, so they hold it already.
    """
    return (x * coefficients["weights"][..., None, :]).sum(dim=-1)  # [rows]


# --- The same, between 0 and 1 (section 6.4)


def sigmoid(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = σ(Σ xⱼ wⱼ): nobody survives more than wholly, or less than not at all."""
    return torch.sigmoid(linear(coefficients, x))  # [rows]


# --- The same, as networks write it (sections 6.5 and 7)


def init_matmul(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Uniform in [0, 0.1)."""
    return {"weights": torch.rand(features, 1, generator=generator) * 0.1}  # [features, 1]


def matmul(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = σ(xw): all the products and sums are one product of matrices."""
    return torch.sigmoid(x @ coefficients["weights"]).squeeze(-1)  # [rows, 1] -> [rows]


# --- A hidden layer (section 7)


def init_neural_net(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """The first layer is divided by the hidden layer's size, so that sums over it stay as large as x is."""
    (size,) = hidden
    return {
        "layer1": (torch.rand(features, size, generator=generator) - 0.5) / size,  # [features, size]
        "layer2": torch.rand(size, 1, generator=generator) - 0.3,  # [size, 1]
        "constant": torch.rand(1, generator=generator)[0],  # []
    }


def neural_net(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = σ(relu(xW₁)w₂ + b): one product more. Without the rectifier between them, the two would be one."""
    x = torch.relu(x @ coefficients["layer1"])  # [rows, size]
    x = x @ coefficients["layer2"] + coefficients["constant"][..., None, None]  # [rows, 1]
    return torch.sigmoid(x).squeeze(-1)  # [rows]


# --- As many hidden layers as one likes (section 8)


def init_deep(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """The odd numbers are the article's. Whether such a net trains at all depends on them and the seed."""
    shapes = list(enumerate(pairwise([features, *hidden, 1]), start=1))
    layers = {f"layer{i}": (torch.rand(a, b, generator=generator) - 0.3) / b * 4 for i, (a, b) in shapes}
    constants = {f"constant{i}": (torch.rand(1, generator=generator)[0] - 0.5) * 0.1 for i, _ in shapes}
    return layers | constants  # [inputs, outputs] and [] for each layer


def deep(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = σ(… relu(relu(xW₁ + b₁)W₂ + b₂) …): the same again for each layer, the sigmoid after the last."""
    depth = len(coefficients) // 2
    for i in range(1, depth + 1):
        x = x @ coefficients[f"layer{i}"] + coefficients[f"constant{i}"][..., None, None]  # [rows, outputs]
        x = torch.relu(x) if i < depth else torch.sigmoid(x)
    return x.squeeze(-1)  # [rows, 1] -> [rows]


# --- All of them, by the names that a variant's `model` may have. A new model is two functions and a line.


class Model(NamedTuple):
    """What makes a model."""

    initialise: Callable[[int, list[int], Generator], Coefficients]
    """(number of features, sizes of the hidden layers, source of random numbers) -> coefficients, float32."""
    predict: Callable[[Coefficients, Tensor], Tensor]
    """(coefficients, x [rows, features]) -> predictions [rows], or of many models [models, rows]."""
    min_hidden: int = 0
    """How many hidden layers it has at least."""
    max_hidden: int | None = 0
    """How many it has at most; None if there is no limit."""


MODELS = {
    "linear": Model(init_linear, linear),
    "sigmoid": Model(init_linear, sigmoid),
    "matmul": Model(init_matmul, matmul),
    "neural_net": Model(init_neural_net, neural_net, min_hidden=1, max_hidden=1),
    "deep": Model(init_deep, deep, min_hidden=1, max_hidden=None),
}
