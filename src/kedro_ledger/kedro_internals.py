"""All that the ledger uses of Kedro's private parts; tests/kedro_ledger/test_kedro_internals.py holds it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import partial, partialmethod
from multiprocessing.managers import SyncManager
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks.manager import (
    _create_hook_manager,
    _register_hooks,
    _register_hooks_entry_points,
)
from kedro.io import AbstractVersionedDataset, CachedDataset, CatalogProtocol, DataCatalog, Version
from kedro.runner import parallel_runner
from pluggy import PluginManager

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
