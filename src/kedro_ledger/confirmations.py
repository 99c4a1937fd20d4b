"""Confirmations by nodes, such as of an `IncrementalDataset`, which take effect with the commit."""

from __future__ import annotations

import copy
import logging
from collections.abc import Iterable
from functools import partial
from typing import Any

from kedro.io import DataCatalog, SharedMemoryDataCatalog
from kedro.pipeline.node import Node

from kedro_ledger.errors import LedgerError

log = logging.getLogger(__name__)


class Confirmations:
    """Confirmations of a run, postponed until its commit.

    Kedro confirms a dataset right after its node. If the run failed later, the data would count as processed
    without being in any committed run.
    """

    def __init__(self, nodes: Iterable[Node], catalog: DataCatalog) -> None:
        """Postpone the confirmations of the datasets that these nodes confirm.

        Raises:
            LedgerError: If a dataset can't be confirmed, or not from this process.
        """
        self._waiting: dict[str, Any] = {}
        for node in nodes:
            for name in node.confirms:
                dataset: Any = catalog.get(name)
                if not hasattr(dataset, "confirm"):
                    raise LedgerError(
                        f"node {node.name} confirms {name}, a {type(dataset).__name__}; "
                        "expected a dataset that can be confirmed, such as an IncrementalDataset"
                    )
                if isinstance(catalog, SharedMemoryDataCatalog):
                    raise LedgerError(
                        f"node {node.name} confirms {name}, but the commit can't confirm a dataset in "
                        "another process; expected the SequentialRunner or the ThreadRunner"
                    )
                dataset.confirm = partial(self._postpone, name, dataset)

    def _postpone(self, name: str, dataset: Any) -> None:
        # The copy knows which data was read, even after Kedro releases the dataset.
        self._waiting[name] = copy.copy(dataset)

    def take_effect(self) -> None:
        """Confirm the datasets whose nodes have run."""
        for name, dataset in self._waiting.items():
            try:
                type(dataset).confirm(dataset)
            except Exception as error:  # a dataset may raise any error, and the run is committed
                log.warning("%s: not confirmed, so the next run reads the same data again: %s", name, error)
