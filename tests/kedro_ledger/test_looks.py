"""How lines look, and in which order they come."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_ledger.looks import look_of, order_names


@pytest.mark.parametrize(
    ("parameters", "order"),
    [
        ({}, ["b", "a", "other"]),
        ({"unrelated": {"x": 1}}, ["b", "a", "other"]),
        ({"variants": {"a": {"rate": 1}, "b": {"rate": 2}, "c": {}}}, ["a", "b", "c", "other"]),
        ({"deeper": {"variants": {"a": {}, "gone": None, "b": {}}}}, ["a", "b", "other"]),
        ({"a": 1, "variants": {"a": 1, "b": 2}}, ["a", "b", "other"]),
    ],
)
def test_names_come_in_the_order_of_the_block_that_has_most_of_them(
    parameters: dict[str, Any], order: list[str]
) -> None:
    assert order_names(["b", "a", "b", "other"], parameters) == order


def test_many_names_all_look_different() -> None:
    look = look_of(map(str, range(30)))
    assert len({tuple(each.values()) for each in look.values()}) == len(look)
    assert len({each["color"] for each in list(look.values())[:6]}) == 6
