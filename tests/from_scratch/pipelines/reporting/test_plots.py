from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
from plotly.graph_objects import Figure
from plotly.io import from_json

from from_scratch.pipelines.reporting import nodes, plots
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.schema.features import Features

Draw = Callable[[PreparedData, dict[str, Results]], Figure]
DRAWN: dict[str, Draw] = {
    "accuracies": lambda data, results: plots.plot_accuracies(results),
    "losses": lambda data, results: plots.plot_losses(results),
    "coefficients": lambda data, results: plots.plot_coefficients(
        nodes.name_coefficients(data, results), results
    ),
    "groups": lambda data, results: plots.plot_groups(nodes.compare_groups(data, results), results),
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
    assert all(axis.title.text for axis in axes), "axes have names"


@pytest.mark.parametrize("name", DRAWN)
def test_a_variant_has_the_same_colour_everywhere(
    data: PreparedData, results: dict[str, Results], name: str
) -> None:
    look = plots.look_of(results)
    for trace in DRAWN[name](data, results).to_dict()["data"]:
        if trace["name"] in look:
            drawn = trace.get("line", trace.get("marker"))
            assert drawn["color"] == look[trace["name"]]["color"]


def test_variants_beyond_the_colours_differ_by_symbol_and_dash() -> None:
    look = plots.look_of(f"variant{i}" for i in range(18))
    assert len({tuple(each.values()) for each in look.values()}) == 18


def test_accuracies_stand_between_the_ends_of_their_intervals(results: dict[str, Results]) -> None:
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


def test_bars_and_marks_are_shares_of_their_group(data: PreparedData, results: dict[str, Results]) -> None:
    groups = nodes.compare_groups(replace(data, source=data.source | {"source": "original"}), results)
    bars, line, net = plots.plot_groups(groups, results).to_dict()["data"]
    assert bars["x"] == groups["observed"].tolist()
    assert (line["name"], line["x"]) == ("line", groups["line"].tolist())
    assert (net["name"], net["x"]) == ("net", groups["net"].tolist())
    for place, (above, below) in enumerate(zip(line["y"], net["y"], strict=True)):
        assert place - 0.45 < above < place < below < place + 0.45, "a lane each, within the bar"


def test_bars_are_the_coefficients(data: PreparedData, results: dict[str, Results]) -> None:
    (bars,) = plots.plot_coefficients(nodes.name_coefficients(data, results), results).data
    assert dict(zip(bars.y, bars.x, strict=True)) == {
        "Age": -1.0,
        "Sex_male": 0.5,
        "Sex_female": 1.5,
        "Pclass_1": 0.0,
        "Pclass_2": 2.0,
    }


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
    hostile = replace(data, columns=columns, features=features, categories=categories)
    figure = DRAWN[name](hostile, {"a<i>b": results["line"], "net": results["net"]})
    text = json.dumps(figure.to_dict())
    assert not re.search(r"<(b>|a |i>)|&</", text)
    assert "a&lt;i&gt;b" in text


def test_losses_of_one_variant_keep_its_colour(results: dict[str, Results]) -> None:
    alone = plots.draw_losses({"net": results["net"].losses}, results)
    assert alone.data[0].line.color == plots.look_of(results)["net"]["color"]
    assert alone.data[0].y == (0.5, 0.25)


def test_of_many_groups_the_largest_are_drawn_in_their_order(results: dict[str, Results]) -> None:
    groups = pd.DataFrame(
        {"group": [f"g{i}" for i in range(30)], "rows": range(30), "observed": 0.5, "line": 1.0, "net": 0.0}
    )
    labels = plots.plot_groups(groups, results).layout.yaxis.ticktext
    assert labels == tuple(f"g{i} ({i})" for i in range(6, 30))
