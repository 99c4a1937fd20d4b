"""Kedro's private API as the ledger uses it: these tests fail if Kedro changes it."""

from __future__ import annotations

from pathlib import Path

from kedro.io import CachedDataset, DataCatalog, MemoryDataset, SharedMemoryDataCatalog

from kedro_ledger.kedro_internals import set_version, unwrap
from tests.support.tiny import Tiny

SPYING = """
from kedro.framework.hooks import hook_impl

from kedro_ledger.context import RunContext
from kedro_ledger.kedro_internals import initialize_workers

def note(call):
    with open("calls", "a") as file:
        file.write(call + "\\n")


class Spy(RunContext):
    def make_catalog(self, catalog_class, save_version, load_versions):
        note("make_catalog for a run" if save_version else "make_catalog for readers")
        return super().make_catalog(catalog_class, save_version, load_versions)


class SpyHooks:
    @hook_impl
    def before_pipeline_run(self):
        note("before_pipeline_run")


def begin():
    note("worker")


HOOKS = (*HOOKS, SpyHooks())
CONTEXT_CLASS = Spy
initialize_workers(begin)
"""


def test_sessions_make_catalogs_and_workers_as_the_ledger_expects(tiny: Tiny) -> None:
    settings = tiny.folder / "src/tiny/settings.py"
    settings.write_text(settings.read_text() + SPYING)
    calls = tiny.folder / "calls"
    tiny.run()
    calls_made = calls.read_text().splitlines()
    assert calls_made.index("make_catalog for a run") < calls_made.index("before_pipeline_run"), (
        "of service sessions"
    )
    assert tiny.read()["numbers"] == [1, 2]
    assert calls.read_text().splitlines()[-1] == "make_catalog for readers"
    calls.unlink()
    ran = tiny.kedro("run", "--runner", "ParallelRunner")
    assert ran.returncode == 0, ran.stderr
    calls_made = calls.read_text().splitlines()
    assert calls_made.index("make_catalog for a run") < calls_made.index("before_pipeline_run"), "of sessions"
    assert calls_made.count("worker") >= 2, "the manager and a worker"


def test_a_dataset_reads_the_version_that_is_set(tmp_path: Path) -> None:
    file = (tmp_path / "one.json").as_posix()
    config = {"one": {"type": "json.JSONDataset", "filepath": file, "versioned": True}}
    for catalog_class in (DataCatalog, SharedMemoryDataCatalog):
        run = f"run-of-{catalog_class.__name__}"
        catalog = catalog_class.from_config(config, load_versions={"one": "another"}, save_version=run)
        assert not catalog.exists("one")
        set_version(catalog.get("one"), run)
        assert not catalog.exists("one")
        catalog.save("one", run)
        assert catalog.load("one") == run
        assert (tmp_path / "one.json" / run / "one.json").exists()


def test_a_cached_dataset_is_unwrapped(tmp_path: Path) -> None:
    inner = MemoryDataset()
    assert unwrap(CachedDataset(inner)) is inner
    assert unwrap(inner) is inner
    file = (tmp_path / "one.json").as_posix()
    entry = {"type": "json.JSONDataset", "filepath": file}
    catalog = DataCatalog.from_config({"one": {"type": "CachedDataset", "versioned": True, "dataset": entry}})
    set_version(catalog.get("one"), "v")
    catalog.save("one", 1)
    assert (tmp_path / "one.json" / "v" / "one.json").exists()
