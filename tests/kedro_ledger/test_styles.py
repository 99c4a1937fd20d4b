"""The styles of lines, and their order."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kedro_ledger.styles import assign_styles, order_names, short_name, sort_datasets
from tests.support.tiny import Tiny


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
def test_names_have_the_order_of_the_block_that_contains_most_of_them(
    parameters: dict[str, Any], order: list[str]
) -> None:
    assert order_names(["b", "a", "b", "other"], parameters) == order


def test_many_names_all_have_different_styles() -> None:
    look = assign_styles(map(str, range(30)))
    assert len({tuple(each.values()) for each in look.values()}) == len(look)
    assert len({each["color"] for each in list(look.values())[:6]}) == 6


def test_datasets_have_the_order_of_their_short_names() -> None:
    parameters = {"runs": {"metrics": ["*"]}, "variants": {"linear": None, "deep": {"a": 1}, "all": {}}}
    names = ["unknown", "all.metrics", "metrics", "deep.metrics"]
    assert sort_datasets(names, parameters) == ["deep.metrics", "all.metrics", "metrics", "unknown"]
    assert sort_datasets(["b", "a"], {}) == ["a", "b"]
    assert [short_name(name) for name in ("x.deep.metrics", "plain")] == ["x.deep", "plain"]


def test_runs_list_show_and_history_use_this_order(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    second = 'node(total, ["scaled.up", "scaled.down"], "also.metrics", name="also"),\n    ]'
    registry.write_text(
        registry.read_text().replace('name="total"),\n    ]', f'name="total"),\n        {second}')
    )
    catalog = tiny.folder / "conf/base/catalog.yml"
    entry = "also.metrics: {type: json.JSONDataset, filepath: data/05_also/also.json, versioned: true}\n"
    catalog.write_text(catalog.read_text() + entry)
    parameters = tiny.folder / "conf/base/parameters.yml"
    for keys, expected in (("", ["also", "total"]), ("order: {total: 1, also: 2}\n", ["total", "also"])):
        parameters.write_text(f"factor: 2\nruns: {{headline: total}}\n{keys}")
        tiny.run()
        first, other = expected
        assert f" {first} 6, {other} 6\n" in tiny.kedro("runs", "list").stdout
        assert tiny.kedro("runs", "history").stdout.split()[:3] == ["no.", *expected]
        shown = tiny.kedro("runs", "show", "last").stdout.splitlines()
        assert shown[shown.index("metrics") + 1].split() == [f"{name}.metrics" for name in expected]
        tiny.kedro("runs", "history", "--html", "page.html")
        page = (tiny.folder / "page.html").read_text()
        plots = json.loads(page.partition("const plots = ")[2].partition(";\n")[0])
        assert [trace["meta"] for trace in plots[0]["data"]] == expected
