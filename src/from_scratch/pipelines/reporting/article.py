"""The article's figures and this run's, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any

import pandas as pd
import torch
from torch import Tensor

from from_scratch.article import read_figures
from from_scratch.models import linear as predict_linear
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.training import gradient_step, mean_absolute_error

FEATURES = (
    "Age SibSp Parch LogFare Sex_male Sex_female Pclass_1 Pclass_2 Pclass_3 Embarked_C Embarked_Q Embarked_S"
).split()
EDGE_ROWS = 7
"""Number of rows that the article prints from either end of a long table."""
ROUNDING_ERROR = 1.01e-4
"""Largest difference of a matrix product from the article's: processors add up in different orders."""


def compare_with_article(data: PreparedData, results: dict[str, Results]) -> pd.DataFrame:
    """Compare every figure that the article prints with this run's.

    Returns:
        A row for each figure, in the article's order: `section`, `title`, `figure` (its label within the
        title), `article` and `ours` as printed, and whether they are the `same`. Variants beyond the article
        have no rows, and the table is empty unless the passengers and the features are the article's.
    """
    columns = ["section", "title", "figure", "article", "ours", "same"]
    if not data.is_original or data.features.columns.tolist() != FEATURES:
        return pd.DataFrame(columns=columns)
    ours = compute_figures(data, results)
    rows = []
    for name, group in read_figures().items():
        if name not in ours:
            continue
        variant, _, _ = name.rpartition(".")
        title = f"{variant}: {group.title}" if variant else group.title
        pairs = zip_longest(_flatten(group.figures), _flatten(ours[name]), fillvalue=(None, None))
        for (label, figure), (our_label, our_figure) in pairs:
            article, this_run = (format_figure(number, group.digits) for number in (figure, our_figure))
            same = label == our_label and article == this_run
            if name == "sigmoid.matrix_products" and figure is not None and our_figure is not None:
                same = abs(figure - our_figure) < ROUNDING_ERROR
            rows.append([group.section, title, label or our_label, article, this_run, same])
    return pd.DataFrame(rows, columns=columns)


def compute_figures(data: PreparedData, results: dict[str, Results]) -> dict[str, Any]:
    """Compute the figures that the article prints, unrounded, by their names in `read_figures`."""
    names = list(data.features.columns)
    figures: dict[str, Any] = {
        "missing_values": data.missing_values,
        "modes": data.fill_values.iloc[0].to_dict(),
        "features": _edges(data.features.to_numpy("float64")).tolist(),
        "rows": {"train": len(data.train["dependent"]), "valid": len(data.valid["dependent"])},
    }
    for variant, result in results.items():
        if _is_from_article(variant, result):
            figures[f"{variant}.losses"] = result.losses["loss"].tolist()
            figures[f"{variant}.accuracy"] = [result.metrics["valid_accuracy"]]
            if "weights" in result.coefficients:
                weights = result.coefficients["weights"].flatten().tolist()
                figures[f"{variant}.coefficients"] = dict(zip(names, weights, strict=True))
    if _is_from_article("linear", results.get("linear")):
        linear = results["linear"]
        figures |= _before_training(data, linear.initial_coefficients)
        figures["linear.predictions"] = linear.predictions["valid"][:28].tolist()
    if _is_from_article("sigmoid", results.get("sigmoid")):
        independent = data.valid["independent"]
        coefficients = results["sigmoid"].coefficients["weights"]
        figures["sigmoid.products"] = (independent * coefficients).sum(dim=1).tolist()
        figures["sigmoid.matrix_products"] = (independent @ coefficients).tolist()
    return figures


def _before_training(data: PreparedData, initial_coefficients: dict[str, Tensor]) -> dict[str, Any]:
    """Compute the figures of sections 6 and 6.1: all passengers, with untrained coefficients."""
    independent, dependent = data.model_input["independent"], data.model_input["dependent"]
    coefficients = {name: tensor.clone() for name, tensor in initial_coefficients.items()}
    weights = coefficients["weights"].requires_grad_()

    def loss() -> Any:
        return mean_absolute_error(predict_linear(coefficients, independent), dependent)

    features = torch.tensor(data.features.to_numpy("float64"), dtype=torch.float32)
    figures: dict[str, Any] = {
        "products": _edges(features * weights.detach()).tolist(),
        "normalised_products": _edges(independent * weights.detach()).tolist(),
        "initial_coefficients": weights.tolist(),
        "initial_predictions": predict_linear(coefficients, independent)[:10].tolist(),
        "initial_loss": [loss().item()],
    }
    # As in the article, gradients are not zeroed before the step, so each backward adds to them.
    for name in ("gradients", "gradients_after_second_backward"):
        loss().backward()
        assert weights.grad is not None
        figures[name] = weights.grad.tolist()
    loss().backward()
    gradient_step(coefficients, learning_rate=0.1)
    return figures | {"loss_after_one_step": [loss().item()]}


def format_figure(figure: Any, digits: int) -> str:
    """Format a figure as the article does: without a minus before zero; an empty text for None."""
    if figure is None:
        return ""
    if isinstance(figure, str):
        return figure
    text = f"{figure:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def _is_from_article(variant: str, result: Results | None) -> bool:
    """Return whether the variant of this name has the article's model."""
    model = "neural_net" if variant == "neural_net_slow" else variant
    return result is not None and result.variant.model == model


def _edges(table: Any) -> Any:
    """Return the first and last rows of a long table, as the article prints them."""
    return table[[*range(EDGE_ROWS), *range(-EDGE_ROWS, 0)]]


def _flatten(figures: Any) -> Iterator[tuple[str | None, Any]]:
    """Label each figure with its key, its number, or its row and column, counted from 1."""
    if isinstance(figures, dict):
        yield from figures.items()
        return
    for row, figure in enumerate(figures, start=1):
        if isinstance(figure, list):
            for column, cell in enumerate(figure, start=1):
                yield f"{row}, {column}", cell
        else:
            yield str(row), figure
