from __future__ import annotations

from pathlib import Path
from typing import Any

from kedro.io import DataCatalog
from kedro_datasets.json import JSONDataset

from kedro_ledger.storage import Place, find_place

CONFIG: dict[str, dict[str, Any]] = {
    "one": {"type": "json.JSONDataset", "filepath": "/data/one.json", "versioned": True},
    "{name}.many": {"type": "json.JSONDataset", "filepath": "/data/{name}/many.json", "versioned": True},
    "plain": {"type": "json.JSONDataset", "filepath": "/data/plain.json"},
    "far": {"type": "json.JSONDataset", "filepath": "memory://data/far.json", "versioned": True},
    "table": {"type": "MemoryDataset"},
}


def test_places_are_those_where_kedro_saves(tmp_path: Path) -> None:
    catalog = DataCatalog.from_config(CONFIG, save_version="v")
    assert find_place(catalog, "one") == Place("/data/one.json", is_local=True, is_versioned=True)
    many = find_place(catalog, "x.many")
    assert many
    dataset = catalog["x.many"]
    assert isinstance(dataset, JSONDataset)
    assert many.version("v") == str(dataset._get_save_path()) == "/data/x/many.json/v/many.json"
    assert find_place(catalog, "plain") == Place("/data/plain.json", is_local=True, is_versioned=False)
    assert find_place(catalog, "far") == Place("memory://data/far.json", is_local=False, is_versioned=True)
    assert find_place(catalog, "table") is None
    assert find_place(catalog, "unknown") is None
