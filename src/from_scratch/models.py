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
Activation = Callable[[Tensor], Tensor]
"""What becomes of a layer's sums: an argument of the models, since training may replace it."""


# --- A coefficient for each feature (sections 6 to 6.3)


def init_linear(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Uniform in [-0.5, 0.5)."""
    return {"weights": torch.rand(features, generator=generator) - 0.5}  # [features]


def linear(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = Σ xⱼ wⱼ: multiply each feature by its coefficient, and add up.

    The article has no constant: the dummies of one category always sum to one, so they hold it already.
    """
    y = (x * coefficients["weights"][..., None, :]).sum(dim=-1)  # [rows]
    return y + coefficients["bias"] if "bias" in coefficients else y


# --- The same, between 0 and 1 (section 6.4)


def sigmoid(coefficients: Coefficients, x: Tensor, output: Activation = torch.sigmoid) -> Tensor:
    """ŷ = σ(Σ xⱼ wⱼ): the sum, pressed between 0 and 1."""
    return output(linear(coefficients, x))  # [rows]


# --- The same, as networks write it (sections 6.5 and 7)


def init_matmul(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Uniform in [0, 0.1)."""
    return {"weights": torch.rand(features, 1, generator=generator) * 0.1}  # [features, 1]


def matmul(coefficients: Coefficients, x: Tensor, output: Activation = torch.sigmoid) -> Tensor:
    """ŷ = σ(xw): all the products and sums are one product of matrices."""
    x = add_constant(x @ coefficients["weights"], coefficients, "bias")  # [rows, 1]
    return output(x).squeeze(-1)  # [rows]


def add_constant(x: Tensor, coefficients: Coefficients, bias: str, constant: str = "") -> Tensor:
    """Add what a layer has of constants to its sums x [rows, units].

    That is `bias` [units], one for each unit; or the article's `constant` [], one for all units; or nothing.
    """
    if bias in coefficients:
        return x + coefficients[bias][..., None, :]
    return x + coefficients[constant][..., None, None] if constant in coefficients else x


# --- A hidden layer (section 7)


def init_neural_net(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """The first layer is divided by the hidden layer's size, so that sums over it stay as large as x is."""
    (size,) = hidden
    return {
        "layer1": (torch.rand(features, size, generator=generator) - 0.5) / size,  # [features, size]
        "layer2": torch.rand(size, 1, generator=generator) - 0.3,  # [size, 1]
        "constant": torch.rand(1, generator=generator)[0],  # []
    }


def neural_net(
    coefficients: Coefficients, x: Tensor, hidden: Activation = torch.relu, output: Activation = torch.sigmoid
) -> Tensor:
    """ŷ = σ(relu(xW₁)w₂ + b): one product more. Without the rectifier between them, the two would be one."""
    x = hidden(add_constant(x @ coefficients["layer1"], coefficients, "bias1"))  # [rows, size]
    x = add_constant(x @ coefficients["layer2"], coefficients, "bias2", "constant")  # [rows, 1]
    return output(x).squeeze(-1)  # [rows]


# --- As many hidden layers as one likes (section 8)


def init_deep(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """The odd numbers are the article's. Whether such a net trains at all depends on them and the seed."""
    shapes = list(enumerate(pairwise([features, *hidden, 1]), start=1))
    layers = {f"layer{i}": (torch.rand(a, b, generator=generator) - 0.3) / b * 4 for i, (a, b) in shapes}
    constants = {f"constant{i}": (torch.rand(1, generator=generator)[0] - 0.5) * 0.1 for i, _ in shapes}
    return layers | constants  # [inputs, outputs] and [] for each layer


def deep(
    coefficients: Coefficients, x: Tensor, hidden: Activation = torch.relu, output: Activation = torch.sigmoid
) -> Tensor:
    """ŷ = σ(… relu(relu(xW₁ + b₁)W₂ + b₂) …): the same again for each layer, the sigmoid after the last."""
    depth = len(coefficients) // 2
    for i in range(1, depth + 1):
        x = add_constant(x @ coefficients[f"layer{i}"], coefficients, f"bias{i}", f"constant{i}")
        x = hidden(x) if i < depth else output(x)  # [rows, units]
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
    ends_in_sigmoid: bool = False
    """Whether predict takes the argument `output`: cross-entropy needs the value before the sigmoid."""
    is_standard: bool = False
    """Whether its weights are named `weights`, or `layer1`, `layer2`, …, and its constants `bias…` or
    `constant…`, and predict takes the argument `hidden` if it has hidden layers. He's initialisation,
    constants for units, weight decay and dropout need that."""


MODELS = {
    "linear": Model(init_linear, linear, is_standard=True),
    "sigmoid": Model(init_linear, sigmoid, ends_in_sigmoid=True, is_standard=True),
    "matmul": Model(init_matmul, matmul, ends_in_sigmoid=True, is_standard=True),
    "neural_net": Model(
        init_neural_net, neural_net, min_hidden=1, max_hidden=1, ends_in_sigmoid=True, is_standard=True
    ),
    "deep": Model(init_deep, deep, min_hidden=1, max_hidden=None, ends_in_sigmoid=True, is_standard=True),
}


# --- What practice adds to the start (section 8)


def draw_he(coefficients: Coefficients, generator: Generator) -> Coefficients:
    """Draw weights [inputs, ...] anew as K. He and others do (2015): normal, deviation √(2 / inputs).

    Then rows stay about as large from layer to layer, and so do gradients: nets with more layers can train.
    Constants start from 0.
    """
    return {
        name: torch.randn(tensor.shape, generator=generator) * (2 / len(tensor)) ** 0.5
        if tensor.dim()
        else torch.zeros_like(tensor)
        for name, tensor in coefficients.items()
    }


def give_each_unit_a_constant(coefficients: Coefficients) -> Coefficients:
    """Replace the article's constants, if any, by one for each unit, from 0: now no dummies need to hold it.

    Weights [inputs, units] get a `bias` [units], and the weights [inputs] of a straight line one [1].
    """
    weights = {name: tensor for name, tensor in coefficients.items() if tensor.dim()}
    biases = {
        name.replace("weights", "bias").replace("layer", "bias"): torch.zeros(tensor.shape[1:] or 1)
        for name, tensor in weights.items()
    }
    return weights | biases


def initialise(
    model: Model,
    features: int,
    hidden: list[int],
    generator: Generator,
    initialisation: str = "article",
    constants: str = "article",
) -> Coefficients:
    """Draw the coefficients to start from: as the article, or as He, or with a constant for each unit."""
    coefficients = model.initialise(features, hidden, generator)
    if initialisation == "he":
        coefficients = draw_he(coefficients, generator)
    return give_each_unit_a_constant(coefficients) if constants == "unit" else coefficients
