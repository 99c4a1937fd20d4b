from __future__ import annotations

from collections.abc import Callable
from statistics import NormalDist
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn import metrics
from sklearn.exceptions import UndefinedMetricWarning

from from_scratch.scoring import (
    MEASURES,
    accuracy,
    baseline_accuracy,
    choose_yardstick,
    confusion,
    log_loss,
    measure,
    roc_auc,
    roc_auc_interval,
    wilson_interval,
)

PREDICTIONS = torch.tensor([0.9, 0.51, 0.5, 0.2, 1.3, -0.1])
TRUTH = torch.tensor([1.0, 0.0, 0.0, 1.0, 1.0, 0.0])


def test_accuracy_and_confusion() -> None:
    assert accuracy(PREDICTIONS, TRUTH) == 4 / 6
    assert confusion(PREDICTIONS, TRUTH) == {
        "true_positives": 2,
        "false_positives": 1,
        "true_negatives": 2,
        "false_negatives": 1,
    }


@pytest.mark.parametrize(
    ("positives", "metric"),
    [(8, "valid_roc_auc"), (20, "valid_accuracy"), (80, "valid_accuracy"), (92, "valid_roc_auc")],
)
def test_if_a_class_is_rare_accuracy_does_not_decide(positives: int, metric: str) -> None:
    counts = {"train_rows": 80, "valid_rows": 20, "valid_positives": 2, "train_positives": positives - 2}
    assert choose_yardstick({**counts, "majority_accuracy": 0.9}).metric == metric


def test_the_baseline_is_the_majority_of_the_training_rows() -> None:
    assert baseline_accuracy(torch.tensor([1.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0, 0.0])) == 1 / 4
    assert baseline_accuracy(torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0, 0.0])) == 3 / 4


@given(rows=st.integers(1, 100_000), data=st.data())
def test_wilson_interval_ends_where_the_score_test_does(rows: int, data: st.DataObject) -> None:
    share = data.draw(st.integers(0, rows)) / rows
    low, high = wilson_interval(share, rows)
    assert 0 <= low <= share + 1e-12
    assert share - 1e-12 <= high <= 1
    for end in (low, high):
        if 1e-9 < end < 1 - 1e-9:  # |share - end| = 1.96 standard errors, if the true share is `end`
            assert abs(share - end) == pytest.approx(1.959964 * (end * (1 - end) / rows) ** 0.5, rel=1e-4)


def test_wilson_interval_as_published() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20
    for seen, rows, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson_interval(seen / rows, rows) == pytest.approx((low, high), abs=5e-5)


OUTSIDE = "scores are outside 0 to 1 in 1 of 2 rows, so they are not probabilities"
TARGETS_AND_SCORES = st.lists(
    # Few distinct scores, so that many are equal; scores of 0 and 1 are often wrong.
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.500001, 0.75, 1.0])),
    min_size=2,
    max_size=60,
)
THEIRS: dict[str, Callable[[NDArray[Any], NDArray[Any]], float]] = {
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
    "precision": lambda truth, scores: metrics.precision_score(truth, scores > 0.5),
    "recall": lambda truth, scores: metrics.recall_score(truth, scores > 0.5),
    "f1": lambda truth, scores: metrics.f1_score(truth, scores > 0.5),
    "log_loss": lambda truth, scores: metrics.log_loss(truth, scores, labels=[0, 1]),
    "brier_score": metrics.brier_score_loss,
}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", THEIRS)
@given(rows=TARGETS_AND_SCORES)
def test_scikit_learn_is_the_referee(name: str, rows: list[tuple[int, float]]) -> None:
    """In float32, as runs store predictions: scikit-learn clips scores of 0 and 1 by its epsilon."""
    targets, predictions = torch.tensor(rows, dtype=torch.float32).T
    assert THEIRS.keys() == MEASURES.keys()
    values, reasons = measure(predictions.double(), targets.double())
    value = values[name]
    if value is None:
        assert name in reasons
        assert name not in ("log_loss", "brier_score"), "all these are probabilities"
        with pytest.raises((UndefinedMetricWarning, UserWarning)):
            THEIRS[name](targets.numpy(), predictions.numpy())
    else:
        assert name not in reasons
        assert value == pytest.approx(THEIRS[name](targets.numpy(), predictions.numpy()), rel=1e-6)


def test_measures_of_many_rows_are_scikit_learns_to_the_last_digits() -> None:
    generator = torch.Generator().manual_seed(0)
    targets = (torch.rand(20_000, generator=generator) < 0.08).double()
    predictions = torch.sigmoid(torch.randn(20_000, generator=generator).double() + 2 * targets - 2)
    values, reasons = measure(predictions, targets)
    assert reasons == {}
    for name, value in values.items():
        assert value == pytest.approx(THEIRS[name](targets.numpy(), predictions.numpy()), rel=1e-12), name


@pytest.mark.parametrize(
    ("predictions", "targets", "undefined"),
    [
        (
            [0.2, 0.7],
            [0, 0],
            dict.fromkeys(("roc_auc", "average_precision", "recall"), "no row is positive"),
        ),
        ([0.2, 0.7], [1, 1], {"roc_auc": "no row is negative"}),
        ([0.2, 0.3], [1, 0], {"precision": "no row is predicted positive"}),
        (
            [0.2, 1.5],
            [1, 0],
            dict.fromkeys(
                ("log_loss", "brier_score"),
                OUTSIDE,
            ),
        ),
        (
            [-1.0, 0.2],
            [0, 0],
            {
                **dict.fromkeys(("roc_auc", "average_precision", "recall"), "no row is positive"),
                "precision": "no row is predicted positive",
                "f1": "no row is positive or predicted positive",
                **dict.fromkeys(
                    ("log_loss", "brier_score"),
                    OUTSIDE,
                ),
            },
        ),
    ],
)
def test_a_measure_that_is_not_defined_has_a_reason(
    predictions: list[float], targets: list[int], undefined: dict[str, str]
) -> None:
    values, reasons = measure(torch.tensor(predictions).double(), torch.tensor(targets).double())
    assert reasons == undefined
    assert {name for name, value in values.items() if value is None} == undefined.keys()


def test_certain_and_wrong_scores_have_a_finite_loss() -> None:
    loss = log_loss(torch.tensor([0.0, 1.0]).double(), torch.tensor([1.0, 1.0]).double())
    assert loss == pytest.approx(15.942385 / 2, rel=1e-6)


@pytest.mark.parametrize(("positives", "negatives", "area"), [(16, 184, 0.8), (5, 95, 0.9), (70, 108, 0.5)])
def test_the_interval_of_a_roc_auc_contains_the_true_area(
    positives: int, negatives: int, area: float
) -> None:
    """For normally distributed scores in both classes, in 95 of 100 cases."""
    generator = torch.Generator().manual_seed(0)
    targets = (torch.arange(positives + negatives) < positives).double()
    shift = NormalDist().inv_cdf(area) * 2**0.5
    covered = 0
    for _ in range(400):
        scores = torch.randn(len(targets), generator=generator).double() + shift * targets
        low, high = roc_auc_interval(roc_auc(scores, targets), positives, negatives)
        covered += low <= area <= high
    assert 0.92 < covered / 400 < 0.98


def test_the_interval_of_a_roc_auc_has_a_width_at_0_and_1() -> None:
    assert roc_auc_interval(1.0, 5, 95) == pytest.approx((0.7998, 1.0), abs=1e-4)
    assert roc_auc_interval(0.0, 5, 95) == pytest.approx((0.0, 0.2002), abs=1e-4)
    low, high = roc_auc_interval(0.5, 1, 1)
    assert 0 <= low < 0.1
    assert high == pytest.approx(1 - low)
