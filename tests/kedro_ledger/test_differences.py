"""Descriptions of differences."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch

from kedro_ledger.differences import compare, describe_difference, flatten


@pytest.mark.parametrize(
    ("one", "other", "message"),
    [
        ({"a": 1, "b": {"c": 2.5}}, {"a": 1, "b": {"c": 2.0}}, "largest difference 0.5 in b.c"),
        ({"a": 1}, {"b": 1}, "a is only in one version; b is only in one version"),
        ({"a": "x"}, {"a": "y"}, "a differs in 1 of 1 values"),
        ({"a": None}, {"a": None}, "the same values in different bytes"),
        ({"a": float("nan")}, {"a": float("nan")}, "the same values in different bytes"),
        ({"a": float("nan")}, {"a": 1.0}, "largest difference inf in a"),
        ({"a": True}, {"a": False}, "largest difference 1 in a"),
        ([1, 2], [1, 3], "largest difference 1 in its value"),
        ([1, 2], [1, 2, 3], "its value has shape (2,), now (3,)"),
        (
            {"w": torch.zeros(2, 3), "v": torch.ones(2)},
            {"w": torch.zeros(2, 3), "v": torch.tensor([1, 1.25])},
            "largest difference 0.25 in v",
        ),
        (
            pd.DataFrame({"n": [1, 2], "s": ["x", "y"]}),
            pd.DataFrame({"n": [1, 5], "s": ["x", "z"]}),
            "largest difference 3 in n; s differs in 1 of 2 values",
        ),
    ],
)
def test_contents_are_compared_number_by_number(one: Any, other: Any, message: str) -> None:
    assert describe_difference(one, other) == message


def test_dictionaries_are_compared_under_names_with_dots() -> None:
    one, other = flatten({"a": {"x": 1, "y": 2}, "b": 3}), flatten({"a": {"x": 1, "y": 5}, "c": 4})
    assert compare(one, other) == {"a.y": (2, 5), "b": (3, None), "c": (None, 4)}
