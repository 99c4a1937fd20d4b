"""Where Kedro keeps datasets and which version it reads: all that the ledger needs of Kedro's catalog."""

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
"""The versions that readers are sent to where there is none for them: a reason in the place of a version."""
HELD_ELSEWHERE = {"filepath", "path", "credentials", "metadata", "versioned", "save_args"}
"""Keys of an entry of the catalog that don't decide what is loaded of a file's content."""
LOCAL = ("file", "local")
"""The protocols of local paths."""


class Place(NamedTuple):
    """Where a dataset is kept."""

    path: str
    """A local path, or an address on another filesystem."""
    is_local: bool

    def version(self, version: str) -> str:
        """Return where Kedro keeps a version, if there are any."""
        return f"{self.path}/{version}/{self.path.rpartition('/')[2]}"


def find_place(name: str, dataset: Any) -> Place | None:
    """Ask a dataset where it is kept.

    Returns:
        The place; none for what is in memory only, or has no path, such as a table of a database.

    Raises:
        LedgerError: If it keeps its versions elsewhere than Kedro's datasets do.
    """
    if not (address := find_address(dataset)):
        return None
    place = _make_place(address)
    if is_versioned(dataset):
        path = os.path.normpath(find_version_path(dataset, "VERSION"))
        expected = os.path.normpath(place.version("VERSION"))
        if not is_version(path, "VERSION") or (place.is_local and path != expected):
            raise LedgerError(
                f"{name}: a {type(dataset).__name__} keeps a version at {path}; "
                "expected PATH/VERSION/NAME, where NAME is the last part of PATH"
            )
    return place


def list_paths(ledger: Ledger, catalog: DataCatalog) -> list[str]:
    """List where a catalog keeps data in the project's folder, but outside `data`.

    Returns:
        Relative paths, and those to which they lead by links.
    """
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    names |= catalog.config_resolver.config.keys()
    places = [read_place(find_config(catalog, name)) for name in names if not is_parameter(name)]
    found = [ledger.project / place.path for place in places if place and place.is_local]
    top, *real = (Path(os.path.realpath(path)) for path in (ledger.project, *found))
    paths = {ledger.name_of(path) for path in found}
    paths |= {path.relative_to(top).as_posix() for path in real if path.is_relative_to(top)}
    return sorted(path for path in paths if is_relative(path) and path.split("/")[0] != "data")


def is_home(project: Path, catalog: DataCatalog, dataset: str, home: str) -> bool:
    """Return whether a catalog keeps the versions of a dataset in a folder."""
    place = read_place(find_config(catalog, dataset))
    return bool(place and place.is_local and os.path.normpath(place.path) == os.path.normpath(project / home))


def find_config(catalog: DataCatalog, dataset: str) -> dict[str, Any]:
    """Find the configuration of a dataset, with absolute paths; nothing if the catalog doesn't have it."""
    return catalog.config_resolver.resolve_pattern(dataset) if dataset in catalog else {}


def read_place(config: dict[str, Any]) -> Place | None:
    """Read from the configuration of a dataset where it is kept, without loading its class.

    Returns:
        The place, relative if the entry's path is; none if it has no path.
    """
    inner = config.get("dataset")  # of a CachedDataset
    inner = inner if isinstance(inner, dict) else {}
    path = config.get("filepath") or config.get("path") or inner.get("filepath")
    return _make_place(path) if path else None


def _make_place(address: str) -> Place:
    protocol, bare = get_protocol_and_path(address)
    is_local = protocol in LOCAL
    return Place(path=Path(bare).as_posix() if is_local else str(address), is_local=is_local)


def move_paths(catalog_config: dict[str, Any], move: Callable[[str], str]) -> dict[str, Any]:
    """Copy a catalog's configuration with other local paths, and without references to credentials.

    Args:
        catalog_config: The configuration.
        move: Returns for a path where it shall be.
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
    """List the outputs of all pipelines."""
    return {base_name(name) for pipeline in pipelines.values() for name in pipeline.all_outputs()}


def list_made_datasets(ledger: Ledger, before: Record | None) -> set[str]:
    """List the datasets that runs make; all others are raw data, even if they are versioned.

    Returns:
        The outputs of all pipelines, and what earlier runs made or began to make.
    """
    made = list_outputs() | ledger.list_announced()
    if before:
        made |= before.view.keys() | set(before.outdated)
        if not is_same_run(before, ledger.last()):  # readers went back: later runs may have made others
            made |= {name for record in ledger.records() for name in record.outputs}
    return made


class CatalogNames:
    """The names of a catalog's datasets: several may stand for one file, and are one dataset."""

    def __init__(self, ledger: Ledger, catalog_config: dict[str, Any], made: set[str]) -> None:
        """Find which names stand for one file of those that runs make.

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
        self.places = {name: read_place(entry) for name, entry in entries.items()}
        """By name in the catalog."""
        self._same: dict[str, str] = {}
        first: dict[str, str] = {}
        for name in sorted(entries, key=lambda name: base_name(name) not in made):
            place, base = self.places[name], base_name(name)
            if place and entries[name].get("versioned"):
                one = first.setdefault(ledger.name_of(ledger.project / place.path), base)
                if one in made and one != base:
                    self._same[base] = one

    def digest(self, name: str, sha256: str) -> str:
        """Return what tells the content of raw data from another: its hash, and how the catalog loads it."""
        entry = self._entries.get(name, {})
        how = {key: value for key, value in entry.items() if key not in HELD_ELSEWHERE}
        return hash_value({"sha256": sha256, **how}) if how.keys() - {"type"} else sha256

    def __call__(self, name: str) -> str:
        """Return the one name under which the ledger has a dataset."""
        base = base_name(name)
        return self._same.get(base, base)


def list_load_versions(
    ledger: Ledger, names: CatalogNames, made: set[str], before: Record | None
) -> dict[str, str]:
    """Choose Kedro's `load_versions` for every dataset that runs make: a version, or why there is none."""
    view = before.view if before else {}

    def choose(name: str, place: Place | None) -> str:
        artefact = view.get(names(name))
        if not artefact:
            return OUTDATED if before and names(name) in before.outdated else NEVER_COMMITTED
        return artefact.version if is_kept_at(ledger, artefact, place) else KEPT_ELSEWHERE

    return {name: choose(name, place) for name, place in names.places.items() if names(name) in made}


def is_kept_at(ledger: Ledger, artefact: Artefact, place: Place | None) -> bool:
    """Return whether the catalog still has a dataset where a version of it lies."""
    if not place or not place.is_local:
        return artefact.sha256 is None
    return ledger.name_of(ledger.project / place.version(artefact.version)) == artefact.path


def find_loaded_path(catalog: DataCatalog, name: str, place: Place | None) -> str | None:
    """Find the local file or folder that a dataset is loaded from; none if it isn't one, as `parts/*.csv`."""
    if not place or not place.is_local or (has_magic(place.path) and not Path(place.path).exists()):
        return None
    dataset = unwrap(catalog.get(name))
    version = dataset.resolve_load_version() if isinstance(dataset, AbstractVersionedDataset) else None
    return place.version(version) if version else place.path


def read_and_write(catalog: DataCatalog, datasets: Iterable[str], version: str) -> None:
    """Let a run's catalog read the version of these datasets that it writes."""
    for name in datasets:
        set_version(catalog.get(name), version)
