"""Features that give the answer away are found and reported."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from from_scratch.pipelines.data_processing import leaks, nodes
from from_scratch.schema.features import Features
from from_scratch.schema.parameters import Split

ROWS = 300
DRAW = np.random.default_rng(7)
IS_YES = DRAW.integers(0, 2, ROWS) == 1


def describe(values: object, is_yes: np.ndarray = IS_YES) -> str:
    return leaks.describe_leak(pd.Series(values), is_yes)


@pytest.mark.parametrize(
    ("values", "leak"),
    [
        (np.where(IS_YES, "a", "b"), "each of its values has one answer"),
        (np.where(IS_YES, 1, 2), "each of its values has one answer"),
        (np.where(IS_YES, 1, -1) * DRAW.uniform(1, 2, ROWS), "a single threshold separates the answers"),
        (np.where(IS_YES, DRAW.uniform(1, 2, ROWS), np.nan), "it is missing in all rows with one answer"),
        (
            pd.Series(np.where(IS_YES, "a", "b")).where(IS_YES | (DRAW.uniform(size=ROWS) < 0.5)),
            "each of its values",
        ),
        (DRAW.normal(size=ROWS), ""),
        (DRAW.choice(["a", "b", "c"], ROWS), ""),
        ([f"name {place}" for place in range(ROWS)], ""),
        (np.repeat("a", ROWS), ""),
        (np.repeat(np.nan, ROWS), ""),
        (pd.Series("rare", range(ROWS)).where(DRAW.uniform(size=ROWS) < 0.05), ""),
    ],
)
def test_a_column(values: object, leak: str) -> None:
    found = describe(values)
    assert found.startswith(leak)
    assert bool(found) == bool(leak)


def test_one_row_that_differs_is_enough() -> None:
    values = np.where(IS_YES, "a", "b").astype(object)
    values[np.flatnonzero(IS_YES)[0]] = "b"
    assert describe(values) == ""


def test_an_amount_that_is_often_0_for_one_answer_is_no_leak() -> None:
    are_zero = ~IS_YES & (np.arange(ROWS) < ROWS // 2)
    assert describe(np.where(are_zero, 0, DRAW.uniform(1, 2, ROWS))) == ""


def test_a_coincidence_is_not_a_leak() -> None:
    few = np.array([True] * 5 + [False] * 5)
    assert describe([*range(10)], few) == ""
    assert describe(["a"] * 5 + ["b"] * 5, few) == ""
    many = np.array([True] * 20 + [False] * 20)
    assert describe([*range(40)], many) == "a single threshold separates the answers"
    assert describe(["a"] * 20 + ["b"] * 20, many) == "each of its values has one answer"


def test_the_last_of_many_rows_count_too() -> None:
    rows = 3 * leaks.FIRST_ROWS
    is_yes = np.arange(rows) >= leaks.FIRST_ROWS  # the first rows have one answer only
    assert describe(np.where(is_yes, "a", "b"), is_yes) == "each of its values has one answer"
    values = np.where(is_yes, "a", "b").astype(object)
    values[-1] = "b"
    assert describe(values, is_yes) == ""


def test_a_run_warns_of_them(caplog: pytest.LogCaptureFixture) -> None:
    rows = pd.DataFrame(
        {"size": DRAW.normal(size=ROWS), "sale": np.where(IS_YES, "sold", "left"), "sold": IS_YES}
    )
    features = Features.model_validate(
        {"target": {"column": "sold", "positive": True}, "continuous": ["size"], "categorical": ["sale"]}
    )
    rows.attrs["file"] = "own.csv"
    _, source = nodes.ingest(rows, features, Split(seed=1, validation_fraction=0.2))
    assert source["leaks"] == {"sale": "each of its values has one answer"}
    assert "own.csv: column sale gives the answer away: each of its values has one answer" in caplog.text
    ignoring = features.model_copy(update={"categorical": [], "ignore": ["sale"]})
    caplog.clear()
    assert nodes.ingest(rows, ignoring, Split(seed=1, validation_fraction=0.2))[1]["leaks"] == {}
    assert caplog.text == ""
