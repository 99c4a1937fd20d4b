"""In which order metrics are listed."""

from __future__ import annotations

import json

from kedro_ledger.order import short_name, sort_as_in
from tests.support.tiny import Tiny


def test_datasets_stand_as_the_keys_of_parameters_do() -> None:
    parameters = {"b": {"z": {"deep": 1}, "linear": None}, "runs": {"metrics": ["*"]}, "a": [{"c": 1}]}
    names = ["c.metrics", "a.metrics", "deep.metrics", "linear.metrics", "metrics.x", "unknown"]
    assert sort_as_in(parameters, names) == [
        "deep.metrics",
        "linear.metrics",
        "metrics.x",
        "a.metrics",
        "c.metrics",
        "unknown",
    ]
    assert sort_as_in({}, ["b", "a"]) == ["a", "b"]
    assert [short_name(name) for name in ("x.deep.metrics", "plain")] == ["x.deep", "plain"]


def test_runs_list_show_and_history_follow_it(tiny: Tiny) -> None:
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
