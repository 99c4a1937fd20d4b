"""Where Kedro keeps datasets and which version it reads: all that the ledger needs of Kedro's catalog."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from kedro.framework.project import pipelines
from kedro.io import AbstractVersionedDataset, CatalogConfigResolver, DataCatalog, Version
from kedro.io.core import get_protocol_and_path

from from_scratch.runs.lineage import base_name
from from_scratch.runs.record import Artefact

NEVER_COMMITTED = "never-committed"
"""The version that readers are sent to where no committed run has made one: there is none of this name."""


class Place(NamedTuple):
    """Where a dataset is kept."""

    path: str
    """A local path, or an address on another filesystem."""
    is_local: bool
    is_versioned: bool

    def version(self, version: str) -> str:
        """Say where Kedro keeps a version."""
        return f"{self.path}/{version}/{self.path.rpartition('/')[2]}" if self.is_versioned else self.path


def find_place(catalog: DataCatalog, dataset: str) -> Place | None:
    """Find where a dataset is kept.

    Args:
        catalog: A catalog as Kedro makes it for a session, with absolute local paths.
        dataset: Its name.

    Returns:
        The place; none for a parameter, what is in memory only, and what has no path, such as a database.
    """
    config = catalog.config_resolver.resolve_pattern(dataset) if dataset in catalog else {}
    inner = config.get("dataset")  # of a CachedDataset
    path = config.get("filepath") or (inner.get("filepath") if isinstance(inner, dict) else None)
    if not path:
        return None
    protocol, bare = get_protocol_and_path(path)
    is_local = protocol in ("file", "local")
    return Place(
        path=Path(bare).as_posix() if is_local else str(path),
        is_local=is_local,
        is_versioned=bool(config.get("versioned") or (isinstance(inner, dict) and inner.get("versioned"))),
    )


def list_load_versions(catalog_config: dict[str, Any], view: dict[str, Artefact]) -> dict[str, str]:
    """Choose a version to load for every dataset that a reader may ask for.

    Args:
        catalog_config: The catalog's configuration.
        view: What readers see.

    Returns:
        What Kedro takes as `load_versions`: for each dataset the version in the view, or one that is nowhere.
    """
    resolver = CatalogConfigResolver(
        catalog_config, default_runtime_patterns=DataCatalog.default_runtime_patterns
    )
    in_pipelines = {name for pipeline in pipelines.values() for name in pipeline.datasets()}
    return {
        name: view[base_name(name)].version if base_name(name) in view else NEVER_COMMITTED
        for name in sorted(resolver.config.keys() | in_pipelines | view.keys())
        if name in resolver.config or resolver.match_dataset_pattern(name)
    }


def read_and_write(catalog: DataCatalog, datasets: Iterable[str], version: str) -> None:
    """Let a catalog read the version that it writes.

    Args:
        catalog: The catalog of a run.
        datasets: The versioned datasets in question.
        version: The run's id.
    """
    for name in datasets:
        dataset = catalog.get(name)
        if isinstance(dataset, AbstractVersionedDataset):
            # Kedro can change a dataset's version only by replacing the dataset, which drops its validator.
            dataset._version = Version(version, version)
