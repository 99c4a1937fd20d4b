"""Where Kedro stores datasets and which versions it reads: all that the ledger needs from the catalog."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from glob import has_magic
from pathlib import Path
from typing import Any, NamedTuple

from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogConfigResolver, DataCatalog
from kedro.io.core import get_protocol_and_path, is_parameter

from kedro_ledger.errors import LedgerError
from kedro_ledger.kedro_internals import (
    find_address,
    find_version_path,
    is_versioned,
    set_version,
    unwrap,
)
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name, hash_value
from kedro_ledger.paths import is_relative, is_version
from kedro_ledger.record import Artefact, Record, is_same_run

NEVER_COMMITTED, OUTDATED, KEPT_ELSEWHERE = "never-committed", "outdated", "kept-elsewhere"
REASONS = {NEVER_COMMITTED, OUTDATED, KEPT_ELSEWHERE}
"""Reasons that take the place of a version in `load_versions` if readers see no version of a dataset."""
WITHOUT_EFFECT = {"filepath", "path", "credentials", "metadata", "versioned", "save_args"}
"""Keys of a catalog entry that don't affect what is loaded from a file's content."""
LOCAL = ("file", "local")
"""The protocols of local paths."""


class Location(NamedTuple):
    """Where a dataset is stored."""

    path: str
    """A local path, or an address in another filesystem."""
    is_local: bool

    def version(self, version: str) -> str:
        """Return the path at which Kedro stores a version."""
        return f"{self.path}/{version}/{self.path.rpartition('/')[2]}"


def find_location(name: str, dataset: Any) -> Location | None:
    """Return where a dataset is stored, or None if it has no path, as in memory or in a database.

    Raises:
        LedgerError: If its versions are not where Kedro's own datasets store them.
    """
    if not (address := find_address(dataset)):
        return None
    location = _make_location(address)
    if is_versioned(dataset):
        path = os.path.normpath(find_version_path(dataset, "VERSION"))
        expected = os.path.normpath(location.version("VERSION"))
        if not is_version(path, "VERSION") or (location.is_local and path != expected):
            raise LedgerError(
                f"{name}: a {type(dataset).__name__} stores a version at {path}; "
                "expected PATH/VERSION/NAME, where NAME is the last part of PATH"
            )
    return location


def list_paths(ledger: Ledger, catalog: DataCatalog) -> list[str]:
    """List the paths of a catalog's datasets in the project's folder, but outside `data`.

    Returns:
        Relative paths, both as configured and with links resolved.
    """
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    names |= catalog.config_resolver.config.keys()
    locations = [read_location(find_config(catalog, name)) for name in names if not is_parameter(name)]
    found = [ledger.project / location.path for location in locations if location and location.is_local]
    top, *real = (Path(os.path.realpath(path)) for path in (ledger.project, *found))
    paths = {ledger.relative_path(path) for path in found}
    paths |= {path.relative_to(top).as_posix() for path in real if path.is_relative_to(top)}
    return sorted(path for path in paths if is_relative(path) and path.split("/")[0] != "data")


def is_stored_in(project: Path, catalog: DataCatalog, dataset: str, folder: str) -> bool:
    """Return whether a catalog stores the versions of a dataset in a folder."""
    location = read_location(find_config(catalog, dataset))
    return bool(
        location
        and location.is_local
        and os.path.normpath(location.path) == os.path.normpath(project / folder)
    )


def find_config(catalog: DataCatalog, dataset: str) -> dict[str, Any]:
    """Return the configuration of a dataset with absolute paths; empty if the catalog does not contain it."""
    return catalog.config_resolver.resolve_pattern(dataset) if dataset in catalog else {}


def read_location(config: dict[str, Any]) -> Location | None:
    """Return where a dataset is stored according to its configuration, without loading its class.

    Returns:
        The location, with a relative path if the configured one is relative; None if there is no path.
    """
    inner = config.get("dataset")  # of a CachedDataset
    inner = inner if isinstance(inner, dict) else {}
    path = config.get("filepath") or config.get("path") or inner.get("filepath")
    return _make_location(path) if path else None


def _make_location(address: str) -> Location:
    protocol, bare = get_protocol_and_path(address)
    is_local = protocol in LOCAL
    return Location(path=Path(bare).as_posix() if is_local else str(address), is_local=is_local)


def move_paths(catalog_config: dict[str, Any], move: Callable[[str], str]) -> dict[str, Any]:
    """Copy a catalog's configuration with other local paths and without references to credentials.

    Args:
        catalog_config: The configuration.
        move: Returns the new path for a path.
    """

    def change(key: str, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: change(name, inner) for name, inner in value.items() if name != "credentials"}
        if key in ("filepath", "path") and isinstance(value, str):
            protocol, path = get_protocol_and_path(value)
            return move(path) if protocol in LOCAL else value
        return value

    return {name: change("", entry) for name, entry in catalog_config.items()}


def list_outputs() -> set[str]:
    """Return the names of the outputs of all pipelines."""
    return {base_name(name) for pipeline in pipelines.values() for name in pipeline.all_outputs()}


def list_made_datasets(ledger: Ledger, before: Record | None) -> set[str]:
    """Return the names of the datasets that runs make. All others are raw data, even if they are versioned.

    Returns:
        The outputs of all pipelines, and the datasets that earlier runs made or began to make.
    """
    made = list_outputs() | ledger.list_announced_datasets()
    if before:
        made |= before.view.keys() | set(before.outdated)
        if not is_same_run(before, ledger.last()):  # later runs may have made other datasets
            made |= {name for record in ledger.records() for name in record.outputs}
    return made


class CatalogNames:
    """The names of a catalog's datasets. Several names for the same file are one dataset."""

    def __init__(self, ledger: Ledger, catalog_config: dict[str, Any], made: set[str]) -> None:
        """Find the names that share a file, for files that runs make.

        Args:
            ledger: The project's runs.
            catalog_config: The configuration of the catalog.
            made: The datasets that runs make.
        """
        config = move_paths(catalog_config, lambda path: path)
        patterns = DataCatalog.default_runtime_patterns
        resolver = CatalogConfigResolver(config, default_runtime_patterns=patterns)
        in_pipelines = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
        entries = {
            name: resolver.resolve_pattern(name)
            for name in sorted(resolver.config.keys() | in_pipelines | made)
            if name in resolver.config or resolver.match_dataset_pattern(name)
        }
        self._entries = entries
        self.locations = {name: read_location(entry) for name, entry in entries.items()}
        """Where each dataset is stored, by its name in the catalog."""
        self._canonical: dict[str, str] = {}
        first: dict[str, str] = {}
        for name in sorted(entries, key=lambda name: base_name(name) not in made):
            location, base = self.locations[name], base_name(name)
            if location and entries[name].get("versioned"):
                canonical = first.setdefault(ledger.relative_path(ledger.project / location.path), base)
                if canonical in made and canonical != base:
                    self._canonical[base] = canonical

    def digest(self, name: str, sha256: str) -> str:
        """Return a digest of raw data: the hash of its file, combined with how the catalog loads it."""
        entry = self._entries.get(name, {})
        options = {key: value for key, value in entry.items() if key not in WITHOUT_EFFECT}
        return hash_value({"sha256": sha256, **options}) if options.keys() - {"type"} else sha256

    def __call__(self, name: str) -> str:
        """Return the name of a dataset in the ledger for a name in the catalog."""
        base = base_name(name)
        return self._canonical.get(base, base)


def list_load_versions(
    ledger: Ledger, names: CatalogNames, made: set[str], before: Record | None
) -> dict[str, str]:
    """Return Kedro's `load_versions` for each dataset that runs make: a version, or why there is none."""
    view = before.view if before else {}

    def choose(name: str, location: Location | None) -> str:
        artefact = view.get(names(name))
        if not artefact:
            return OUTDATED if before and names(name) in before.outdated else NEVER_COMMITTED
        return artefact.version if is_stored_at(ledger, artefact, location) else KEPT_ELSEWHERE

    return {name: choose(name, location) for name, location in names.locations.items() if names(name) in made}


def is_stored_at(ledger: Ledger, artefact: Artefact, location: Location | None) -> bool:
    """Return whether an artefact is at the path where the catalog stores its dataset."""
    if not location or not location.is_local:
        return artefact.sha256 is None
    return ledger.relative_path(ledger.project / location.version(artefact.version)) == artefact.path


def find_loaded_path(catalog: DataCatalog, name: str, location: Location | None) -> str | None:
    """Return the local file or folder that a dataset is loaded from, or None, as for `parts/*.csv`."""
    if (
        not location
        or not location.is_local
        or (has_magic(location.path) and not Path(location.path).exists())
    ):
        return None
    dataset = unwrap(catalog.get(name))
    version = dataset.resolve_load_version() if isinstance(dataset, AbstractVersionedDataset) else None
    return location.version(version) if version else location.path


def read_own_versions(catalog: DataCatalog, datasets: Iterable[str], version: str) -> None:
    """Make a run's catalog read these datasets in the version that the run writes."""
    for name in datasets:
        set_version(catalog.get(name), version)
