"""The lineage of artefacts."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.pipeline import Pipeline, node

from kedro_ledger.lineage import find_outdated_nodes, find_unmatched, hash_value, parameter_at, trace
from kedro_ledger.record import Artefact

PIPELINE = Pipeline(
    [
        node(lambda a, b: a, ["raw", "params:block.x"], "cars@csv", name="first"),
        node(lambda a: a, "cars@json", "memory", name="second"),
        node(lambda a: a, "memory", "end", name="third"),
        node(lambda a: a, "parameters", "other", name="apart"),
    ]
)
PARAMETERS = {"block": {"x": 1, "y": 2}}
KEPT = {"cars", "end", "other"}
RAW = {"raw": "sum of raw"}


def make_view(parameters: dict[str, Any] = PARAMETERS, **raw: str) -> dict[str, Artefact]:
    sums = {"cars": "sum of cars", **RAW, **raw}
    made_from = trace(PIPELINE.nodes, sums, parameters, "sum of code")
    return {
        name: Artefact(
            version="v", path=f"{name}/v/{name}", sha256=f"sum of {name}", bytes=1, made_from=made_from[name]
        )
        for name in KEPT
    }


def find_outdated(view: dict[str, Artefact], code: str = "sum of code", **raw: str) -> list[str]:
    nodes = find_outdated_nodes(PIPELINE.nodes, view, {**RAW, **raw}, PARAMETERS, code, KEPT.__contains__)
    return sorted(node.name for node in nodes)


def test_datasets_in_memory_pass_on_their_sources() -> None:
    view = make_view()
    assert view["end"].made_from == {"code": "sum of code", "cars": "sum of cars"}
    x = hash_value(1)
    assert view["cars"].made_from == {"code": "sum of code", "raw": "sum of raw", "params:block.x": x}
    assert view["other"].made_from["parameters"] == hash_value(PARAMETERS)


def test_matching_nodes_are_not_outdated() -> None:
    assert find_outdated(make_view()) == []


def test_a_missing_output_is_made_with_its_inputs_in_memory() -> None:
    view = make_view()
    del view["end"]
    assert find_outdated(view) == ["second", "third"]


def test_a_change_outdates_everything_downstream() -> None:
    assert find_outdated(make_view(), raw="another") == ["first", "second", "third"]
    assert find_outdated(make_view({"block": {"x": 5, "y": 2}})) == ["apart", "first", "second", "third"]
    assert find_outdated(make_view({"block": {"x": 1, "y": 5}})) == ["apart"]
    assert find_outdated(make_view(), code="another") == ["apart", "first", "second", "third"]


def test_unmatched_are_artefacts_made_from_other_contents_and_everything_downstream() -> None:
    view = make_view()
    view["after"] = Artefact(
        version="v", path="after/v/after", sha256="s", bytes=1, made_from={"end": "sum of end"}
    )
    cars = view.pop("cars")
    another = cars.model_copy(update={"sha256": "another"})
    assert find_unmatched(view, [], {}) == []
    assert find_unmatched(view, [cars], {"cars": cars}) == []
    assert find_unmatched(view, [another], {"cars": another}) == ["after", "end"]


def test_mixed_inputs_are_traced_to_their_sources() -> None:
    view = make_view()
    end = view.pop("end").model_copy(update={"made_from": {"cars": "another", "code": "another"}})
    assert find_unmatched(view, [end], {"end": end}) == ["cars"]
    raw = view["cars"].model_copy(update={"made_from": {"raw": "another"}})
    new = make_view(raw="new")["cars"]
    assert find_unmatched({"cars": raw}, [new], {"other": new}) == ["cars"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("parameters", PARAMETERS),
        ("params:block", {"x": 1, "y": 2}),
        ("params:block.y", 2),
        ("params:z.y", None),
    ],
)
def test_parameters_are_found_as_kedro_names_them(name: str, value: object) -> None:
    assert parameter_at(name, PARAMETERS) == value


def test_hashes_of_values_ignore_the_order_of_keys() -> None:
    assert hash_value({"a": 1, "b": [1, 2]}) == hash_value({"b": [1, 2], "a": 1})
    assert hash_value({"a": 1, "b": [1, 2]}) != hash_value({"a": 1, "b": [2, 1]})
