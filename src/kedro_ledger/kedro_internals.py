"""All that the ledger uses of Kedro's private parts; tests/kedro_ledger/test_kedro_internals.py holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial, partialmethod
from multiprocessing.managers import SyncManager
from pathlib import PurePath
from typing import Any

from click.exceptions import Exit
from kedro.framework.context import KedroContext
from kedro.framework.hooks.manager import (
    _create_hook_manager,
    _register_hooks,
    _register_hooks_entry_points,
)
from kedro.io import AbstractVersionedDataset, CachedDataset, CatalogProtocol, DataCatalog, Version
from kedro.io.core import VERSION_KEY
from kedro.runner import AbstractRunner, parallel_runner
from pluggy import PluginManager

CONTENT_ELSEWHERE = {"sql", "con", "connection"}
"""Arguments of datasets whose file is not what they load, but a query, or names a table."""

# --- Catalogs and datasets


class CatalogContext(KedroContext):
    """A context that makes its catalogs by `make_catalog`: Kedro's hooks come too late to choose versions."""

    def make_catalog(
        self, catalog_class: type, save_version: str | None, load_versions: dict[str, str]
    ) -> CatalogProtocol[Any, Any]:
        """Make a catalog as Kedro does; `save_version` is given for a run only."""
        return super()._get_catalog(catalog_class, save_version, load_versions)

    def _get_catalog(
        self,
        catalog_class: type = DataCatalog,
        save_version: str | None = None,
        load_versions: dict[str, str] | None = None,
    ) -> CatalogProtocol[Any, Any]:
        return self.make_catalog(catalog_class, save_version, load_versions or {})


def unwrap(dataset: Any) -> Any:
    """Return the dataset in a `CachedDataset`, and any other as it is."""
    return dataset._dataset if isinstance(dataset, CachedDataset) else dataset


def is_ephemeral(dataset: Any) -> bool:
    """Return whether what a dataset holds is gone when the process ends."""
    return bool(getattr(unwrap(dataset), "_EPHEMERAL", False))


def is_versioned(dataset: Any) -> bool:
    """Return whether a dataset saves versions, because its entry in the catalog or its class says so."""
    dataset = unwrap(dataset)
    return isinstance(dataset, AbstractVersionedDataset) and bool(getattr(dataset, "_version", None))


def has_versioned_partitions(dataset: Any) -> bool:
    """Return whether each partition of a dataset has versions of its own."""
    config = getattr(unwrap(dataset), "_dataset_config", None)
    return isinstance(config, dict) and VERSION_KEY in config


def find_address(dataset: Any) -> str | None:
    """Find where the content of a dataset lies: a local path, or an address with a protocol.

    Returns:
        None for what lies in memory, and for what is not found by a path, such as a table of a database.
    """
    dataset = unwrap(dataset)
    arguments = getattr(dataset, "_init_args", {})
    if CONTENT_ELSEWHERE & arguments.keys() and not isinstance(dataset, AbstractVersionedDataset):
        return None
    path = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    given = arguments.get("filepath") or arguments.get("path")
    if isinstance(given, str) and "://" in given:
        return given  # with the host, which some datasets drop
    return str(path) if isinstance(path, str | PurePath) else None


def find_version_path(dataset: Any, version: str) -> str:
    """Find where a versioned dataset keeps a version, without a protocol."""
    return str(unwrap(dataset)._get_versioned_path(version))


def set_version(dataset: Any, version: str) -> None:
    """Let a versioned dataset load and save one version.

    Kedro can change a version only by replacing the dataset, which drops its validator.
    """
    dataset = unwrap(dataset)
    if isinstance(dataset, AbstractVersionedDataset):
        dataset._version = Version(version, version)


# --- Processes


def initialize_workers(initializer: Callable[[], None]) -> None:
    """Call a function first in every process of the `ParallelRunner`, which has no setting for that."""
    start = partialmethod(SyncManager.start, initializer)
    parallel_runner.ParallelRunnerManager.start = start  # type: ignore[assignment]
    executor = partial(ProcessPoolExecutor, initializer=initializer)
    parallel_runner.ProcessPoolExecutor = executor  # type: ignore[attr-defined, assignment]


def forbid_exits(is_terminated: Callable[[], bool], error: Callable[[int], Exception]) -> None:
    """Let a run fail in which a node ends the process.

    A session undoes a run only upon an `Exception`, and an exit code of 0 says that it went well.

    Args:
        is_terminated: Whether the process is ended from outside.
        error: Makes an error of an exit code.
    """

    def run(self: AbstractRunner, *arguments: Any, **keywords: Any) -> dict[str, Any]:
        try:
            result: dict[str, Any] = original(self, *arguments, **keywords)
            return result
        except (SystemExit, Exit) as end:
            if is_terminated():
                raise
            code = end.exit_code if isinstance(end, Exit) else end.code
            raise error(code if isinstance(code, int) else int(code is not None)) from end

    original = getattr(AbstractRunner.run, "original", AbstractRunner.run)
    run.original = original  # type: ignore[attr-defined]
    AbstractRunner.run = run  # type: ignore[method-assign]


# --- The DaskRunner: tests/kedro_ledger/dask/test_kedro_internals.py


def create_hook_manager(hooks: Iterable[Any], disabled_plugins: Iterable[str]) -> PluginManager:
    """Create a hook manager as a session does: Kedro has none for workers of other runners than its own."""
    manager = _create_hook_manager()
    _register_hooks(manager, hooks)
    _register_hooks_entry_points(manager, disabled_plugins)
    return manager


def is_single_process(dataset: object) -> bool:
    """Return whether a dataset can't be shared with other processes, as the ParallelRunner asks."""
    return bool(getattr(dataset, "_SINGLE_PROCESS", False))
