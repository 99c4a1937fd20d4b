"""The figures that the article prints, to compare with those of a run."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import yaml

VARIANTS = ("linear", "sigmoid", "matmul", "neural_net_slow", "neural_net", "deep")
"""The variants of the article; all others go beyond it."""


class Figures(NamedTuple):
    """Figures that the article prints in one place."""

    section: str
    title: str
    figures: Any
    """A number or a word for each name, a list of numbers, or a list of rows of numbers."""
    digits: int = 4
    """Number of decimals that the article prints."""


@cache
def read_figures() -> dict[str, Figures]:
    """Read the article's figures.

    Returns:
        All figures by name, in the article's order. A variant's figures begin with its name and a dot, such
        as `deep.accuracy` and `linear.losses`.
    """
    text = (files(__package__) / "figures.yml").read_text(encoding="utf-8")
    # The faster loader, in C, is not available on every platform.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return {name: Figures(**group) for name, group in yaml.load(text, Loader=loader).items()}


def published_accuracies() -> dict[str, float]:
    """Return the accuracies on the validation rows that the article prints, by variant."""
    return {
        name.removesuffix(".accuracy"): group.figures[0]
        for name, group in read_figures().items()
        if name.endswith(".accuracy")
    }
