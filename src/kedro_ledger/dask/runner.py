"""The runner that Kedro is given."""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from kedro.framework import project
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.runner import AbstractRunner

from kedro_ledger import storage
from kedro_ledger.errors import InputError

if TYPE_CHECKING:
    from pluggy import PluginManager


class DaskRunner(AbstractRunner):
    """Runs every node as a task of a Dask cluster, as soon as what it reads is there.

    What is kept, workers read and write themselves, in a folder that all of them share. What is not stays in
    the memory of the workers, and goes from one to another. If a worker dies, what it was computing or held
    in memory is computed again elsewhere.
    """

    def __init__(
        self, address: str | None = None, workers: int | None = None, is_async: bool = False, **unknown: Any
    ) -> None:
        """Take what stands behind `--runner-params`.

        Args:
            address: That of a scheduler that is there; none for workers on this machine, while the run lasts.
            workers: How many of these; by default as many as there are processors.
            is_async: Whether a node's datasets are loaded and saved in threads.
            **unknown: Whatever else was given.

        Raises:
            InputError: If a parameter is unknown or wrong, or Dask isn't installed.
        """
        super().__init__(is_async=is_async)
        if unknown:
            known = ["address", "workers", "is_async"]
            names = ", ".join(unknown)
            raise InputError(f"--runner-params: {names} is unknown; known: {', '.join(known)}")
        if address is not None and (not address or not isinstance(address, str) or workers is not None):
            raise InputError(
                f"--runner-params: address is {address!r}, workers is {workers!r}; expected an address such "
                "as tcp://host:8786, or a number of workers to start here"
            )
        if workers is not None and (type(workers) is not int or workers < 1):
            raise InputError(f"--runner-params: workers is {workers!r}; expected a number, at least 1")
        if not find_spec("distributed"):
            raise InputError("the DaskRunner needs Dask: pip install -e '.[dask]'")
        self._address, self._workers = address, workers

    @property
    def _logger(self) -> logging.Logger:
        """Let Kedro's own lines go where those of its runners go."""
        return logging.getLogger("kedro.runner.dask")

    def _get_executor(self, max_workers: int) -> Executor | None:
        """Nothing: Dask is more than an executor, since tasks may need what others left in memory."""
        return None

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        """Run the nodes; their hooks run where they do."""
        from kedro_ledger.dask.cluster import open_cluster
        from kedro_ledger.dask.tasks import Tasks

        if not run_id or not project.PACKAGE_NAME:
            raise InputError("the DaskRunner runs in a session of Kedro: `kedro run`, or session.run")
        _see_that_datasets_can_be_shared(pipeline, catalog)
        with open_cluster(self._address, self._workers) as client:
            Tasks(client, pipeline, catalog, self._is_async, run_id, project.PACKAGE_NAME).run()


def _see_that_datasets_can_be_shared(pipeline: Pipeline, catalog: Any) -> None:
    """See that what one process writes another can read."""
    single = [
        name
        for name in sorted(pipeline.datasets())
        if getattr(catalog.get(name), "_SINGLE_PROCESS", False)
        or ((place := storage.find_place(catalog, name)) and place.path.startswith("memory:"))
    ]
    if single:
        raise InputError(f"{', '.join(single)}: can be used in one process only; expected another runner")
