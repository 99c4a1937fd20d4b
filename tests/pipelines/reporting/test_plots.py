from __future__ import annotations

import json
from collections.abc import Callable

import pandas as pd
import pytest
from plotly.graph_objects import Figure

from from_scratch.pipelines.reporting import nodes, plots
from from_scratch.pipelines.reporting.gathering import PreparedData, Results

Draw = Callable[[PreparedData, dict[str, Results]], plots.Plot]
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
def test_plotly_knows_all_that_stands_in_a_plot(
    data: PreparedData, results: dict[str, Results], name: str, variants: list[str]
) -> None:
    plot = DRAWN[name](data, {variant: results[variant] for variant in variants})
    figure = Figure(plot)  # which knows each property, and refuses others
    assert json.loads(figure.to_json()) == json.loads(json.dumps(plot)) | {
        "layout": json.loads(figure.to_json())["layout"]
    }
    axes = [axis for axis in figure.select_xaxes() if axis.visible is not False]
    assert all(axis.title.text for axis in axes), "axes have names"


@pytest.mark.parametrize("name", DRAWN)
def test_a_variant_has_the_same_colour_everywhere(
    data: PreparedData, results: dict[str, Results], name: str
) -> None:
    look = plots.look_of(results)
    for trace in DRAWN[name](data, results)["data"]:
        if trace["name"] in look:
            drawn = trace.get("line", trace.get("marker"))
            assert drawn["color"] == look[trace["name"]]["color"]


def test_variants_beyond_the_colours_differ_by_symbol_and_dash() -> None:
    look = plots.look_of(f"variant{i}" for i in range(18))
    assert len({tuple(each.values()) for each in look.values()}) == 18


def test_accuracies_stand_between_the_ends_of_their_intervals(results: dict[str, Results]) -> None:
    plot = plots.plot_accuracies(results)
    line, net = plot["data"]
    assert (line["x"], net["x"]) == ([0.75], [0.5])
    low = line["x"][0] - line["error_x"]["arrayminus"][0]
    assert low == pytest.approx(results["line"].metrics["valid_accuracy_low"])
    (majority,) = plot["layout"]["shapes"]
    assert majority["x0"] == majority["x1"] == 0.25


def test_losses_of_one_variant_keep_its_colour(results: dict[str, Results]) -> None:
    alone = plots.draw_losses({"net": results["net"].losses}, results)
    assert alone["data"][0]["line"]["color"] == plots.look_of(results)["net"]["color"]
    assert alone["data"][0]["y"] == [0.5, 0.25]


def test_of_many_groups_the_largest_are_drawn_in_their_order(results: dict[str, Results]) -> None:
    groups = pd.DataFrame(
        {"group": [f"g{i}" for i in range(30)], "rows": range(30), "observed": 0.5, "line": 1.0, "net": 0.0}
    )
    labels = plots.plot_groups(groups, results)["layout"]["yaxis"]["ticktext"]
    assert labels == [f"g{i} ({i})" for i in range(6, 30)]
