from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from from_scratch.scoring import accuracy, baseline_accuracy, confusion, wilson_interval

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
        if 1e-9 < end < 1 - 1e-9:  # |share - end| = 1.96 standard errors of a share that truly is `end`
            assert abs(share - end) == pytest.approx(1.959964 * (end * (1 - end) / rows) ** 0.5, rel=1e-4)


def test_wilson_interval_as_published() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263, 15 of 148, 0 of 20
    for seen, rows, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]:
        assert wilson_interval(seen / rows, rows) == pytest.approx((low, high), abs=5e-5)
