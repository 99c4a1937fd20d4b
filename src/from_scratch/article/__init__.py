"""The figures that the article prints, to be held against what a run computes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

VARIANTS = ("linear", "sigmoid", "matmul", "neural_net_slow", "neural_net", "deep")
"""The article's; all others are beyond it."""


class Figures(NamedTuple):
    """Figures that the article prints in one place."""

    section: str
    title: str
    figures: Any
    """A number or a word for each name, or a list of numbers, or a list of rows of them."""
    digits: int = 4
    """How many decimals the article prints."""


@cache
def read_figures() -> dict[str, Figures]:
    """Read the article's figures.

    Returns:
        All figures by name, in the article's order. What begins with the name of a variant and a dot is that
        variant's: `deep.accuracy`, `linear.losses`.
    """
    text = (files(__package__) / "figures.yml").read_text(encoding="utf-8")
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the one in C is not on every platform
    return {name: Figures(**group) for name, group in yaml.load(text, Loader=loader).items()}


def published_accuracies() -> dict[str, float]:
    """Find the accuracies on the validation rows that the article prints, by variant."""
    return {
        name.removesuffix(".accuracy"): group.figures[0]
        for name, group in read_figures().items()
        if name.endswith(".accuracy")
    }
