from __future__ import annotations

from math import isnan, sqrt

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from from_scratch.pipelines.stability.statistics import estimate_mean, estimate_share, student_quantile

T_OF_ONE_DEGREE = 12.7062047


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 5, 9, 10, 57, 100, 999])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_student_quantile_is_that_of_scipy(degrees: int, confidence: float) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert student_quantile(degrees, confidence) == pytest.approx(expected, rel=1e-9)


def test_interval_by_hand() -> None:
    values = np.array([[1.0, 2.0, 6.0], [3.0, 4.0, 8.0]])  # means of splits: 3 and 5; of seeds: 2, 3 and 7
    error = sqrt((1 / 2 + 0.25) * 2 + 7 / 3)
    mean, low, high = estimate_mean(values, ratio=0.25)
    assert mean == 4
    assert (low, high) == pytest.approx((4 - T_OF_ONE_DEGREE * error, 4 + T_OF_ONE_DEGREE * error))


def test_missing_values_are_ignored() -> None:
    nan = np.nan
    values = np.array([[1.0, nan, 3.0], [nan, nan, nan], [5.0, nan, nan]])
    mean, low, high = estimate_mean(values, ratio=0.25)  # means of splits: 2 and 5; of seeds: 3 and 3
    assert mean == 3
    reach = T_OF_ONE_DEGREE * sqrt((1 / 2 + 0.25) * 4.5)
    assert (low, high) == pytest.approx((3 - reach, 3 + reach))


def test_no_value_has_no_mean_and_one_split_or_seed_has_no_interval() -> None:
    assert all(map(isnan, estimate_mean(np.full((3, 4), np.nan), 0.25)))
    for alone in (np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]])):
        mean, low, high = estimate_mean(alone, 0.25)
        assert mean == 1.5
        assert isnan(low)
        assert isnan(high)


def test_equal_values_have_an_interval_of_no_width() -> None:
    assert estimate_mean(np.full((5, 200), 0.5), 0.25) == (0.5, 0.5, 0.5)


def test_a_share_stays_between_none_and_all() -> None:
    share, low, high = estimate_share(np.array([[1.0, 0.0], [0.0, 0.0]]), 0.25)
    assert (share, low, high) == (0.25, 0, 1)


def test_the_interval_contains_the_truth_about_as_often_as_it_should() -> None:
    generator = np.random.default_rng(1)
    held = 0
    for _ in range(400):  # effects of splits, of seeds and of both, as of runs on fresh data
        values = generator.normal(size=(5, 1)) + generator.normal(size=20) + generator.normal(size=(5, 20))
        _, low, high = estimate_mean(values, ratio=0)
        held += low <= 0 <= high
    assert held / 400 > 0.93
