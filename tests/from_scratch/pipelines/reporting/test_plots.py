from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pandas as pd
import pytest
from plotly.graph_objects import Figure
from plotly.io import from_json

from from_scratch.pipelines.reporting import coefficient_plots, learning_plots, nodes, plots
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.schema.features import Features
from kedro_ledger.styles import assign_styles

Draw = Callable[[PreparedData, dict[str, Results]], Figure]
DRAWN: dict[str, Draw] = {
    "accuracies": lambda data, results: plots.plot_accuracies(results),
    "losses": lambda data, results: learning_plots.plot_losses(results),
    "epoch_accuracies": lambda data, results: learning_plots.plot_epoch_accuracies(
        nodes.trace_accuracies(data, results), results
    ),
    "coefficients": lambda data, results: coefficient_plots.plot_coefficients(
        nodes.name_coefficients(data, results), data, results
    ),
}


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.parametrize("variants", [["line", "net"], ["net"], ["line"]])
def test_a_figure_is_read_as_it_was_drawn_with_no_template(
    data: PreparedData, results: dict[str, Results], name: str, variants: list[str]
) -> None:
    figure = DRAWN[name](data, {variant: results[variant] for variant in variants})
    assert figure.layout.template.to_plotly_json() == {}
    read = from_json(figure.to_json(engine="json"))
    assert read.update_layout(template=None).to_dict() == figure.to_dict()
    axes = [axis for axis in figure.select_xaxes() if axis.visible is not False]
    assert not axes or axes[-1].title.text, "the lowest axis has a name"


@pytest.mark.parametrize("name", DRAWN)
def test_a_variant_has_the_same_colour_everywhere(
    data: PreparedData, results: dict[str, Results], name: str
) -> None:
    styles = assign_styles(results)
    for trace in DRAWN[name](data, results).to_dict()["data"]:
        if trace["name"] in styles:
            drawn = trace.get("line", trace.get("marker"))
            assert drawn["color"] == styles[trace["name"]]["color"]


def test_variants_beyond_the_colours_differ_by_symbol_and_dash() -> None:
    styles = assign_styles(f"variant{i}" for i in range(18))
    assert len({tuple(style.values()) for style in styles.values()}) == 18


def test_accuracies_are_inside_their_intervals(results: dict[str, Results]) -> None:
    plot = plots.plot_accuracies(results).to_dict()
    line, net = plot["data"]
    assert (line["x"], net["x"]) == ([0.75], [0.5])
    low, high = line["error_x"]["arrayminus"][0], line["error_x"]["array"][0]
    assert 0.75 - low == pytest.approx(results["line"].metrics["valid_accuracy_low"])
    assert 0.75 + high == pytest.approx(results["line"].metrics["valid_accuracy_high"])
    (majority,) = plot["layout"]["shapes"]
    assert majority["x0"] == majority["x1"] == 0.25


def test_a_ring_is_where_the_article_is(results: dict[str, Results]) -> None:
    line = results["line"]
    original = replace(line, metrics=line.metrics | {"source": "original", "model": "deep"})
    *_, rings = plots.plot_accuracies({"deep": original, "other": original}).data
    assert (rings.x, rings.y, rings.name) == ((0.8258,), ("deep",), "the article")


def test_coefficients_are_drawn_as_differences_within_a_column(
    data: PreparedData, results: dict[str, Results]
) -> None:
    named = nodes.name_coefficients(data, results)
    figure = coefficient_plots.plot_coefficients(named, data, results)
    (marks,) = figure.data
    # The largest effect is that of the class, 2; all others are shares of it.
    effects = dict(zip(marks.customdata, marks.x, strict=True))
    assert effects == {"Age: 0 → 80": -0.5, "Sex: male → female": 0.5, "Pclass: 1 → 2": 1.0}
    public = replace(data, source=data.source | {"source": "original"})
    (marks,) = coefficient_plots.plot_coefficients(named, public, results).data
    assert "class: 1st class → 2nd class" in marks.customdata
    scaled = replace(data, columns=data.columns.model_copy(update={"normalisation": "deviation"}))
    (marks,) = coefficient_plots.plot_coefficients(named, scaled, results).data
    assert "Age: +1 SD" in marks.customdata


def test_a_plateau_at_the_baseline_is_named(results: dict[str, Results]) -> None:
    def draw(*values: float) -> list[str]:
        table = pd.DataFrame({"variant": "net", "epoch": range(len(values)), "valid_accuracy": values})
        annotations = learning_plots.plot_epoch_accuracies(table, results).layout.annotations
        return [drawn.text for drawn in annotations if "flat" in drawn.text]

    assert draw(0.5, *[0.25] * 6, 0.75) == ["■ flat for 6 epochs"]
    assert draw(0.5, *[0.25] * 4, 0.75) == [], "too short to be one"
    assert draw(0.5, *[0.25] * 6) == [], "it never leaves"


def test_names_at_the_ends_of_lines_do_not_cover_each_other(results: dict[str, Results]) -> None:
    net = results["net"].losses
    losses = {f"v{i}": net.assign(loss=[0.5, 0.25 + i / 1000]) for i in range(6)} | {"low": net * [1, 0.1]}
    many = {name: replace(results["net"], losses=table) for name, table in losses.items()}
    figure = learning_plots.plot_losses(many)
    top = figure.layout.yaxis.range[1]
    names = [drawn for drawn in figure.layout.annotations if drawn.xshift]
    places = sorted(drawn.y / top * learning_plots.PANEL_HEIGHT + drawn.yshift for drawn in names)
    assert len(places) == 7
    assert all(below + learning_plots.LABEL_HEIGHT - 0.5 <= above for below, above in pairwise(places))


@pytest.mark.parametrize("name", DRAWN)
def test_no_name_is_markup(data: PreparedData, results: dict[str, Results], name: str) -> None:
    columns = Features.model_validate(
        {
            "target": {"column": "Survived", "positive": 1},
            "continuous": ["<b>Age</b>"],
            "categorical": [{"column": "Sex"}, {"column": "Pclass"}],
        }
    )
    features = data.features.rename(columns={"Age": "<b>Age</b>"})
    categories = {**data.categories, "Pclass": ["1", "<a href='x'>&</a>"]}
    features = features.rename(columns={"Pclass_2": "Pclass_<a href='x'>&</a>"})
    scales = data.scales.replace("Age", "<b>Age</b>")
    hostile = replace(data, columns=columns, features=features, categories=categories, scales=scales)
    figure = DRAWN[name](hostile, {"a<i>b": results["line"], "net": results["net"]})
    text = json.dumps(figure.to_dict())
    assert not re.search(r"<(b>|a |i>)|&</", text)
    assert "a&lt;i&gt;b" in text


def test_losses_are_those_before_each_step_in_a_panel_of_their_kind(results: dict[str, Results]) -> None:
    net = results["net"]
    other = replace(net, variant=net.variant.model_copy(update={"loss": "cross_entropy"}))
    figure = learning_plots.plot_losses({"line": results["line"], "net": net, "other": other})
    assert [(line.meta, line.yaxis) for line in figure.data] == [("line", "y"), ("net", "y"), ("other", "y2")]
    assert (figure.data[1].x, figure.data[1].y) == ((0, 1), (0.5, 0.25))
    titles = (figure.layout.yaxis.title.text, figure.layout.yaxis2.title.text)
    assert titles == ("mean absolute error", "mean cross entropy")
