"""Five models, from a weighted sum to a deep net: tensors in, tensors out (sections 6 to 8 of the article).

A model is two functions: one draws its initial coefficients, the other predicts with them. In `x`, each row
is a passenger and each column a feature. Everything here also works for many models at once: stack their
coefficients along a new first dimension, and the predictions get that dimension too.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Generator, Tensor

Coefficients = dict[str, Tensor]
"""Coefficients by name; each tensor is [models, ...] if they belong to many models."""
Activation = Callable[[Tensor], Tensor]
"""The function applied to a layer's sums. Models take it as an argument, so that training can replace it."""


# --- One coefficient per feature (sections 6 to 6.3)


def init_linear(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Draw one weight per feature, uniformly from [-0.5, 0.5)."""
    return {"weights": torch.rand(features, generator=generator) - 0.5}  # [features]


def linear(coefficients: Coefficients, x: Tensor) -> Tensor:
    """ŷ = Σ xⱼ wⱼ: multiply each feature by its weight, and add up.

    The article needs no constant: the dummies of a column always sum to one, so their weights include it.
    """
    y = (x * coefficients["weights"][..., None, :]).sum(dim=-1)  # [rows]
    return y + coefficients["bias"] if "bias" in coefficients else y


# --- The same, squashed to between 0 and 1 (section 6.4)


def sigmoid(coefficients: Coefficients, x: Tensor, output: Activation = torch.sigmoid) -> Tensor:
    """ŷ = σ(Σ xⱼ wⱼ): the sum, squashed to between 0 and 1."""
    return output(linear(coefficients, x))  # [rows]


# --- The same, as a matrix product (sections 6.5 and 7)


def init_matmul(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Draw one weight per feature, uniformly from [0, 0.1)."""
    return {"weights": torch.rand(features, 1, generator=generator) * 0.1}  # [features, 1]


def matmul(coefficients: Coefficients, x: Tensor, output: Activation = torch.sigmoid) -> Tensor:
    """ŷ = σ(xw): one matrix product does all the multiplying and adding."""
    x = add_constant(x @ coefficients["weights"], coefficients, "bias")  # [rows, 1]
    return output(x).squeeze(-1)  # [rows]


def add_constant(x: Tensor, coefficients: Coefficients, bias: str, constant: str = "") -> Tensor:
    """Add a layer's constants to its sums x [rows, units].

    These are a `bias` [units], one for each unit; or the article's `constant` [], one for all; or none.
    """
    if bias in coefficients:
        return x + coefficients[bias][..., None, :]
    return x + coefficients[constant][..., None, None] if constant in coefficients else x


# --- One hidden layer (section 7)


def init_neural_net(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Draw two layers of weights and one constant.

    The first layer is divided by the number of hidden units: a sum over them is then about as large as x.
    """
    (size,) = hidden
    return {
        "layer1": (torch.rand(features, size, generator=generator) - 0.5) / size,  # [features, size]
        "layer2": torch.rand(size, 1, generator=generator) - 0.3,  # [size, 1]
        "constant": torch.rand(1, generator=generator)[0],  # []
    }


def neural_net(
    coefficients: Coefficients, x: Tensor, hidden: Activation = torch.relu, output: Activation = torch.sigmoid
) -> Tensor:
    """ŷ = σ(relu(xW₁)w₂ + b): two matrix products; without the relu, they would collapse into one."""
    x = hidden(add_constant(x @ coefficients["layer1"], coefficients, "bias1"))  # [rows, size]
    x = add_constant(x @ coefficients["layer2"], coefficients, "bias2", "constant")  # [rows, 1]
    return output(x).squeeze(-1)  # [rows]


# --- Any number of hidden layers (section 8)


def init_deep(features: int, hidden: list[int], generator: Generator) -> Coefficients:
    """Draw the weights and one constant for each layer, scaled as in the article.

    Whether the net trains at all depends on these scales, and on the seed.
    """
    shapes = list(enumerate(pairwise([features, *hidden, 1]), start=1))
    layers = {f"layer{i}": (torch.rand(a, b, generator=generator) - 0.3) / b * 4 for i, (a, b) in shapes}
    constants = {f"constant{i}": (torch.rand(1, generator=generator)[0] - 0.5) * 0.1 for i, _ in shapes}
    return layers | constants  # [inputs, units] and [] for each layer


def deep(
    coefficients: Coefficients, x: Tensor, hidden: Activation = torch.relu, output: Activation = torch.sigmoid
) -> Tensor:
    """ŷ = σ(… relu(relu(xW₁ + b₁)W₂ + b₂) …): a relu after each hidden layer, a sigmoid at the end."""
    depth = len(coefficients) // 2
    for i in range(1, depth + 1):
        x = add_constant(x @ coefficients[f"layer{i}"], coefficients, f"bias{i}", f"constant{i}")
        x = hidden(x) if i < depth else output(x)  # [rows, units]
    return x.squeeze(-1)  # [rows, 1] -> [rows]


# --- The registry: a variant's `model` is one of these names. A new model is two functions and a line here.


class Model(NamedTuple):
    """The two functions of a model, and the options that it supports."""

    initialise: Callable[[int, list[int], Generator], Coefficients]
    """(number of features, sizes of the hidden layers, random generator) -> coefficients, float32."""
    predict: Callable[[Coefficients, Tensor], Tensor]
    """(coefficients, x [rows, features]) -> predictions [rows], or [models, rows] for many models."""
    min_hidden: int = 0
    """Minimum number of hidden layers."""
    max_hidden: int | None = 0
    """Maximum number of hidden layers; None if there is no limit."""
    ends_in_sigmoid: bool = False
    """Whether `predict` takes the argument `output`: cross-entropy needs the value before the sigmoid."""
    is_standard: bool = False
    """Whether the model follows the conventions that He's initialisation, unit biases, weight decay and
    dropout rely on: weights are named `weights`, or `layer1`, `layer2`, …; constants are named `bias…` or
    `constant…`; and with hidden layers, `predict` takes the argument `hidden`."""


MODELS = {
    "linear": Model(init_linear, linear, is_standard=True),
    "sigmoid": Model(init_linear, sigmoid, ends_in_sigmoid=True, is_standard=True),
    "matmul": Model(init_matmul, matmul, ends_in_sigmoid=True, is_standard=True),
    "neural_net": Model(
        init_neural_net, neural_net, min_hidden=1, max_hidden=1, ends_in_sigmoid=True, is_standard=True
    ),
    "deep": Model(init_deep, deep, min_hidden=1, max_hidden=None, ends_in_sigmoid=True, is_standard=True),
}


# --- What practice adds to the initialisation (section 8)


def draw_he(coefficients: Coefficients, generator: Generator) -> Coefficients:
    """Redraw the weights [inputs, ...] as K. He and others do (2015): normal, with deviation √(2 / inputs).

    Activations and gradients then keep their size from layer to layer, so that deeper nets can train.
    Constants start at 0.
    """
    return {
        name: torch.randn(tensor.shape, generator=generator) * (2 / len(tensor)) ** 0.5
        if tensor.dim()
        else torch.zeros_like(tensor)
        for name, tensor in coefficients.items()
    }


def use_unit_biases(coefficients: Coefficients) -> Coefficients:
    """Replace the article's constants, if any, with a bias for each unit, starting at 0.

    Weights [inputs, units] get a bias [units], and weights [inputs] a bias [1]. The model then no longer
    relies on dummies that sum to one.
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
    """Draw initial coefficients: the article's or He's, with the article's constants or unit biases."""
    coefficients = model.initialise(features, hidden, generator)
    if initialisation == "he":
        coefficients = draw_he(coefficients, generator)
    return use_unit_biases(coefficients) if constants == "unit" else coefficients
