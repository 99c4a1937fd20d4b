"""A run reproduces the figures that the article prints, to the last digit."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from from_scratch.article import VARIANTS, published_accuracies, read_figures
from from_scratch.models import linear as predict_linear
from from_scratch.training import gradient_step, mean_absolute_error
from tests.support.project import Project

FIGURES: dict[str, Any] = {name: group.figures for name, group in read_figures().items()}
EDGE = torch.tensor([*range(7), *range(-7, 0)])


def those_with(kind: str) -> list[str]:
    """Return the variants for which the article prints figures of this kind."""
    return [name.removesuffix(f".{kind}") for name in FIGURES if name.endswith(f".{kind}")]


def count(figures: Any) -> int:
    if isinstance(figures, dict):
        return sum(map(count, figures.values()))
    return sum(map(count, figures)) if isinstance(figures, list) else 1


def printed(numbers: Any, digits: int = 4) -> Any:
    """Format numbers as the article prints them, in lists of the same depth."""
    if isinstance(numbers, list):
        return [printed(number, digits) for number in numbers]
    text = f"{numbers:.{digits}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def assert_printed(ours: torch.Tensor | list[Any] | float, figures: Any, digits: int = 4) -> None:
    ours = ours.tolist() if isinstance(ours, torch.Tensor) else ours
    assert printed(ours, digits) == printed(figures, digits)


@pytest.fixture(scope="module")
def model_input(article_run: Project) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = article_run.load("model_input")
    return tensors


@pytest.fixture
def initial(article_run: Project) -> dict[str, Tensor]:
    tensors: dict[str, Tensor] = article_run.load("linear.initial_coefficients")
    return tensors


def test_missing_values(article_run: Project) -> None:
    assert article_run.load("missing_values") == FIGURES["missing_values"]


def test_modes(article_run: Project) -> None:
    assert article_run.load("fill_values").iloc[0].to_dict() == FIGURES["modes"]


def new_features(article_run: Project, initial: dict[str, Tensor], model_input: dict[str, Tensor]) -> None:
    features = torch.tensor(article_run.load("features").to_numpy("float64"), dtype=torch.float32)
    assert_printed(features[EDGE], FIGURES["features"])
    assert_printed((features * initial["weights"])[EDGE], FIGURES["products"])
    assert_printed((model_input["independent"] * initial["weights"])[EDGE], FIGURES["normalised_products"])


def test_untrained_linear_model(initial: dict[str, Tensor], model_input: dict[str, Tensor]) -> None:
    assert_printed(initial["weights"], FIGURES["initial_coefficients"])
    predictions = predict_linear(initial, model_input["independent"])
    assert_printed(predictions[:10], FIGURES["initial_predictions"])
    assert_printed(
        [mean_absolute_error(predictions, model_input["dependent"]).item()], FIGURES["initial_loss"]
    )


def test_gradients_add_up_until_a_step_zeroes_them(
    initial: dict[str, Tensor], model_input: dict[str, Tensor]
) -> None:
    coefficients = initial["weights"].requires_grad_()

    def loss() -> torch.Tensor:
        return mean_absolute_error(
            predict_linear(initial, model_input["independent"]), model_input["dependent"]
        )

    for figures in ("gradients", "gradients_after_second_backward"):
        loss().backward()  # type: ignore[no-untyped-call]
        assert coefficients.grad is not None
        assert_printed(coefficients.grad, FIGURES[figures])
    loss().backward()  # type: ignore[no-untyped-call]
    gradient_step(initial, learning_rate=0.1)
    assert_printed([loss().item()], FIGURES["loss_after_one_step"])
    assert coefficients.grad is not None
    assert coefficients.grad.eq(0).all()


def test_split(article_run: Project) -> None:
    rows = {name: len(article_run.load(name)["dependent"]) for name in ("train", "valid")}
    assert rows == FIGURES["rows"]


@pytest.mark.parametrize("variant", those_with("losses"))
def test_losses(article_run: Project, variant: str) -> None:
    losses = article_run.load(f"{variant}.losses")
    assert losses["epoch"].tolist() == list(range(1, len(losses) + 1))
    assert_printed(losses["loss"].tolist(), FIGURES[f"{variant}.losses"], digits=3)


@pytest.mark.parametrize("variant", those_with("accuracy"))
def test_accuracies(article_run: Project, variant: str) -> None:
    metrics = article_run.load(f"{variant}.metrics")
    assert metrics["source"] == "original"
    assert_printed([metrics["valid_accuracy"]], FIGURES[f"{variant}.accuracy"])


@pytest.mark.parametrize("variant", those_with("coefficients"))
def test_coefficients(article_run: Project, variant: str) -> None:
    named = article_run.load("named_coefficients").set_index("feature")[variant].to_dict()
    figures = FIGURES[f"{variant}.coefficients"]
    assert list(named) == list(figures)
    assert_printed(list(named.values()), list(figures.values()))


def test_predictions_of_the_linear_model(article_run: Project) -> None:
    assert_printed(article_run.load("linear.predictions")["valid"][:28], FIGURES["linear.predictions"])


def test_products_of_the_sigmoid_model(article_run: Project) -> None:
    coefficients, valid = article_run.load("sigmoid.coefficients"), article_run.load("valid")["independent"]
    assert_printed(predict_linear(coefficients, valid), FIGURES["sigmoid.products"])
    ours, figures = valid @ coefficients["weights"], torch.tensor(FIGURES["sigmoid.matrix_products"])
    # The last printed digit depends on the order in which a processor adds up a matrix product.
    torch.testing.assert_close(ours, figures, atol=1.5e-4, rtol=0)


def test_comparison_contains_the_accuracies_of_the_article(article_run: Project) -> None:
    comparison = article_run.load("comparison").set_index("variant")
    assert comparison["article_accuracy"].dropna().to_dict() == published_accuracies()
    assert len(published_accuracies()) == 5
    assert comparison.index.tolist()[:6] == those_with("losses") == list(VARIANTS)


def test_report_contains_every_figure_of_the_article(article_run: Project) -> None:
    figures = article_run.load("article_figures")
    assert figures["same"].all()
    assert len(figures) == sum(map(count, FIGURES.values()))
    row = figures[(figures["title"] == "linear: coefficients") & (figures["figure"] == "Sex_male")].iloc[0]
    assert (row["section"], row["article"], row["ours"]) == ("6.2", "-0.3990", "-0.3990")


def test_the_figures_are_complete() -> None:
    beyond = ("modes", "features", "products", "normalised_products", "sigmoid.matrix_products")
    assert sum(count(figures) for name, figures in FIGURES.items() if name not in beyond) == 465
