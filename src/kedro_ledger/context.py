"""Whoever opens the catalog reads committed runs only: runs, notebooks, Kedro-Viz."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

from kedro.config import MissingConfigException
from kedro.framework.context import CatalogCommandsMixin
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog

from kedro_ledger.absence import explain
from kedro_ledger.errors import LedgerError
from kedro_ledger.home import DEFAULT_HOME, Home, find_home
from kedro_ledger.kedro_internals import CatalogContext
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name
from kedro_ledger.record import Record
from kedro_ledger.storage import REASONS, list_load_versions


class ReadersCatalog(DataCatalog, CatalogCommandsMixin):
    """A catalog for readers: where there is nothing for them to load, it says why."""

    ledger: Ledger
    current_run: Record | None
    absent: frozenset[str] = frozenset()
    """The datasets that runs make and readers don't see."""

    def load(self, ds_name: str, version: str | None = None) -> Any:
        """Load the version of the last committed run.

        Raises:
            LedgerError: If readers see none.
        """
        if version is None and ds_name in self.absent:
            raise LedgerError(explain(self.ledger, self.current_run, base_name(ds_name)))
        return super().load(ds_name, version)


class RunContext(CatalogContext):
    """Kedro's context, with a catalog that doesn't load the latest version but the last committed one."""

    current_run: Record | None = None
    """The run whose view the newest catalog of this context reads."""
    home: Home = DEFAULT_HOME
    """Where the environment keeps its data."""
    configuration: dict[str, dict[str, Any]]
    """The `catalog` and the `parameters` of that catalog, as they stand in the configuration."""

    def make_catalog(
        self, catalog_class: type, save_version: str | None, load_versions: dict[str, str]
    ) -> CatalogProtocol[Any, Any]:
        """Make the catalog as `--load-versions` would, with a version for every dataset."""
        if save_version:
            # For a run, Kedro may have loaded the pipelines that run only; the others make data too.
            pipelines.set_requested(None)
        self.home = find_home(self.config_loader, self.env)
        ledger = Ledger(self.project_path, home=self.home)
        self.current_run = ledger.current()
        found = {"catalog": self.config_loader["catalog"]}
        with suppress(MissingConfigException):
            found["parameters"] = self.config_loader["parameters"]
        self.configuration = {"parameters": {}, **found}
        committed = list_load_versions(ledger, found["catalog"], self.current_run)
        if save_version is None and catalog_class is DataCatalog:
            catalog_class = ReadersCatalog
        # Kedro takes what is set on its loader, and need not read it once more.
        set_by_others = {name: found[name] for name in found if name in self.config_loader}
        self.config_loader.update(deepcopy(found))
        try:
            catalog = super().make_catalog(catalog_class, save_version, committed | load_versions)
        finally:
            for name in found:
                del self.config_loader[name]
            self.config_loader.update(set_by_others)
        if isinstance(catalog, ReadersCatalog):
            catalog.ledger, catalog.current_run = ledger, self.current_run
            catalog.absent = frozenset(
                name for name, v in committed.items() if v in REASONS and name not in load_versions
            )
        return catalog
