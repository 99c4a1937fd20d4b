"""All uses of Kedro's private API, which tests/kedro_ledger/test_kedro_internals.py checks."""

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
"""Arguments of datasets that don't load the content of their file, but the result of a query or a table."""

# --- Catalogs and datasets


class CatalogContext(KedroContext):
    """A context whose `make_catalog` can choose versions, for which Kedro's hooks are called too late."""

    def make_catalog(
        self, catalog_class: type, save_version: str | None, load_versions: dict[str, str]
    ) -> CatalogProtocol[Any, Any]:
        """Make a catalog as Kedro does. `save_version` is None outside a run."""
        return super()._get_catalog(catalog_class, save_version, load_versions)

    def _get_catalog(
        self,
        catalog_class: type = DataCatalog,
        save_version: str | None = None,
        load_versions: dict[str, str] | None = None,
    ) -> CatalogProtocol[Any, Any]:
        return self.make_catalog(catalog_class, save_version, load_versions or {})


def unwrap(dataset: Any) -> Any:
    """Return the dataset in a `CachedDataset`, and any other dataset unchanged."""
    return dataset._dataset if isinstance(dataset, CachedDataset) else dataset


def is_ephemeral(dataset: Any) -> bool:
    """Return whether a dataset's content is lost when the process ends."""
    return bool(getattr(unwrap(dataset), "_EPHEMERAL", False))


def is_versioned(dataset: Any) -> bool:
    """Return whether a dataset saves versions, as its catalog entry or its class specifies."""
    dataset = unwrap(dataset)
    return isinstance(dataset, AbstractVersionedDataset) and bool(getattr(dataset, "_version", None))


def has_versioned_partitions(dataset: Any) -> bool:
    """Return whether each partition of a dataset has its own versions."""
    config = getattr(unwrap(dataset), "_dataset_config", None)
    return isinstance(config, dict) and VERSION_KEY in config


def find_address(dataset: Any) -> str | None:
    """Find where the content of a dataset is stored.

    Returns:
        A local path, or an address with a protocol; None for content in memory and for content without a
        path, such as a database table.
    """
    dataset = unwrap(dataset)
    arguments = getattr(dataset, "_init_args", {})
    if CONTENT_ELSEWHERE & arguments.keys() and not isinstance(dataset, AbstractVersionedDataset):
        return None
    path = getattr(dataset, "_filepath", None) or getattr(dataset, "_path", None)
    given = arguments.get("filepath") or arguments.get("path")
    if isinstance(given, str) and "://" in given:
        return given  # includes the host, which some datasets drop
    return str(path) if isinstance(path, str | PurePath) else None


def find_version_path(dataset: Any, version: str) -> str:
    """Find where a versioned dataset stores a version: a path without a protocol."""
    return str(unwrap(dataset)._get_versioned_path(version))


def set_version(dataset: Any, version: str) -> None:
    """Set the version that a versioned dataset loads and saves.

    Kedro's own way is to replace the dataset, which drops the dataset's validator.
    """
    dataset = unwrap(dataset)
    if isinstance(dataset, AbstractVersionedDataset):
        dataset._version = Version(version, version)


# --- Processes


def initialize_workers(initializer: Callable[[], None]) -> None:
    """Call a function at the start of each `ParallelRunner` process, for which Kedro has no setting."""
    start = partialmethod(SyncManager.start, initializer)
    parallel_runner.ParallelRunnerManager.start = start  # type: ignore[assignment]
    executor = partial(ProcessPoolExecutor, initializer=initializer)
    parallel_runner.ProcessPoolExecutor = executor  # type: ignore[attr-defined, assignment]


def forbid_exits(is_terminated: Callable[[], bool], error: Callable[[int], Exception]) -> None:
    """Make a run fail if a node exits the process.

    Kedro's session calls `on_pipeline_error` only for an `Exception`, and exit code 0 would signal success.

    Args:
        is_terminated: Returns whether the process is being terminated from outside.
        error: Creates the error for an exit code.
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
    """Create a hook manager as a session does, since Kedro creates none in workers of other runners."""
    manager = _create_hook_manager()
    _register_hooks(manager, hooks)
    _register_hooks_entry_points(manager, disabled_plugins)
    return manager


def is_single_process(dataset: object) -> bool:
    """Return whether a dataset can't be shared with other processes, as the ParallelRunner checks."""
    return bool(getattr(dataset, "_SINGLE_PROCESS", False))
