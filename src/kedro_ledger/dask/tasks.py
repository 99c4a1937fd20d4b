"""The tasks of a run, from the first to the last."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import cloudpickle
from distributed import CancelledError, Client, Future, KilledWorker, wait
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from tqdm import tqdm
from tqdm.contrib.logging import logging_redirect_tqdm

from kedro_ledger import storage
from kedro_ledger.dask import by_value, facts, worker
from kedro_ledger.dask.cluster import Watch, check_workers, find_address
from kedro_ledger.dask.forwarding import receive
from kedro_ledger.errors import InputError
from kedro_ledger.paths import TRY
from kedro_ledger.printable import is_watched

log = logging.getLogger(__name__)

GLANCE = 1
"""Seconds after which the runner looks whether workers have come or gone."""
FUNCTION = f"{worker.__name__}.{worker.run_node.__name__}"


class Tasks:
    """The tasks of a run."""

    def __init__(
        self, client: Client, pipeline: Pipeline, catalog: Any, is_async: bool, run_id: str, package: str
    ) -> None:
        """Finds out what the run will write, and where.

        Args:
            client: The cluster.
            pipeline: What is to run.
            catalog: The run's catalog.
            is_async: Whether a node's datasets are loaded and saved in threads.
            run_id: The run.
            package: The project's package.
        """
        self._client, self._pipeline, self._all = client, pipeline, catalog
        self._catalog = DataCatalog({name: catalog.get(name) for name in sorted(pipeline.datasets())})
        self._address = find_address(client)
        self._is_async, self._run_id, self._package = is_async, run_id, package
        self._facts = json.dumps(facts.read_facts(package))
        self._places = {
            name: place.version(run_id)
            for name in sorted(pipeline.all_outputs())
            if (place := storage.find_place(catalog, name)) and place.is_local and place.is_versioned
        }
        self._in_memory = {
            name for name in pipeline.all_outputs() if isinstance(catalog.get(name), MemoryDataset)
        }
        self._readers = Counter(name for node in pipeline.nodes for name in {*node.inputs})
        self._held: dict[str, Future[Any]] = {}
        self._running: dict[Future[Any], Node] = {}

    def run(self) -> None:
        """Run all nodes, and bring what the run leaves in memory here.

        Raises:
            InputError: If a worker is not fit for it, or the cluster fails.
        """
        with self._mark_run() as self._marker, _progress(len(self._pipeline.nodes)) as bar:
            try:
                check_workers(self._client, self._package, self._marker)
                self._watch = Watch(self._client)
                self._client.subscribe_topic(self._package, receive(self._run_id))
                self._run_nodes(bar)
                for name, future in self._held.items():
                    self._all.save(name, self._fetch(future)[name])
            except (CancelledError, OSError) as error:
                if self._client.status != "running":
                    happened = "has gone away, and with it the run; expected it to stay"
                elif isinstance(error, CancelledError):
                    happened = "has dropped the run's tasks; expected nobody to restart it"
                else:
                    raise
                raise InputError(f"the scheduler at {self._address} {happened}") from error
            finally:
                with suppress(Exception):  # the cluster may be gone
                    self._client.cancel([*self._running], force=True)

    def _run_nodes(self, bar: tqdm[Any]) -> None:
        dependencies = self._pipeline.node_dependencies
        done: set[Node] = set()
        left = list(self._pipeline.nodes)
        while left or self._running:
            for node in [node for node in left if dependencies[node] <= done]:
                left.remove(node)
                self._running[self._submit(node)] = node
            with suppress(TimeoutError):
                wait(list(self._running), timeout=GLANCE, return_when="FIRST_COMPLETED")
            self._watch.look()
            for node in self._take_finished():
                done.add(node)
                bar.update()
                if bar.disable:
                    log.info("%*d of %d done: %s", len(str(bar.total)), len(done), bar.total, node.name)
                self._release(node)

    def _take_finished(self) -> list[Node]:
        """Take the nodes that are done, and keep no hold on their tasks: what is held is computed again."""
        finished = {future: node for future, node in self._running.items() if future.done()}
        for future, node in finished.items():
            _raise_error(future, node)
            del self._running[future]
        return list(finished.values())

    def _submit(self, node: Node) -> Future[Any]:
        work = worker.Work(
            node=node,
            catalog=self._catalog,
            is_async=self._is_async,
            run_id=self._run_id,
            places={name: self._places[name] for name in node.outputs if name in self._places},
            in_memory=[name for name in node.outputs if name in self._in_memory],
            marker=self._marker,
        )
        upstream = {future.key: future for name in node.inputs if (future := self._held.get(name))}
        future = self._client.submit(
            by_value.call,
            FUNCTION,
            self._package,
            self._facts,
            self._pickle(work),
            *upstream.values(),
            key=f"{node.name}-{self._run_id}",
            pure=False,
        )
        self._held |= dict.fromkeys(work.in_memory, future)
        return future

    def _pickle(self, work: worker.Work) -> bytes:
        try:
            pickled: bytes = cloudpickle.dumps(work)
        except Exception as error:  # whatever pickling may raise
            expected = "expected what can be pickled, or another runner"
            for name in sorted(self._pipeline.datasets()):
                if not _can_be_pickled(self._catalog.get(name)):
                    raise InputError(f"{name}: can't be sent to workers ({error}); {expected}") from error
            raise InputError(f"{work.node.name}: can't be sent to workers ({error}); {expected}") from error
        return pickled

    def _fetch(self, future: Future[Any]) -> dict[str, Any]:
        """Bring a result here, unless all workers go before."""
        while True:
            with suppress(TimeoutError):
                result: dict[str, Any] = future.result(timeout=GLANCE)
                return result
            self._watch.look()

    def _release(self, node: Node) -> None:
        """Let go what nobody reads any more."""
        self._readers.subtract({*node.inputs})
        kept = self._pipeline.outputs()
        for name in [*node.inputs, *node.outputs]:
            if not self._readers[name] and name not in kept:
                self._held.pop(name, None)

    @contextmanager
    def _mark_run(self) -> Iterator[str | None]:
        """Leave a file by which workers see that the run goes on, where the ledger cleans up."""
        if not self._places:
            yield None
            return
        folders = {Path(place).parent for place in self._places.values()}
        first = min(folders)
        marker = first.with_name(f"{first.name}{TRY}running")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        try:
            yield str(marker)
        finally:
            marker.unlink(missing_ok=True)
            for folder in folders:
                for left in folder.parent.glob(f"{folder.name}{TRY}*"):  # by a worker that died
                    shutil.rmtree(left, ignore_errors=True)


def _raise_error(future: Future[Any], node: Node) -> None:
    """Raise what a node raised, or why it can't be run."""
    if future.status == "finished":
        return
    if future.status != "error":
        raise CancelledError(node.name)
    error = future.exception()
    if isinstance(error, KilledWorker):
        times = error.allowed_failures + 1
        raise InputError(
            f"{node.name}: every worker that ran it died ({times} times); expected it to end: it may need "
            "more memory than a worker has"
        )
    raise error.with_traceback(future.traceback())


def _can_be_pickled(dataset: Any) -> bool:
    try:
        cloudpickle.dumps(dataset)
    except Exception:  # whatever pickling may raise
        return False
    return True


@contextmanager
def _progress(nodes: int) -> Iterator[tqdm[Any]]:
    """Show a bar, where someone watches, with log lines above it."""
    with ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=nodes, unit="node", leave=False, disable=not is_watched()))
        if not bar.disable:
            stack.enter_context(logging_redirect_tqdm())
        yield bar
