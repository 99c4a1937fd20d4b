from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from from_scratch.pipelines.reporting.statistics import sign_test


@pytest.mark.parametrize(
    ("ours", "theirs", "chance"),
    [(0, 0, 1), (5, 5, 1), (0, 1, 1), (0, 6, 2 / 64), (1, 7, 2 * (1 + 8) / 256), (7, 1, 2 * (1 + 8) / 256)],
)
def test_sign_test_counts_all_splits_as_uneven(ours: int, theirs: int, chance: float) -> None:
    assert sign_test(ours, theirs) == pytest.approx(chance)


@given(fewer=st.integers(400, 500))
def test_sign_test_of_many_games_goes_on_where_that_of_fewer_ended(fewer: int) -> None:
    exact, approximate = sign_test(fewer, 1000 - fewer), sign_test(fewer, 1001 - fewer)
    assert approximate == pytest.approx(exact, rel=0.15)
    assert approximate <= exact
