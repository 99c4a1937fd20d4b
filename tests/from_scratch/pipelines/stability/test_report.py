"""The study in the report and on the console."""

from __future__ import annotations

import re

import pandas as pd
import pytest
from plotly.io import from_json

from from_scratch.pipelines.reporting import console, plots
from from_scratch.pipelines.reporting.sentences import format_percent, format_points
from from_scratch.pipelines.reporting.study_sentences import describe_depth, describe_luck, describe_study
from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability, Variant
from kedro_ledger.styles import assign_styles
from tests.from_scratch.pipelines.stability.conftest import ACCURACIES, make_runs


def make_summary(**changes: object) -> pd.DataFrame:
    """Return a summary of a reference and a deep net, with changes to the net's row."""
    numbers = {
        "model": "deep",
        "reference": "line",
        "seeds": 200,
        "splits": 5,
        "runs": 1000,
        "mean": 0.8,
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


LINE = Variant(model="linear", seed=1, learning_rate=4, epochs=30)
NET = Variant(model="deep", seed=1, learning_rate=4, epochs=30, hidden=[10, 10])
NO_RUNS = pd.DataFrame()
VARIANTS = dict.fromkeys(["line", "curve", "net", "last"], NET)


def describe(summary: pd.DataFrame) -> list[str]:
    return describe_study(summary, NO_RUNS, VARIANTS)


@pytest.mark.parametrize(
    ("changes", "expected"),
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
            "Over 200 seeds and 5 splits, net does not differ measurably from line: +1.2 points of accuracy "
            "on average (95 % interval −2.0 to +2.0).",
        ),
        (
            {"difference": 0.0, "difference_low": 0.0, "difference_high": 0.0, "equal": 1.0},
            "Over 200 seeds and 5 splits, net is right exactly as often as line in every pair of runs.",
        ),
        (
            {"difference": 0.02, "difference_low": 0.02, "difference_high": 0.02},
            "Over 200 seeds and 5 splits, net does not differ measurably from line: +2.0 points of accuracy "
            "on average (95 % interval +2.0 to +2.0).",
        ),
        (
            {"model": "sigmoid"},
            "Over 200 seeds and 5 splits, net is better than line: +1.2 points of accuracy on average "
            "(95 % interval +0.1 to +2.0).",
        ),
    ],
)
def test_is_it_better(changes: dict[str, object], expected: str) -> None:
    assert describe(make_summary(**changes))[0] == expected


NOT_TRAINED = "Runs that do not train are no better than the baseline."


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "net trains in 75.0 % of its 1,000 runs (95 % interval 60.0 % to 90.0 %); these differ from line "
            f"by +3.0 points (+1.0 to +5.0). {NOT_TRAINED}",
        ),
        (
            {"trained_difference_low": float("nan"), "at_majority": 0.999, "at_majority_high": 1.0},
            "net trains in 0.1 % of its 1,000 runs (95 % interval 0 % to 90.0 %); these differ from line by "
            f"+3.0 points. {NOT_TRAINED}",
        ),
        ({"at_majority": 0.0}, "net trains in all of its 1,000 runs."),
        ({"at_majority": 1.0}, f"net trains in none of its 1,000 runs. {NOT_TRAINED}"),
    ],
)
def test_how_often_it_trains(changes: dict[str, object], expected: str) -> None:
    assert describe(make_summary(**changes))[1] == expected


def test_the_single_change_that_makes_a_net_train_comes_first() -> None:
    variants = {
        "line": NET.model_copy(update={"model": "linear"}),
        "net": NET,
        "he": NET.model_copy(update={"initialisation": "he", "seed": 2}),
        "adam": NET.model_copy(update={"optimiser": "adam", "learning_rate": 0.01}),
    }
    row = make_summary().iloc[1].to_dict()
    shares = {"line": 0.0, "net": 0.941, "he": 0.011, "adam": 0.0}
    summary = pd.DataFrame(
        [
            row | {"variant": name, "at_majority": share, "at_majority_low": share, "at_majority_high": share}
            for name, share in shares.items()
        ]
    )
    first, verdict, _ = describe_study(summary, NO_RUNS, variants)
    assert first == (
        "A single change, initialisation: he, makes net train. With it (variant he), 98.9 % of the runs end "
        "above the baseline; without it, 5.9 %."
    )
    assert verdict.startswith("Compared with line over 200 seeds")
    nothing = summary.assign(at_majority=[0.0, 0.941, 0.2, 0.0])
    assert len(describe_study(nothing, NO_RUNS, variants)) == 2, "80 % is not nearly always"
    unsure = summary.assign(at_majority_high=1.0)
    assert len(describe_study(unsure, NO_RUNS, variants)) == 2, "the intervals overlap"
    for trivial in ({"epochs": 90}, {"hidden": [99]}, {"model": "neural_net"}):
        changed = variants | {"he": NET.model_copy(update=trivial)}
        assert len(describe_study(summary, NO_RUNS, changed)) == 2, trivial


def test_depth_is_judged_by_pairs_of_runs() -> None:
    variants = VARIANTS | {"line": LINE, "curve": LINE}

    def describe_made(net: list[list[float]]) -> str:
        runs = make_runs(ACCURACIES | {"net": ("deep", net)})
        (sentence,) = describe_depth(summarise(runs, Stability()), runs, variants)
        return sentence

    assert describe_made([[0.70, 0.76], [0.82, 0.86]]).startswith(
        "Depth brings no measurable gain here. Over 2 seeds and 2 splits, the best net with hidden layers "
        "(net) "
        "does not differ measurably from the best model without (curve): +0.5 points of accuracy on average "
        "(95 % interval "
    )
    worse = describe_made([[0.6, 0.67], [0.72, 0.73]])
    assert worse.startswith("Depth does not help here. ")
    assert "(net) is worse than the best model without (curve): −10.0 points" in worse
    better = describe_made([[0.80, 0.85], [0.92, 0.95]])
    assert better.startswith("Depth gains 10.0 points here. ")
    assert "(net) is better than the best model without (curve)" in better
    runs = make_runs(ACCURACIES)
    assert describe_depth(summarise(runs, Stability()), runs, VARIANTS) == [], "all have hidden layers"


def test_an_accuracy_that_most_seeds_do_not_reach_is_luck() -> None:
    comparison = pd.DataFrame(
        {"variant": ["line", "net"], "valid_accuracy": [0.8, 0.8258], "majority_accuracy": 0.6}
    )
    (sentence,) = describe_luck(make_summary(at_majority=0.941), comparison)
    assert sentence == "The accuracy of net in this run, 0.8258, is luck: from most seeds it does not train."
    assert describe_luck(make_summary(at_majority=0.941), comparison.assign(valid_accuracy=0.6)) == []


def test_all_deep_nets_are_described_or_else_each_variant(runs: pd.DataFrame) -> None:
    two = summarise(make_runs(ACCURACIES | {"last": ACCURACIES["net"]}), Stability())
    verdict, trained = describe(two)
    assert verdict.startswith(
        "Compared with line over 2 seeds and 2 splits, in points of accuracy (95 % interval): "
    )
    assert re.search(
        r"curve \S+ \(.*\), net \S+ \(.*\) and last \S+ \(.*\) are not measurably different\.", verdict
    )
    assert trained.startswith(
        "Of 4 runs each, net trains in 25.0 % (95 % interval 0 % to 100 %) and last in 25.0 % (95 % "
    )
    without = summarise(runs[runs["variant"] != "net"], Stability())
    assert "curve does not differ measurably from line" in describe(without)[0]
    of_deep = summarise(runs.replace({"variant": {"line": "net", "net": "line"}}), Stability(reference="net"))
    of_deep["model"] = "linear"
    verdict, trained = describe(of_deep)
    assert "curve +" in verdict
    assert trained.startswith("Of 4 runs each, curve trains in ")
    alone = summarise(runs[runs["variant"] == "line"], Stability())
    verdict, trained = describe(alone)
    assert verdict == "Only line was trained, so there is nothing to compare it with."
    assert trained == "line trains in all of its 4 runs."


def test_better_and_worse_variants_are_named_apart() -> None:
    row = make_summary().iloc[1].to_dict()
    ends = {"a": (0.1, 0.2), "b": (-0.2, -0.1), "c": (-0.1, 0.1), "d": (0.05, 0.06)}
    rows = [
        row
        | {"variant": name, "difference": (low + high) / 2, "difference_low": low, "difference_high": high}
        for name, (low, high) in ends.items()
    ]
    summary = pd.DataFrame([make_summary().iloc[0].to_dict() | {"model": "linear"}, *rows])
    verdict = describe_study(summary, NO_RUNS, dict.fromkeys([*ends, "line"], NET))[0]
    assert verdict == (
        "Compared with line over 200 seeds and 5 splits, in points of accuracy (95 % interval): "
        "a +15.0 (+10.0 to +20.0) and d +5.5 (+5.0 to +6.0) are better; "
        "b −15.0 (−20.0 to −10.0) is worse; "
        "c +0.0 (−10.0 to +10.0) is not measurably different."
    )


def test_a_reference_that_is_worse_than_the_baseline_gives_way_to_it() -> None:
    """A variant that is better than a line that has learnt nothing may itself have learnt nothing."""
    bad = {"line": ("linear", [[0.4, 0.4], [0.4, 0.42]]), "net": ("deep", [[0.6, 0.6], [0.6, 0.62]])}
    summary = summarise(make_runs(bad), Stability(reference="line"))
    assert set(summary["reference"]) == {"baseline"}
    verdict, trained = describe(summary)
    assert "net is better" not in verdict
    assert "the baseline" in verdict
    assert trained.startswith("net trains in none of its 4 runs")
    assert "points against baseline" in console.render_study(summary, NO_RUNS, VARIANTS)


def test_shares_near_0_and_1_are_not_rounded_to_them() -> None:
    shares = [0, 1e-6, 0.0005, 0.5, 0.9994, 0.99999, 1]
    expected = ["0 %", "less than 0.1 %", "0.1 %", "50.0 %", "99.9 %", "more than 99.9 %", "100 %"]
    assert [*map(format_percent, shares)] == expected
    assert [*map(format_points, [0.0, -1e-9, -0.012, 0.012])] == ["+0.0", "+0.0", "−1.2", "+1.2"]


def test_console_has_a_row_for_each_variant(summary: pd.DataFrame) -> None:
    text = console.render_study(summary, NO_RUNS, VARIANTS)
    assert "stability: 2 seeds on 2 splits" in text
    rows = {line.split()[0]: line for line in text.splitlines()[3:7]}
    assert "0.7600" in rows["line"]
    assert rows["line"].split()[-2:] == ["-", "-"]
    assert "75.0 %" in rows["net"]
    assert text.rstrip().endswith("\n".join(describe(summary)))


def test_a_variant_has_the_colour_that_it_has_in_the_other_plots(
    runs: pd.DataFrame, summary: pd.DataFrame
) -> None:
    figure = plots.plot_stability(runs, summary, dict.fromkeys(["other", *ACCURACIES]))  # type: ignore[arg-type]
    assert from_json(figure.to_json(engine="json")).to_dict()["data"] == figure.to_dict()["data"]
    assert all(axis.title.text for axis in figure.select_xaxes())
    styles = assign_styles(["other", *ACCURACIES])
    for trace in figure.data:
        assert trace.marker.color == styles[trace.name]["color"]


def test_a_lane_is_as_thick_as_the_share(runs: pd.DataFrame, summary: pd.DataFrame) -> None:
    figure = plots.plot_stability(runs, summary, dict.fromkeys(ACCURACIES))  # type: ignore[arg-type]
    plot = figure.to_dict()
    (net,) = [trace for trace in plot["data"] if trace["type"] == "bar" and trace["name"] == "net"]
    assert dict(zip(net["x"], net["customdata"], strict=True)) == {0.6: 0.5, 0.62: 0.25, 0.8: 0.25}
    thin, thick = sorted({*net["y"]})
    assert thin == pytest.approx(thick / 2)
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
