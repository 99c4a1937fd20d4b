"""Where Kedro keeps datasets and which version it reads: all that the ledger needs of Kedro's catalog."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogConfigResolver, DataCatalog
from kedro.io.core import get_protocol_and_path, is_parameter

from kedro_ledger.kedro_internals import set_version
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name
from kedro_ledger.paths import is_relative
from kedro_ledger.record import Artefact, Record, is_same_run

NEVER_COMMITTED, OUTDATED, KEPT_ELSEWHERE = "never-committed", "outdated", "kept-elsewhere"
REASONS = {NEVER_COMMITTED, OUTDATED, KEPT_ELSEWHERE}
"""The versions that readers are sent to where there is none for them: a reason in the place of a version."""
LOCAL = ("file", "local")
"""The protocols of local paths."""


class Place(NamedTuple):
    """Where a dataset is kept."""

    path: str
    """A local path, or an address on another filesystem."""
    is_local: bool
    is_versioned: bool

    def version(self, version: str) -> str:
        """Return where Kedro keeps a version."""
        return f"{self.path}/{version}/{self.path.rpartition('/')[2]}" if self.is_versioned else self.path


def find_place(catalog: DataCatalog, dataset: str) -> Place | None:
    """Find where a dataset is kept, by a catalog as Kedro makes it for a session, with absolute local paths.

    Returns:
        The place; none for a parameter, what is in memory only, and what has no path, such as a database.
    """
    return read_place(catalog.config_resolver.resolve_pattern(dataset)) if dataset in catalog else None


def list_paths(ledger: Ledger, catalog: DataCatalog) -> list[str]:
    """List where a catalog keeps data in the project's folder, but outside `data` and `src`.

    Returns:
        Relative paths, and those to which they lead by links.
    """
    names = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    names |= catalog.config_resolver.config.keys()
    places = [find_place(catalog, name) for name in names if not is_parameter(name)]
    found = [ledger.project / place.path for place in places if place and place.is_local]
    top, *real = (Path(os.path.realpath(path)) for path in (ledger.project, *found))
    paths = {ledger.name_of(path) for path in found}
    paths |= {path.relative_to(top).as_posix() for path in real if path.is_relative_to(top)}
    return sorted(path for path in paths if is_relative(path) and path.split("/")[0] not in ("data", "src"))


def is_home(project: Path, catalog: DataCatalog, dataset: str, home: str) -> bool:
    """Return whether a catalog keeps the versions of a dataset in a folder."""
    place = find_place(catalog, dataset)
    return bool(place and place.is_local and os.path.normpath(place.path) == os.path.normpath(project / home))


def read_place(config: dict[str, Any]) -> Place | None:
    """Read from the configuration of a dataset where it is kept.

    Returns:
        The place, relative if the entry's path is; none if it has no path.
    """
    inner = config.get("dataset")  # of a CachedDataset
    inner = inner if isinstance(inner, dict) else {}
    path = config.get("filepath") or config.get("path") or inner.get("filepath")
    if not path:
        return None
    protocol, bare = get_protocol_and_path(path)
    is_local = protocol in LOCAL
    return Place(
        path=Path(bare).as_posix() if is_local else str(path),
        is_local=is_local,
        is_versioned=bool(config.get("versioned") or inner.get("versioned")),
    )


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


def list_load_versions(
    ledger: Ledger, catalog_config: dict[str, Any], before: Record | None
) -> dict[str, str]:
    """Choose Kedro's `load_versions` for every dataset that runs make: a version, or why there is none."""
    config = move_paths(catalog_config, lambda path: path)
    resolver = CatalogConfigResolver(config, default_runtime_patterns=DataCatalog.default_runtime_patterns)
    view, made = before.view if before else {}, list_made_datasets(ledger, before)

    def choose(name: str) -> str:
        artefact = view.get(base_name(name))
        if not artefact:
            return OUTDATED if before and base_name(name) in before.outdated else NEVER_COMMITTED
        place = read_place(resolver.resolve_pattern(name))
        return artefact.version if is_kept_at(ledger, artefact, place) else KEPT_ELSEWHERE

    in_pipelines = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    return {
        name: choose(name)
        for name in sorted(resolver.config.keys() | in_pipelines | made)
        if base_name(name) in made and (name in resolver.config or resolver.match_dataset_pattern(name))
    }


def is_kept_at(ledger: Ledger, artefact: Artefact, place: Place | None) -> bool:
    """Return whether the catalog still has a dataset where a version of it lies."""
    if not place or not place.is_local:
        return artefact.sha256 is None
    return ledger.name_of(ledger.project / place.version(artefact.version)) == artefact.path


def find_loaded_path(catalog: DataCatalog, name: str, place: Place | None) -> str | None:
    """Find the local file that a dataset is loaded from; none if it isn't one."""
    if not place or not place.is_local:
        return None
    if not place.is_versioned:
        return place.path
    dataset = catalog.get(name)
    version = dataset.resolve_load_version() if isinstance(dataset, AbstractVersionedDataset) else None
    return place.version(version) if version else place.path


def read_and_write(catalog: DataCatalog, datasets: Iterable[str], version: str) -> None:
    """Let a run's catalog read the version of these datasets that it writes."""
    for name in datasets:
        set_version(catalog.get(name), version)
