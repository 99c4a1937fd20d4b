"""What the report and the console say of the study."""

from __future__ import annotations

import pandas as pd
import pytest
from plotly.io import from_json

from from_scratch.pipelines.reporting import console, plots
from from_scratch.pipelines.reporting.page import _describe_study
from from_scratch.pipelines.reporting.sentences import (
    describe_study,
    describe_training,
    format_percent,
    format_points,
)
from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability
from tests.from_scratch.pipelines.stability.conftest import ACCURACIES, make_runs


def told(**changes: object) -> pd.DataFrame:
    """The summary of a reference and a deep net, which says what it is told to."""
    numbers = {
        "model": "deep",
        "reference": "line",
        "seeds": 200,
        "splits": 5,
        "runs": 1000,
        "difference": 0.0123,
        "difference_low": 0.001,
        "difference_high": 0.02,
        "at_majority": 0.25,
        "at_majority_low": 0.1,
        "at_majority_high": 0.4,
        "trained_difference": 0.03,
        "equal": 0.1,
        "trained_difference_low": 0.01,
        "trained_difference_high": 0.05,
    }
    return pd.DataFrame([{"variant": "line", **numbers}, {"variant": "net", **numbers, **changes}])


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "Yes: over 200 seeds and 5 splits, net is better than line: +1.2 points of accuracy on average "
            "(95 % interval +0.1 to +2.0).",
        ),
        (
            {"difference": -0.0123, "difference_low": -0.02, "difference_high": -0.001},
            "No: over 200 seeds and 5 splits, net is worse than line: −1.2 points of accuracy on average "
            "(95 % interval −2.0 to −0.1).",
        ),
        (
            {"difference_low": -0.02},
            "Over 200 seeds and 5 splits, net can't be told apart from line: +1.2 points of accuracy on "
            "average (95 % interval −2.0 to +2.0).",
        ),
        (
            {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0, "equal": 1.0},
            "Over 200 seeds and 5 splits, net is as often right as line in every pair of runs.",
        ),
        (
            {"difference": 0.02, "difference_low": 0.02, "difference_high": 0.02},
            "Over 200 seeds and 5 splits, net can't be told apart from line: +2.0 points of accuracy on "
            "average (95 % interval +2.0 to +2.0).",
        ),
        (
            {"model": "sigmoid"},
            "Over 200 seeds and 5 splits, net is better than line: +1.2 points of accuracy on average "
            "(95 % interval +0.1 to +2.0).",
        ),
    ],
)
def test_is_it_better(changes: dict[str, object], said: str) -> None:
    assert describe_study(told(**changes)) == said


NOT = "; runs that don't train do no better than always giving the answer that is more frequent in training."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {},
            "net trains in 75.0 % of its 1,000 runs (95 % interval 60.0 % to 90.0 %), which differ from line "
            f"by +3.0 points (+1.0 to +5.0){NOT}",
        ),
        (
            {"trained_difference_low": float("nan"), "at_majority": 0.999, "at_majority_high": 1.0},
            "net trains in 0.1 % of its 1,000 runs (95 % interval 0 % to 90.0 %), which differ from line "
            f"by +3.0 points{NOT}",
        ),
        ({"at_majority": 0.0}, "net trains in all of its 1,000 runs."),
        ({"at_majority": 1.0}, f"net trains in none of its 1,000 runs{NOT}"),
    ],
)
def test_how_often_it_trains(changes: dict[str, object], said: str) -> None:
    assert describe_training(told(**changes)) == said


def test_all_deep_nets_are_spoken_of_or_else_each_variant(runs: pd.DataFrame) -> None:
    two = summarise(make_runs(ACCURACIES | {"last": ACCURACIES["net"]}), Stability())
    assert "last can't be told apart" in describe_study(two)
    assert "net can't be told apart" in describe_study(two)
    assert "curve" not in describe_study(two)
    without = summarise(runs[runs["variant"] != "net"], Stability())
    assert "curve can't be told apart from line" in describe_study(without)
    of_deep = summarise(runs, Stability(reference="net"))
    assert "line can't be told apart from net" in describe_study(of_deep)
    assert "; curve can't be told apart from net" in describe_study(of_deep)
    trained = "line trains in all of its 4 runs; curve trains in all of its 4 runs."
    assert describe_training(of_deep) == trained
    alone = summarise(runs[runs["variant"] == "net"], Stability())
    assert describe_study(alone) == "Only net was trained: there is nothing to hold it against."
    assert describe_training(alone).startswith("net trains in 25.0 % of its 4 runs (95 %")


def test_shares_that_are_not_all_or_none_do_not_look_so() -> None:
    shares = [0, 1e-6, 0.0005, 0.5, 0.9994, 0.99999, 1]
    expected = ["0 %", "less than 0.1 %", "0.1 %", "50.0 %", "99.9 %", "more than 99.9 %", "100 %"]
    assert [*map(format_percent, shares)] == expected
    assert [*map(format_points, [0.0, -1e-9, -0.012, 0.012])] == ["+0.0", "+0.0", "−1.2", "+1.2"]


def test_console_has_a_row_for_each_variant(summary: pd.DataFrame) -> None:
    said = console.render_study(summary)
    assert "stability: 2 seeds on 2 splits" in said
    rows = {line.split()[0]: line for line in said.splitlines()[3:7]}
    assert "0.7600" in rows["line"]
    assert rows["line"].split()[-2:] == ["-", "-"]
    assert "75.0 %" in rows["net"]
    assert said.rstrip().endswith(f"{describe_study(summary)}\n{describe_training(summary)}")


def test_a_variant_has_the_colour_that_it_has_in_the_other_plots(
    runs: pd.DataFrame, summary: pd.DataFrame
) -> None:
    figure = plots.plot_stability(runs, summary, dict.fromkeys(["other", *ACCURACIES]))  # type: ignore[arg-type]
    assert from_json(figure.to_json(engine="json")).to_dict()["data"] == figure.to_dict()["data"]
    assert all(axis.title.text for axis in figure.select_xaxes())
    look = plots.look_of(["other", *ACCURACIES])
    for trace in figure.data:
        assert trace.marker.color == look[trace.name]["color"]


def test_a_lane_is_as_thick_as_the_root_of_the_share(runs: pd.DataFrame, summary: pd.DataFrame) -> None:
    figure = plots.plot_stability(runs, summary, dict.fromkeys(ACCURACIES))  # type: ignore[arg-type]
    plot = figure.to_dict()
    (net,) = [trace for trace in plot["data"] if trace["type"] == "bar" and trace["name"] == "net"]
    assert dict(zip(net["x"], net["customdata"], strict=True)) == {0.6: 0.5, 0.62: 0.25, 0.8: 0.25}
    thin, thick = sorted({*net["y"]})
    assert thin == pytest.approx(thick / 2**0.5)
    assert [base + y / 2 for base, y in zip(net["base"], net["y"], strict=True)] == pytest.approx([2, 2, 2])
    (mark,) = [trace for trace in plot["data"] if trace["type"] == "scatter" and trace["name"] == "line"]
    assert mark["x"] == [pytest.approx(0.76)]
    low, high = plot["layout"]["xaxis"]["range"]
    assert low < 0.6
    assert high > 0.84


def test_thousands_of_runs_make_a_small_plot() -> None:
    spread = [[0.5 + i % 178 / 1780 for i in range(5000)] for _ in range(2)]
    runs = make_runs({"line": ("linear", spread), "net": ("deep", spread)}).assign(valid_rows=178)
    figure = plots.plot_stability(runs, summarise(runs, Stability()), dict.fromkeys(["line", "net"]))  # type: ignore[arg-type]
    assert len(figure.to_json()) < 5000


def test_page_has_no_difference_where_there_is_none(summary: pd.DataFrame) -> None:
    rows = {row["variant"]: row for row in _describe_study(summary)["rows"]}
    assert rows["line"]["difference"] is None
    assert rows["net"]["trained_difference_low"] is None
    assert rows["net"]["difference"] is not None
