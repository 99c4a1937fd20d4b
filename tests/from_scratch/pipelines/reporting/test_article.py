from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
import torch

from from_scratch.pipelines.reporting.article import compare_with_article, format_figure
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split, Variant
from tests.support.project import Project


@pytest.mark.parametrize(
    ("figure", "digits", "text"),
    [
        (0.53824, 4, "0.5382"),
        (-0.00001, 4, "0.0000"),
        (177, 0, "177"),
        (24, 2, "24.00"),
        ("S", 2, "S"),
        (None, 4, ""),
    ],
)
def test_figures_are_written_as_in_the_article(figure: object, digits: int, text: str) -> None:
    assert format_figure(figure, digits) == text


def test_other_passengers_are_not_compared_with_the_article(
    data: PreparedData, results: dict[str, Results]
) -> None:
    assert compare_with_article(data, results).empty


Gathered = tuple[PreparedData, dict[str, Results]]


@pytest.fixture(scope="module")
def gathered(article_run: Project) -> Gathered:
    """Return the inputs of the report on the article's data, with only the variant `linear`."""
    load = article_run.open_catalog().load
    counts = ["source", "missing_values", "category_counts"]
    names = [*counts, *"fill_values categories scales features model_input train valid".split()]
    data = PreparedData(
        **{name: load(name) for name in names},
        columns=Features.model_validate(load("params:features")),
        split=Split.model_validate(load("params:split")),
        threads=1,
        precision="float32",
    )
    made = "initial_coefficients coefficients coefficients_by_epoch losses predictions metrics".split()
    linear = Results(
        variant=Variant.model_validate(load("params:variants.linear")),
        **{name: load(f"linear.{name}") for name in made},
    )
    return data, {"linear": linear}


def test_different_figures_are_reported(gathered: Gathered) -> None:
    data, results = gathered
    linear = results["linear"]
    right = compare_with_article(data, results)
    assert right["same"].all()
    assert not right["title"].str.startswith(("sigmoid", "deep")).any(), "these were not run"

    wrong = replace(
        linear,
        losses=pd.DataFrame({"loss": [0.536, 0.5031]}),
        coefficients={"weights": linear.coefficients["weights"] + torch.eye(12)[0] * 0.001},
    )
    figures = compare_with_article(data, {"linear": wrong})
    different = figures[~figures["same"]]
    assert different[["title", "figure", "article", "ours"]].to_numpy().tolist()[:2] == [
        ["linear: loss before each step", "2", "0.502", "0.503"],
        ["linear: loss before each step", "3", "0.477", ""],
    ]
    assert different["title"].value_counts().to_dict() == {
        "linear: loss before each step": 17,
        "linear: coefficients": 1,
    }


def test_a_variant_of_that_name_with_another_model_has_no_figures(gathered: Gathered) -> None:
    data, results = gathered
    variant = results["linear"].variant.model_copy(update={"model": "sigmoid"})
    figures = compare_with_article(data, {"linear": replace(results["linear"], variant=variant)})
    assert figures["same"].all()
    assert not figures["title"].str.startswith("linear").any()
