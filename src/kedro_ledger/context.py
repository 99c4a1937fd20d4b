"""Whoever opens the catalog reads committed runs only: runs, notebooks, Kedro-Viz."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.context import CatalogCommandsMixin
from kedro.framework.project import pipelines
from kedro.io import CatalogProtocol, DataCatalog

from kedro_ledger.absence import explain
from kedro_ledger.errors import LedgerError
from kedro_ledger.home import DEFAULT_HOME, Home, find_home
from kedro_ledger.kedro_internals import CatalogContext, is_versioned
from kedro_ledger.ledger import Ledger
from kedro_ledger.record import Record
from kedro_ledger.storage import REASONS, CatalogNames, list_load_versions, list_made_datasets

ALLOW_MIXED = "kedro_ledger.allow_mixed"
"""Where click keeps, for a command, that it has the option `--allow-mixed`."""


class ReadersCatalog(DataCatalog, CatalogCommandsMixin):
    """A catalog for readers: where there is nothing for them to load, it says why."""

    ledger: Ledger
    current_run: Record | None
    names: CatalogNames
    absent: frozenset[str] = frozenset()
    """The datasets that runs make and readers don't see."""

    def load(self, ds_name: str, version: str | None = None) -> Any:
        """Load the version of the last committed run.

        Raises:
            LedgerError: If readers see none.
        """
        if version is None and ds_name in self.absent and is_versioned(self.get(ds_name)):
            raise LedgerError(explain(self.ledger, self.current_run, self.names(ds_name)))
        return super().load(ds_name, version)


class RunContext(CatalogContext):
    """Kedro's context, with a catalog that doesn't load the latest version but the last committed one."""

    current_run: Record | None = None
    """The run whose view the newest catalog of this context reads."""
    home: Home = DEFAULT_HOME
    """Where the environment keeps its data."""
    configuration: dict[str, dict[str, Any]]
    """The `catalog` and the `parameters` of that catalog, as they stand in the configuration."""
    names: CatalogNames
    """Which names of that catalog stand for one dataset."""
    save_version: str | None = None
    """The version that this catalog saves; none if it is not a run's."""

    def make_catalog(
        self, catalog_class: type, save_version: str | None, load_versions: dict[str, str]
    ) -> CatalogProtocol[Any, Any]:
        """Make the catalog as `--load-versions` would, with a version for every dataset."""
        if save_version:
            # For a run, Kedro may have loaded the pipelines that run only; the others make data too.
            pipelines.set_requested(None)
        self.save_version = save_version
        self.home = find_home(self.config_loader, self.env)
        ledger = Ledger(self.project_path, home=self.home)
        self.current_run = ledger.current()
        found = {"catalog": self.config_loader["catalog"]}
        with suppress(MissingConfigException):
            found["parameters"] = self.config_loader["parameters"]
        self.configuration = {"parameters": {}, **found}
        _apply_options(self.configuration["parameters"])
        made = list_made_datasets(ledger, self.current_run)
        self.names = CatalogNames(ledger, found["catalog"], made)
        committed = list_load_versions(ledger, self.names, made, self.current_run)
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
            catalog.ledger, catalog.current_run, catalog.names = ledger, self.current_run, self.names
            catalog.absent = frozenset(
                name for name, v in committed.items() if v in REASONS and name not in load_versions
            )
        return catalog


def _apply_options(parameters: dict[str, Any]) -> None:
    """Let an option of the ledger on the command line stand in for its parameter."""
    command = click.get_current_context(silent=True)
    if command and command.meta.get(ALLOW_MIXED) and isinstance(block := parameters.get("runs", {}), dict):
        parameters["runs"] = block | {"allow_mixed": True}
