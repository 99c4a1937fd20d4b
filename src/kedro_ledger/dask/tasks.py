"""The tasks of a run on a cluster."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import CancelledError, Client, Future, KilledWorker, wait
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_ledger import storage
from kedro_ledger.dask import facts, worker
from kedro_ledger.dask.cluster import WorkerMonitor, call, check_workers, find_address
from kedro_ledger.errors import InputError
from kedro_ledger.kedro_internals import is_versioned
from kedro_ledger.paths import ATTEMPT_SEPARATOR

runner_log = logging.getLogger("kedro.runner.dask")
"""Logger for the messages that Kedro's runners log too."""

POLL_INTERVAL = 1
"""Seconds between two checks of the workers."""
RUN_NODE = f"{worker.__name__}.{worker.run_node.__name__}"


class Tasks:
    """The tasks of one run: one for each node."""

    def __init__(
        self, client: Client, pipeline: Pipeline, catalog: Any, is_async: bool, run_id: str, package: str
    ) -> None:
        """Find the paths of the datasets that the run will write, and those that stay in memory.

        Args:
            client: The cluster's client.
            pipeline: The nodes to run.
            catalog: The run's catalog.
            is_async: Whether a node's datasets are loaded and saved in threads.
            run_id: The run's id.
            package: The project's package.
        """
        self._client, self._pipeline, self._run_catalog = client, pipeline, catalog
        self._catalog = DataCatalog({name: catalog.get(name) for name in sorted(pipeline.datasets())})
        self._address = find_address(client)
        self._is_async, self._run_id, self._package = is_async, run_id, package
        self._facts = json.dumps(facts.read_facts(package))
        self._output_paths = {
            name: location.version(run_id)
            for name in sorted(pipeline.all_outputs())
            if is_versioned(dataset := catalog.get(name))
            and (location := storage.find_location(name, dataset))
            and location.is_local
        }
        self._in_memory = {
            name for name in pipeline.all_outputs() if isinstance(catalog.get(name), MemoryDataset)
        }
        self._pending_reads = Counter(name for node in pipeline.nodes for name in {*node.inputs})
        self._results: dict[str, Future[Any]] = {}
        self._running: dict[Future[Any], Node] = {}

    def run(self) -> None:
        """Run all nodes, and load the results that stay in memory into the run's catalog.

        Raises:
            InputError: If a worker is unsuitable, or the cluster fails.
        """
        with self._mark_run() as self._marker:
            try:
                check_workers(self._client, self._package, self._marker)
                self._monitor = WorkerMonitor(self._client)
                self._client.subscribe_topic(self._package, _make_log_handler(self._run_id))
                self._run_nodes()
                for name, future in self._results.items():
                    self._run_catalog.save(name, self._fetch(future)[name])
            except (CancelledError, OSError) as error:
                if self._client.status != "running":
                    reason = "ended during the run; expected it to keep running"
                elif isinstance(error, CancelledError):
                    reason = "cancelled the run's tasks; expected no restart of the cluster during a run"
                else:
                    raise
                raise InputError(f"the scheduler at {self._address} {reason}") from error
            finally:
                with suppress(Exception):  # the cluster may be gone
                    self._client.cancel([*self._running], force=True)

    def _run_nodes(self) -> None:
        dependencies = self._pipeline.node_dependencies
        total = len(self._pipeline.nodes)
        done: set[Node] = set()
        left = list(self._pipeline.nodes)
        while left or self._running:
            for node in [node for node in left if dependencies[node] <= done]:
                left.remove(node)
                self._running[self._submit(node)] = node
            with suppress(TimeoutError):
                wait(list(self._running), timeout=POLL_INTERVAL, return_when="FIRST_COMPLETED")
            self._monitor.check()
            for future in [future for future in self._running if future.done()]:
                _raise_error(future, self._running[future])
                node = self._running.pop(future)
                done.add(node)
                runner_log.info("Completed node: %s", node.name)
                runner_log.info("Completed %d out of %d tasks", len(done), total)
                self._release(node, future)

    def _submit(self, node: Node) -> Future[Any]:
        work = worker.Work(
            node=node,
            catalog=self._catalog,
            is_async=self._is_async,
            run_id=self._run_id,
            output_paths={
                name: self._output_paths[name] for name in node.outputs if name in self._output_paths
            },
            in_memory=[name for name in node.outputs if name in self._in_memory],
            marker=self._marker,
        )
        upstream = {future.key: future for name in node.inputs if (future := self._results.get(name))}
        future = self._client.submit(
            call,
            RUN_NODE,
            self._package,
            self._facts,
            self._pickle(work),
            *upstream.values(),
            key=f"{node.name}-{self._run_id}",
            pure=False,
        )
        self._results |= dict.fromkeys(work.in_memory, future)
        return future

    def _pickle(self, work: worker.Work) -> bytes:
        try:
            pickled: bytes = cloudpickle.dumps(work)
        except Exception as error:  # pickling may raise any exception
            datasets = sorted(self._pipeline.datasets())
            unfit = [name for name in datasets if not _can_pickle(self._catalog.get(name))]
            raise InputError(
                f"{[*unfit, work.node.name][0]}: can't be sent to workers ({error}); expected an object that "
                "can be pickled, or another runner"
            ) from error
        return pickled

    def _fetch(self, future: Future[Any]) -> dict[str, Any]:
        """Load a result from its worker, or fail if no worker is left."""
        while True:
            with suppress(TimeoutError):
                result: dict[str, Any] = future.result(timeout=POLL_INTERVAL)
                return result
            self._monitor.check()

    def _release(self, node: Node, future: Future[Any]) -> None:
        """Release results that no other node needs: if a worker dies, Dask computes all others again."""
        self._pending_reads.subtract({*node.inputs})
        kept = self._pipeline.outputs()
        unused = {future}
        for name in [*node.inputs, *node.outputs]:
            if name in self._results and not self._pending_reads[name] and name not in kept:
                unused.add(self._results.pop(name))
        for other in unused - {*self._results.values()}:
            other.release()  # explicitly, since other objects may refer to it, such as a timeout's traceback

    @contextmanager
    def _mark_run(self) -> Iterator[str | None]:
        """Create a file that shows workers that the run is active, in a folder that the ledger cleans up."""
        if not self._output_paths:
            yield None
            return
        folders = {Path(path).parent for path in self._output_paths.values()}
        first = min(folders)
        marker = first.with_name(f"{first.name}{ATTEMPT_SEPARATOR}running")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        try:
            yield str(marker)
        finally:
            marker.unlink(missing_ok=True)
            for folder in folders:
                # Workers that died leave incomplete versions.
                for remainder in folder.parent.glob(f"{folder.name}{ATTEMPT_SEPARATOR}*"):
                    shutil.rmtree(remainder, ignore_errors=True)


def _raise_error(future: Future[Any], node: Node) -> None:
    """Raise the error that a node raised, or the reason why it could not run."""
    if future.status == "finished":
        return
    if future.status != "error":
        raise CancelledError(node.name)
    error = future.exception()
    if isinstance(error, KilledWorker):
        raise InputError(
            f"{node.name}: every worker that ran this node died ({error.allowed_failures + 1} times); "
            "expected the node to finish. It may need more memory than a worker has"
        )
    raise error.with_traceback(future.traceback())


def _can_pickle(dataset: object) -> bool:
    try:
        cloudpickle.dumps(dataset)
    except Exception:  # pickling may raise any exception
        return False
    return True


def _make_log_handler(run_id: str) -> Callable[[tuple[Any, dict[str, Any]]], None]:
    """Make an event handler that logs the records of workers in this process, for one run only."""

    def handle(event: tuple[Any, dict[str, Any]]) -> None:
        _, values = event
        if values.get("run_id") == run_id:
            logger = logging.getLogger(values["name"])
            if logger.isEnabledFor(values["levelno"]):
                logger.handle(logging.makeLogRecord(values))

    return handle
