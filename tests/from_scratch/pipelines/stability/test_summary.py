from __future__ import annotations

import pandas as pd
import pytest

from from_scratch.pipelines.stability.statistics import estimate_mean
from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability
from tests.from_scratch.pipelines.stability.conftest import ACCURACIES, make_runs


def row_of(summary: pd.DataFrame, variant: str) -> pd.Series:
    row: pd.Series = summary.set_index("variant").T[variant]
    return row


def test_spread_of_the_accuracies(summary: pd.DataFrame) -> None:
    line = row_of(summary, "line")
    assert summary["variant"].tolist() == ["line", "curve", "net"]
    assert (line["model"], line["seeds"], line["splits"], line["runs"]) == ("linear", 2, 2, 4)
    names = ["minimum", "lower_quartile", "median", "upper_quartile", "maximum", "mean"]
    assert line[names].tolist() == pytest.approx([0.7, 0.73, 0.77, 0.8, 0.8, 0.76])
    assert line["deviation"] == pytest.approx(0.0489898)
    assert line[["majority", "majority_minimum", "majority_maximum"]].tolist() == pytest.approx(
        [0.61, 0.6, 0.62]
    )


def test_runs_at_or_below_the_baseline_of_their_split_are_counted(summary: pd.DataFrame) -> None:
    net = row_of(summary, "net")
    assert net["at_majority"] == 0.75
    assert (net["at_majority_minimum"], net["at_majority_maximum"]) == (0.5, 1)
    assert (net["at_majority_low"], net["at_majority_high"]) == (0, 1)
    assert row_of(summary, "line")["at_majority"] == 0


def test_differences_are_of_the_same_seed_and_split(summary: pd.DataFrame) -> None:
    import numpy as np

    curve = row_of(summary, "curve")
    pairs = np.array([[0.0, 0.02], [0.02, 0.04]])
    assert curve[["difference", "difference_low", "difference_high"]].tolist() == pytest.approx(
        estimate_mean(pairs, ratio=0.25)
    )
    assert curve[["better", "equal", "worse"]].tolist() == [0.75, 0.25, 0]
    assert curve["trained_difference"] == curve["difference"]


def test_runs_that_train_are_judged_alone(summary: pd.DataFrame) -> None:
    net = row_of(summary, "net")
    assert net["trained_difference"] == pytest.approx(0.06)
    assert net[["trained_difference_low", "trained_difference_high"]].isna().all(), "of one run"
    flat = summarise(make_runs(ACCURACIES | {"net": ("deep", [[0.6, 0.6], [0.6, 0.62]])}), Stability())
    assert row_of(flat, "net").filter(like="trained").isna().all(), "none trains"


def test_the_reference_has_no_difference(summary: pd.DataFrame, runs: pd.DataFrame) -> None:
    assert row_of(summary, "line")[["difference", "better", "trained_difference"]].isna().all()
    assert set(summary["reference"]) == {"line"}
    assert set(summarise(runs, Stability())["reference"]) == {"line"}, "the first, if none is named"
    assert row_of(summarise(runs, Stability(reference="net")), "line")["difference"] > 0


def test_order_of_the_rows_does_not_matter(summary: pd.DataFrame, runs: pd.DataFrame) -> None:
    shuffled = pd.concat([table.iloc[::-1] for _, table in runs.groupby("variant", sort=False)])
    pd.testing.assert_frame_equal(summarise(shuffled, Stability(reference="line")), summary)
