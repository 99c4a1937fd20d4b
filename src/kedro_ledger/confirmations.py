"""What nodes confirm, such as the partitions of an `IncrementalDataset`: it takes effect with the commit."""

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
    """Puts off what nodes confirm until their run is committed.

    Kedro confirms after the node. If the run failed later, what the node has read would count as processed,
    and be in no committed run.
    """

    def __init__(self, nodes: Iterable[Node], catalog: DataCatalog) -> None:
        """Let the datasets that these nodes confirm wait.

        Raises:
            LedgerError: If one can't be confirmed, or not from here.
        """
        self._waiting: dict[str, Any] = {}
        for node in nodes:
            for name in node.confirms:
                dataset: Any = catalog.get(name)
                if not hasattr(dataset, "confirm"):
                    raise LedgerError(
                        f"{node.name} confirms {name}, a {type(dataset).__name__}; "
                        "expected a dataset that can be confirmed, such as an IncrementalDataset"
                    )
                if isinstance(catalog, SharedMemoryDataCatalog):
                    raise LedgerError(
                        f"{node.name} confirms {name}, which takes effect with the commit, and can't from "
                        "another process; expected the SequentialRunner or the ThreadRunner"
                    )
                dataset.confirm = partial(self._put_off, name, dataset)

    def _put_off(self, name: str, dataset: Any) -> None:
        self._waiting[name] = copy.copy(dataset)  # which knows what was read, and is not released meanwhile

    def take_effect(self) -> None:
        """Confirm what nodes have confirmed."""
        for name, dataset in self._waiting.items():
            try:
                type(dataset).confirm(dataset)
            except Exception as error:  # a dataset may raise anything, and the run is committed
                log.warning("%s: not confirmed, so the next run reads the same again: %s", name, error)
