"""A Kedro runner for Dask clusters."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kedro.framework import project
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner

from kedro_ledger.errors import InputError
from kedro_ledger.kedro_internals import find_address, is_single_process

if TYPE_CHECKING:
    from pluggy import PluginManager


class DaskRunner(AbstractRunner):
    """A runner that runs each node as a task on a Dask cluster, as soon as its inputs are available.

    Workers read and write persisted datasets themselves, in a folder that all of them share. Other datasets
    stay in the memory of the workers, which send them to each other. If a worker dies, other workers compute
    its unfinished and unsaved results again.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, is_async: bool = False, **unknown: Any
    ) -> None:
        """Create a runner from the parameters of `--runner-params`.

        Args:
            address: The address of a scheduler. By default, workers are started on this machine for the run.
            workers: The number of workers to start; by default one for each processor.
            is_async: Whether a node's datasets are loaded and saved in threads.
            **unknown: Other parameters, which raise an error.

        Raises:
            InputError: If a parameter is unknown or wrong, or Dask isn't installed.
        """
        super().__init__(is_async=is_async)
        if unknown:
            raise InputError(
                f"--runner-params: {', '.join(unknown)} is unknown; expected address, workers or is_async"
            )
        if address is not None and (not address or not isinstance(address, str) or workers is not None):
            raise InputError(
                f"--runner-params: address is {address!r}, workers is {workers!r}; expected an address such "
                "as tcp://host:8786, or a number of workers to start here"
            )
        if workers is not None and (type(workers) is not int or workers < 1):
            raise InputError(
                f"--runner-params: workers is {workers!r}; expected a whole number of at least 1"
            )
        if not find_spec("distributed"):
            raise InputError(
                "the DaskRunner needs Dask, which is not installed; run `pip install 'kedro-ledger[dask]'`"
            )
        self._address, self._workers = address, workers

    @property
    def _logger(self) -> logging.Logger:
        """Logger for Kedro's own messages, below `kedro.runner` like those of Kedro's runners."""
        return logging.getLogger("kedro.runner.dask")

    def _get_executor(self, max_workers: int) -> Executor | None:
        """Return None: an executor can't pass on the results that other tasks left in memory."""
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        """Run the nodes; their hooks run on the workers."""
        from kedro_ledger.dask.cluster import open_cluster  # Dask is optional
        from kedro_ledger.dask.tasks import Tasks

        if not run_id or not project.PACKAGE_NAME:
            raise InputError("the DaskRunner has no Kedro session; expected `kedro run` or session.run")
        _require_shareable(pipeline, catalog)
        with open_cluster(self._address, self._workers) as client:
            Tasks(client, pipeline, catalog, self._is_async, run_id, project.PACKAGE_NAME).run()


def _require_shareable(pipeline: Pipeline, catalog: Any) -> None:
    """Require that processes can share all datasets, and that no node confirms a dataset."""
    if confirmed := sorted({name for node in pipeline.nodes for name in node.confirms}):
        raise InputError(f"{', '.join(confirmed)}: can't be confirmed by a worker; expected another runner")
    single = [
        name
        for name in sorted(pipeline.datasets())
        if is_single_process(catalog.get(name))
        or (find_address(catalog.get(name)) or "").startswith("memory:")
    ]
    if single:
        raise InputError(
            f"{', '.join(single)}: can't be shared between processes; expected another dataset or runner"
        )
