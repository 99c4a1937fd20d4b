"""What the ledger takes from inside Kedro: these fail where Kedro changes it."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.session import KedroServiceSession, KedroSession
from kedro.io import DataCatalog, SharedMemoryDataCatalog
from kedro_datasets.json import JSONDataset

from kedro_ledger.storage import Place, find_place, read_and_write

CONFIG: dict[str, dict[str, Any]] = {
    "one": {"type": "json.JSONDataset", "filepath": "/data/one.json", "versioned": True},
    "{name}.many": {"type": "json.JSONDataset", "filepath": "/data/{name}/many.json", "versioned": True},
    "plain": {"type": "json.JSONDataset", "filepath": "/data/plain.json"},
    "far": {"type": "json.JSONDataset", "filepath": "memory://data/far.json", "versioned": True},
    "table": {"type": "MemoryDataset"},
}


def test_sessions_make_their_catalog_by_the_method_that_the_context_overrides() -> None:
    parameters = list(inspect.signature(KedroContext._get_catalog).parameters)
    assert parameters == ["self", "catalog_class", "save_version", "load_versions"]
    for session in (KedroSession, KedroServiceSession):
        source = inspect.getsource(session.run)
        assert source.index("context._get_catalog(") < source.index(".before_pipeline_run(")
    assert "self._get_catalog()" in inspect.getsource(KedroContext.catalog.fget)  # type: ignore[attr-defined]


def test_a_dataset_reads_the_version_that_it_is_told_to(tmp_path: Path) -> None:
    file = (tmp_path / "one.json").as_posix()
    config = {"one": {"type": "json.JSONDataset", "filepath": file, "versioned": True}}
    for catalog_class in (DataCatalog, SharedMemoryDataCatalog):
        run = f"run-of-{catalog_class.__name__}"
        catalog = catalog_class.from_config(config, load_versions={"one": "another"}, save_version=run)
        assert not catalog.exists("one")
        read_and_write(catalog, ["one"], run)
        assert not catalog.exists("one")
        catalog.save("one", run)
        assert catalog.load("one") == run
        assert (tmp_path / "one.json" / run / "one.json").exists()


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
