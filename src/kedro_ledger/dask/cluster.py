"""The Dask cluster to run on: an existing one, or workers on this machine."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from time import monotonic
from typing import Any

import dask
from dask.system import CPU_COUNT
from distributed import Client, LocalCluster, get_worker
from distributed.comm.addressing import get_address_host_port
from distributed.core import rpc
from distributed.security import Security
from distributed.versions import VersionMismatchWarning

from kedro_ledger.dask import facts, worker
from kedro_ledger.errors import InputError

log = logging.getLogger(__name__)

TIMEOUT = 30
"""Seconds to wait for a scheduler, for its answers, and for a first worker."""
PROTOCOL_PACKAGES = ("python", "dask", "distributed", "msgpack", "cloudpickle", "tornado", "toolz")
"""Packages that need the same version in all processes of a cluster, so that these can communicate."""


def _make_call() -> Callable[..., Any]:
    """Make `call`: as an inner function, it is pickled by value, so a scheduler doesn't need the project."""

    def call(function: str, *args: Any) -> Any:
        module, _, name = function.rpartition(".")
        try:
            found = getattr(import_module(module), name)
        except ImportError as error:
            with suppress(ValueError):  # outside a task
                where = get_worker().address
                error.add_note(f"on worker {where}; expected the project's package to be installed there")
            raise
        return found(*args)

    return call


call = _make_call()
"""Calls a function on a worker by its full name."""


@contextmanager
def open_cluster(address: str | None, workers: int | None) -> Iterator[Client]:
    """Connect to a cluster, or start one on this machine until the context ends.

    Args:
        address: The address of a scheduler, such as `tcp://host:8786`, or None to start workers here.
        workers: The number of workers to start; by default one for each processor that this process may use.

    Yields:
        The client.

    Raises:
        InputError: If no scheduler answers, or no worker can be started.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # check_workers reports it
        if address is not None:
            log.info("running on the cluster at %s", address)
            _require_scheduler(address)
            with Client(address, timeout=TIMEOUT) as client:
                log.info("Dask's dashboard: %s", client.dashboard_link)
                yield client
            return
        with (
            _without_handlers("distributed") as dask_log,
            # By default, Dask sets numbers of threads for workers and this process; here, users set them.
            dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
            _start_workers(workers or CPU_COUNT) as cluster,
            Client(cluster) as client,
        ):
            count = len(cluster.workers)
            log.info("running on %d worker%s on this machine", count, "" if count == 1 else "s")
            log.info("Dask's dashboard: %s", client.dashboard_link)
            try:
                yield client
            except (KeyboardInterrupt, SystemExit):
                dask_log.setLevel(logging.CRITICAL)  # otherwise, Dask reports the workers killed here
                cluster.sync(_kill_workers, cluster)
                raise


def _start_workers(count: int) -> LocalCluster:
    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            preload=[worker.__name__],
        )
    except RuntimeError as error:
        raise InputError(
            f"workers could not be started here ({_first_line(error)}); expected a script that starts the "
            'run in `if __name__ == "__main__":`, since each worker imports the script'
        ) from error


@contextmanager
def _without_handlers(name: str) -> Iterator[logging.Logger]:
    """Remove a logger's handlers for a while: Dask would silence them for all loggers that use them."""
    logger = logging.getLogger(name)
    level, handlers = logger.level, logger.handlers
    logger.handlers = [logging.NullHandler()]
    try:
        yield logger
    finally:
        logger.setLevel(level)
        logger.handlers = handlers


async def _kill_workers(cluster: LocalCluster) -> None:
    """Close the cluster without waiting for running nodes."""
    pids = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
    closing = asyncio.gather(*(nanny.close() for nanny in cluster.workers.values()))
    await asyncio.sleep(0)  # from now on, nannies don't restart workers
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    await closing


def _require_scheduler(address: str) -> None:
    """Require that a scheduler answers, since Dask's client would wait forever for a silent server."""

    async def ask() -> str:
        async with rpc(address, connection_args=Security().get_connection_args("client")) as server:
            return str((await asyncio.wait_for(server.identity(), TIMEOUT))["type"])

    expected = "expected the address of a scheduler. Run `dask scheduler` to start one"
    try:
        # Dask's client would retry, and then report only a timeout instead of the reason.
        socket.create_connection(get_address_host_port(address), TIMEOUT).close()
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread has a running loop
            answer = thread.submit(asyncio.run, ask()).result()
    except Exception as error:  # answers of other kinds of servers may raise any exception
        raise InputError(
            f"no Dask scheduler answers at {address} ({_first_line(error)}); {expected}"
        ) from error
    if answer != "Scheduler":
        raise InputError(f"a Dask {answer.lower()} answers at {address}; {expected}")


def check_workers(client: Client, package: str, marker: str | None) -> None:
    """Require that the scheduler and all workers can run the nodes and would write the same artefacts.

    Args:
        client: The cluster's client.
        package: The project's package.
        marker: A file in the data folder, which all workers must see.

    Raises:
        InputError: A line for each process that is unsuitable.
    """
    if not list_workers(client):
        log.info("waiting for a worker")
    try:
        client.wait_for_workers(1, timeout=TIMEOUT)
    except TimeoutError as error:
        raise InputError(
            f"the cluster at {find_address(client)} has no worker; expected a worker within {TIMEOUT} s"
        ) from error
    here = facts.read_facts(package)
    inspect = f"{facts.__name__}.{facts.inspect_worker.__name__}"
    try:
        # Without a timeout, Dask waits forever. `get_versions` sends no code, so it works with any versions.
        check_versions(client.sync(client.get_versions, callback_timeout=TIMEOUT))
        answers = client.sync(
            client.run, call, inspect, package, marker, on_error="return", callback_timeout=TIMEOUT
        )
    except TimeoutError as timeout:
        raise InputError(
            f"the cluster at {find_address(client)} did not answer within {TIMEOUT} s; expected answers from "
            f"all workers: {', '.join(sorted(list_workers(client)))}"
        ) from timeout
    faults = []
    for address, answer in sorted(answers.items()):
        if isinstance(answer, BaseException):
            reason = (
                f"{type(answer).__name__}: {answer}; expected the project's package to be installed there"
            )
        elif differences := facts.find_faults(here, answer[0]):
            reason = f"{'; '.join(differences)}; expected the same as here"
        elif not answer[1]:
            reason = (
                f"can't see this run in {Path(str(marker)).parent}, or can't write there; expected a shared "
                "data folder with the same path on all machines"
            )
        else:
            if hardware := facts.find_other_hardware(here, answer[0]):
                log.warning("worker %s: %s; the last digits may differ", address, "; ".join(hardware))
            continue
        faults.append(f"worker {address}: {reason}")
    if faults:
        raise InputError(*faults)


def check_versions(versions: dict[str, Any]) -> None:
    """Require that all processes use the same protocol.

    Args:
        versions: The result of `Client.get_versions`.

    Raises:
        InputError: A line for each process with other versions.
    """
    ours = versions["client"]["packages"]
    others = {"the scheduler": versions["scheduler"]}
    others |= {f"worker {address}": info for address, info in sorted(versions["workers"].items())}
    faults = []
    for name, info in others.items():
        theirs = info["packages"] if info else {}
        if differences := [
            f"{package} {theirs.get(package) or 'missing'} there, {ours[package]} here"
            for package in PROTOCOL_PACKAGES
            if ours.get(package) and _release(theirs.get(package)) != _release(ours[package])
        ]:
            faults.append(f"{name}: {'; '.join(differences)}; expected the same as here")
    if faults:
        raise InputError(*faults)


def _release(version: str | None) -> str | None:
    """Remove the suffix that Dask adds to Python's version."""
    return version and version.removesuffix(".final.0")


class WorkerMonitor:
    """A monitor that reports lost workers, and gives up if no worker returns."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._workers = list_workers(client)
        self._last_seen = monotonic()

    def check(self) -> None:
        """Compare the workers with those of the last check.

        Raises:
            InputError: If there has been no worker for `TIMEOUT` seconds.
        """
        now = list_workers(self._client)
        for address in sorted(self._workers - now):
            log.warning("worker %s is lost; its unfinished and unsaved results are computed again", address)
        if now:
            self._last_seen = monotonic()
        elif monotonic() - self._last_seen > TIMEOUT:
            raise InputError(f"the cluster has lost all workers; expected a worker within {TIMEOUT} s")
        self._workers = now


def find_address(client: Client) -> str:
    """Find the address of the scheduler."""
    return str(client.scheduler_info(n_workers=0)["address"])


def list_workers(client: Client) -> set[str]:
    """List the addresses of the workers."""
    return set(client.scheduler_info(n_workers=-1)["workers"])


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
