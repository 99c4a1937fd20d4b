"""Nodes as tasks of a Dask cluster, under one run and one commit."""

from __future__ import annotations

import json
import logging
import shutil
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from kedro.framework import project
from kedro.io import CatalogProtocol, MemoryDataset
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner

from from_scratch.errors import InputError
from from_scratch.runners import cluster
from from_scratch.runs import storage
from from_scratch.runs.ledger import TRY

if TYPE_CHECKING:
    from distributed import Client, Future
    from pluggy import PluginManager
    from tqdm import tqdm

log = logging.getLogger(__name__)

GLANCE = 1
"""Seconds after which the runner looks whether workers have come or gone."""


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
            raise InputError(
                f"--runner-params: {', '.join(unknown)} is unknown; known: address, workers, is_async"
            )
        if address is not None and (not isinstance(address, str) or workers is not None):
            raise InputError(
                f"--runner-params: address is {address!r}, workers is {workers!r}; expected an address such as "
                "tcp://host:8786, or a number of workers to start here"
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

    def _validate_catalog(self, catalog: Any) -> None:
        """See that every dataset can be used by other processes."""
        single = [name for name, dataset in catalog.items() if getattr(dataset, "_SINGLE_PROCESS", False)]
        if single:
            raise InputError(f"{', '.join(single)}: can be used in one process only; expected another runner")

    def _run(
        self,
        pipeline: Pipeline,
        catalog: CatalogProtocol[Any, Any],
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        if not run_id or not project.PACKAGE_NAME:
            raise InputError("the DaskRunner runs in a session of Kedro: `kedro run`, or session.run")
        self._validate_catalog(catalog)
        with cluster.open_cluster(self._address, self._workers) as client:
            tasks = _Tasks(client, pipeline, catalog, self._is_async, run_id, project.PACKAGE_NAME)
            tasks.run()


class _Tasks:
    """The tasks of a run."""

    def __init__(
        self,
        client: Client,
        pipeline: Pipeline,
        catalog: Any,
        is_async: bool,
        run_id: str,
        package: str,
    ) -> None:
        self._client, self._pipeline, self._catalog = client, pipeline, catalog
        self._is_async, self._run_id, self._package = is_async, run_id, package
        self._places = {
            name: place.version(run_id)
            for name in sorted(pipeline.all_outputs())
            if (place := storage.find_place(catalog, name)) and place.is_local and place.is_versioned
        }
        self._in_memory = {
            name for name in pipeline.all_outputs() if isinstance(catalog.get(name), MemoryDataset)
        }
        self._readers = Counter(name for node in pipeline.nodes for name in {*node.inputs})
        self._held: dict[str, Future] = {}
        self._running: dict[Future, Node] = {}

    def run(self) -> None:
        """Run all nodes.

        Raises:
            InputError: If a worker is not fit for it, or the cluster fails.
        """
        from distributed import CancelledError

        from from_scratch.runners.forwarding import receive

        with self._mark_run() as self._marker, _progress(len(self._pipeline.nodes)) as bar:
            try:
                cluster.check_workers(self._client, self._package, self._marker)
                self._client.subscribe_topic(self._package, receive(self._run_id))
                self._run_nodes(bar)
                self._fetch_results()
            except (CancelledError, OSError) as error:
                if self._client.status == "running":
                    raise
                raise InputError(
                    f"the scheduler at {self._client.scheduler.address} has gone away, and with it the run; "
                    "expected it to stay"
                ) from error
            finally:
                with suppress(Exception):  # it may be gone
                    self._client.cancel([*self._running], force=True)

    def _run_nodes(self, bar: tqdm[Any]) -> None:
        from distributed import wait

        dependencies = self._pipeline.node_dependencies
        done: set[Node] = set()
        left = list(self._pipeline.nodes)
        watch = _Watch(self._client)
        while left or self._running:
            for node in [node for node in left if dependencies[node] <= done]:
                left.remove(node)
                self._running[self._submit(node)] = node
            with suppress(TimeoutError):
                wait(list(self._running), timeout=GLANCE, return_when="FIRST_COMPLETED")
            watch.look()
            for future in [future for future in self._running if future.done()]:
                node = self._running[future]
                self._raise_error(future, node)
                del self._running[future]
                done.add(node)
                bar.update()
                if bar.disable:
                    log.info("%*d of %d done: %s", len(str(bar.total)), len(done), bar.total, node.name)
                self._release(node)

    def _submit(self, node: Node) -> Future:
        import cloudpickle

        from from_scratch.runners import by_value, facts, worker

        held = [name for name in node.inputs if name in self._held]
        work = worker.Work(
            package=self._package,
            facts=json.dumps(facts.read_facts(self._package)),
            node=node,
            catalog=self._catalog,
            is_async=self._is_async,
            run_id=self._run_id,
            places={name: self._places[name] for name in node.outputs if name in self._places},
            in_memory=[name for name in node.outputs if name in self._in_memory],
            marker=self._marker,
        )
        future: Future = self._client.submit(
            by_value.call,
            f"{worker.__name__}.{worker.run_node.__name__}",
            cloudpickle.dumps(work),
            *{self._held[name].key: self._held[name] for name in held}.values(),
            key=f"{node.name}-{self._run_id}",
            pure=False,
        )
        self._held |= dict.fromkeys(work.in_memory, future)
        return future

    def _raise_error(self, future: Future, node: Node) -> None:
        from distributed import CancelledError, KilledWorker

        if future.status == "finished":
            return
        if future.status != "error":
            raise CancelledError(node.name)
        error = future.exception()
        if isinstance(error, KilledWorker):
            raise InputError(
                f"{node.name}: every worker that ran it died ({error.allowed_failures + 1} times); expected it "
                "to fit into a worker's memory"
            ) from None
        raise error.with_traceback(future.traceback())

    def _release(self, node: Node) -> None:
        """Let go what nobody reads any more."""
        self._readers.subtract({*node.inputs})
        kept = self._pipeline.outputs()
        for name in [*node.inputs, *node.outputs]:
            if not self._readers[name] and name not in kept:
                self._held.pop(name, None)

    def _fetch_results(self) -> None:
        """Bring what the run leaves in memory here."""
        for name, future in self._held.items():
            self._catalog.save(name, future.result()[name])

    @contextmanager
    def _mark_run(self) -> Iterator[str | None]:
        """Leave a file where workers see that the run goes on; beside a version, where the ledger cleans up."""
        if not self._places:
            yield None
            return
        folder = Path(min(self._places.values())).parent
        marker = folder.with_name(f"{folder.name}{TRY}running")
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        try:
            yield str(marker)
        finally:
            marker.unlink(missing_ok=True)
            for folder in {Path(place).parent for place in self._places.values()}:
                for left in folder.parent.glob(f"{folder.name}{TRY}*"):  # by a worker that died
                    shutil.rmtree(left, ignore_errors=True)


class _Watch:
    """Looks after the workers: says when one goes, and gives up when none comes back."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._workers = cluster.list_workers(client)
        self._seen = monotonic()

    def look(self) -> None:
        """Look.

        Raises:
            InputError: If there has been no worker for a while.
        """
        now = cluster.list_workers(self._client)
        for worker in sorted(self._workers - now):
            log.warning("worker %s is gone: what it computed or held is computed again", worker)
        if now:
            self._seen = monotonic()
        elif monotonic() - self._seen > cluster.PATIENCE:
            raise InputError(f"no worker is left, and none came within {cluster.PATIENCE} s")
        self._workers = now


@contextmanager
def _progress(nodes: int) -> Iterator[tqdm[Any]]:
    """Show a bar, where someone watches, with log lines above it."""
    from tqdm import tqdm
    from tqdm.contrib.logging import logging_redirect_tqdm

    with ExitStack() as stack:
        bar = stack.enter_context(tqdm(total=nodes, unit="node", leave=False, disable=None))
        if not bar.disable:
            stack.enter_context(logging_redirect_tqdm())
        yield bar
