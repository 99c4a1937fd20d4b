"""A Kedro context whose catalog reads committed runs only: in runs, notebooks and Kedro-Viz."""

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
from kedro_ledger.data_folder import DEFAULT_DATA_FOLDER, DataFolder, find_data_folder
from kedro_ledger.errors import LedgerError
from kedro_ledger.kedro_internals import CatalogContext, is_versioned
from kedro_ledger.ledger import Ledger
from kedro_ledger.record import Record
from kedro_ledger.storage import REASONS, CatalogNames, list_load_versions, list_made_datasets

ALLOW_MIXED = "kedro_ledger.allow_mixed"
"""Key in click's `Context.meta` for the option `--allow-mixed`."""


class ReadersCatalog(DataCatalog, CatalogCommandsMixin):
    """A catalog for readers, whose errors explain why a dataset can't be loaded."""

    ledger: Ledger
    current_run: Record | None
    names: CatalogNames
    absent: frozenset[str] = frozenset()
    """Datasets that runs make but readers don't see."""

    def load(self, ds_name: str, version: str | None = None) -> Any:
        """Load the version that readers see, or the given version.

        Raises:
            LedgerError: If readers see no version.
        """
        if version is None and ds_name in self.absent and is_versioned(self.get(ds_name)):
            raise LedgerError(explain(self.ledger, self.current_run, self.names(ds_name)))
        return super().load(ds_name, version)


class RunContext(CatalogContext):
    """Kedro's context, with a catalog that loads the last committed versions instead of the latest ones."""

    current_run: Record | None = None
    """Run that readers saw when the newest catalog of this context was made."""
    data_folder: DataFolder = DEFAULT_DATA_FOLDER
    """Data folder of the environment."""
    configuration: dict[str, dict[str, Any]]
    """Configuration of that catalog: `catalog` and `parameters`."""
    names: CatalogNames
    """Names of that catalog, mapped to the datasets that they stand for."""
    save_version: str | None = None
    """Version that the catalog saves; None outside a run."""

    def make_catalog(
        self, catalog_class: type, save_version: str | None, load_versions: dict[str, str]
    ) -> CatalogProtocol[Any, Any]:
        """Make a catalog as `--load-versions` does, with a version for each dataset."""
        if save_version:
            # For a run, Kedro may have loaded only the requested pipelines; the others make data too.
            pipelines.set_requested(None)
        self.save_version = save_version
        self.data_folder = find_data_folder(self.config_loader, self.env)
        ledger = Ledger(self.project_path, data_folder=self.data_folder)
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
        # Kedro uses values that are set on its loader, instead of reading the files again.
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
    """Set the parameter of each ledger option that is given on the command line."""
    command = click.get_current_context(silent=True)
    if command and command.meta.get(ALLOW_MIXED) and isinstance(block := parameters.get("runs", {}), dict):
        parameters["runs"] = block | {"allow_mixed": True}
