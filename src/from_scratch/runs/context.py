"""Whoever opens the catalog reads committed runs only: runs, notebooks, Kedro-Viz."""

from __future__ import annotations

from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog

from from_scratch.runs.ledger import Ledger
from from_scratch.runs.record import Record
from from_scratch.runs.storage import list_load_versions


class RunContext(KedroContext):
    """Kedro's context, with a catalog that doesn't load the latest version but the last committed one."""

    current_run: Record | None = None
    """The run whose view the newest catalog of this context reads."""
    catalog_config: dict[str, Any]
    """The catalog as it stands in the configuration."""

    def _get_catalog(
        self,
        catalog_class: type = DataCatalog,
        save_version: str | None = None,
        load_versions: dict[str, str] | None = None,
    ) -> CatalogProtocol[Any, Any]:
        """Make the catalog as `--load-versions` would, with a version for every dataset."""
        if save_version:
            # For a run, Kedro may have loaded the pipelines that run only; the others make data too.
            pipelines.set_requested(None)
        ledger = Ledger(self.project_path)
        self.current_run = ledger.current()
        self.catalog_config = self.config_loader["catalog"]
        committed = list_load_versions(ledger, self.catalog_config, self.current_run)
        catalog: CatalogProtocol[Any, Any] = super()._get_catalog(
            catalog_class, save_version, {**committed, **(load_versions or {})}
        )
        return catalog
