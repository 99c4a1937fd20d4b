from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro_datasets.json import JSONDataset

from kedro_ledger.kedro_internals import is_versioned
from kedro_ledger.storage import Location, find_location

CONFIG: dict[str, dict[str, Any]] = {
    "one": {"type": "json.JSONDataset", "filepath": "/data/one.json", "versioned": True},
    "{name}.many": {"type": "json.JSONDataset", "filepath": "/data/{name}/many.json", "versioned": True},
    "plain": {"type": "json.JSONDataset", "filepath": "/data/plain.json"},
    "far": {"type": "json.JSONDataset", "filepath": "memory://data/far.json", "versioned": True},
    "table": {"type": "MemoryDataset"},
}


def test_locations_are_those_of_kedro(tmp_path: Path) -> None:
    catalog = DataCatalog.from_config(CONFIG, save_version="v")
    locations = {
        name: find_location(name, catalog[name]) for name in ("one", "x.many", "plain", "far", "table")
    }
    assert locations["one"] == Location("/data/one.json", is_local=True)
    many, dataset = locations["x.many"], catalog["x.many"]
    assert many
    assert isinstance(dataset, JSONDataset)
    assert many.version("v") == str(dataset._get_save_path()) == "/data/x/many.json/v/many.json"
    assert locations["plain"] == Location("/data/plain.json", is_local=True)
    assert locations["far"] == Location("memory://data/far.json", is_local=False)
    assert locations["table"] is None
    assert [name for name in locations if is_versioned(catalog[name])] == ["one", "x.many", "far"]
