"""A cluster of Dask to run on: one that is there, or one of this machine's processors."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TYPE_CHECKING, Any

from kedro_ledger.dask import by_value, facts, quiet_worker
from kedro_ledger.errors import InputError

if TYPE_CHECKING:
    from distributed import Client, LocalCluster

log = logging.getLogger(__name__)

PATIENCE = 30
"""Seconds to wait for a scheduler, and for a worker where there is none."""
SPOKEN = ("python", "dask", "distributed", "msgpack", "cloudpickle", "tornado", "toolz")
"""What the processes of a cluster must have alike to understand each other."""


@contextmanager
def open_cluster(address: str | None, workers: int | None) -> Iterator[Client]:
    """Connect to a cluster; start one on this machine, for as long as it is needed, if there is no address.

    Args:
        address: That of a scheduler, such as `tcp://host:8786`.
        workers: How many workers to start; by default one for each processor that this process may use.

    Yields:
        The client.

    Raises:
        InputError: If no scheduler answers, or no worker comes.
    """
    import dask
    from dask.system import CPU_COUNT
    from distributed import Client
    from distributed.versions import VersionMismatchWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # check_workers says it in words
        if address is not None:
            log.info("running on the cluster at %s", address)
            _see_that_a_scheduler_answers(address)
            with Client(address, timeout=PATIENCE) as client:
                _say_dashboard(client)
                yield client
            return
        with (
            _restored_log_level("distributed") as dask_log,
            # Dask would set numbers of threads there, and in this process too; they are a parameter of ours.
            dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
            _start_workers(workers or CPU_COUNT) as cluster,
            Client(cluster) as client,
        ):
            count = len(cluster.workers)
            log.info("running on %d worker%s of this machine", count, "" if count == 1 else "s")
            _say_dashboard(client)
            try:
                yield client
            except (KeyboardInterrupt, SystemExit):
                dask_log.setLevel(logging.CRITICAL)  # or it tells of workers that are gone
                cluster.sync(_kill_workers, cluster)
                raise


def _start_workers(count: int) -> LocalCluster:
    from distributed import LocalCluster

    try:
        return LocalCluster(
            n_workers=count,
            threads_per_worker=1,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            preload=[quiet_worker.__name__],
        )
    except RuntimeError as error:
        raise InputError(
            f"workers can't be started here ({_first_line(error)}); in a script of yours, expected the run "
            'to stand behind `if __name__ == "__main__":`, since every worker loads the script'
        ) from error


@contextmanager
def _restored_log_level(name: str) -> Iterator[logging.Logger]:
    logger = logging.getLogger(name)
    level = logger.level
    try:
        yield logger
    finally:
        logger.setLevel(level)


async def _kill_workers(cluster: LocalCluster) -> None:
    """Close the cluster without waiting for the nodes that are at work."""
    workers = [nanny.pid for nanny in cluster.workers.values() if nanny.pid]
    closing = asyncio.gather(*(nanny.close() for nanny in cluster.workers.values()))
    await asyncio.sleep(0)  # from now on, nannies start no worker again
    for worker in workers:
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
    await closing


def check_workers(client: Client, package: str, marker: str | None) -> None:
    """See that the scheduler and all workers can do what the run asks, and would make the same of it.

    Args:
        client: The cluster.
        package: The project's package.
        marker: A file in the data folder.

    Raises:
        InputError: A line for each process that can't.
    """
    _wait_for_worker(client)
    here = facts.read_facts(package)
    try:
        _check_versions(_within_patience(client.get_versions))
        found = _ask(client, "read_facts", package)
        seen = _ask(client, "sees", marker) if marker else {}
    except TimeoutError as timeout:
        raise InputError(
            f"the cluster at {find_address(client)} doesn't answer within {PATIENCE} s; expected all of its "
            f"workers to: {', '.join(sorted(list_workers(client)))}"
        ) from timeout
    faults = []
    for worker, (error, there) in found.items():
        if error:
            faults.append(f"worker {worker}: {error}; expected the project to be installed there")
        elif differences := facts.find_faults(here, there):
            faults.append(f"worker {worker}: {'; '.join(differences)}; expected the same as here")
        elif worker in seen and not seen[worker][1]:
            folder = Path(str(marker)).parent
            faults.append(
                f"worker {worker} doesn't see this run in {folder}, or can't write there; expected the data "
                "folder to be shared, under the same path everywhere"
            )
        elif hardware := facts.find_other_hardware(here, there):
            log.warning("worker %s: %s: last digits may differ", worker, "; ".join(hardware))
    if faults:
        raise InputError(*faults)


class Watch:
    """Looks after the workers: says when one goes, and gives up when none comes back."""

    def __init__(self, client: Client) -> None:
        """Looks who is there."""
        self._client = client
        self._workers = list_workers(client)
        self._seen = monotonic()

    def look(self) -> None:
        """Look.

        Raises:
            InputError: If there has been no worker for a while.
        """
        now = list_workers(self._client)
        for worker in sorted(self._workers - now):
            log.warning("worker %s is gone: what it computed or held is computed again", worker)
        if now:
            self._seen = monotonic()
        elif monotonic() - self._seen > PATIENCE:
            raise InputError(f"no worker is left, and none came within {PATIENCE} s")
        self._workers = now


def find_address(client: Client) -> str:
    """Find the address of the scheduler."""
    return str(client.scheduler_info(n_workers=0)["address"])


def list_workers(client: Client) -> set[str]:
    """List the addresses of the workers that there are."""
    return set(client.scheduler_info(n_workers=-1)["workers"])


def _see_that_a_scheduler_answers(address: str) -> None:
    """Ask who is there: Dask's client itself would wait for ever for a server that says nothing."""
    from distributed.comm.addressing import get_address_host_port
    from distributed.core import rpc
    from distributed.security import Security

    async def ask() -> str:
        connection = Security().get_connection_args("client")
        async with rpc(address, connection_args=connection) as server:
            return str((await server.identity())["type"])

    async def ask_patiently() -> str:
        return await asyncio.wait_for(ask(), PATIENCE)

    expected = "expected one, started by `dask scheduler`, and its address"
    try:
        # Dask would try again and again, and say no more than that it took too long.
        socket.create_connection(get_address_host_port(address), PATIENCE).close()
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread runs a loop already
            answer = thread.submit(asyncio.run, ask_patiently()).result()
    except Exception as error:  # what another kind of server says may be taken for anything
        raise InputError(
            f"no scheduler of Dask answers at {address} ({_first_line(error)}); {expected}"
        ) from error
    if answer != "Scheduler":
        raise InputError(f"no scheduler of Dask answers at {address}, but a {answer.lower()}; {expected}")


def _wait_for_worker(client: Client) -> None:
    if not list_workers(client):
        log.info("there is no worker yet; waiting for one")
    try:
        client.wait_for_workers(1, timeout=PATIENCE)
    except TimeoutError as error:
        raise InputError(
            f"the cluster at {find_address(client)} has no worker; expected one within {PATIENCE} s"
        ) from error


def _check_versions(versions: dict[str, Any]) -> None:
    """See that all processes speak the same language; Dask asks them without sending any code."""
    ours = versions["client"]["packages"]
    others = {"the scheduler": versions["scheduler"]}
    others |= {f"worker {address}": said for address, said in sorted(versions["workers"].items())}
    faults = []
    for name, said in others.items():
        theirs = said["packages"] if said else {}
        if differ := [
            f"{package} {theirs.get(package) or 'missing'} there, {ours[package]} here"
            for package in SPOKEN
            if ours.get(package) and _release(theirs.get(package)) != _release(ours[package])
        ]:
            faults.append(f"{name}: {'; '.join(differ)}; expected the same as here")
    if faults:
        raise InputError(*faults)


def _release(version: str | None) -> str | None:
    """Leave out what Dask says behind a Python's version."""
    return version and version.removesuffix(".final.0")


def _ask(client: Client, function: str, *args: Any) -> dict[str, tuple[str, Any]]:
    """Call a function of `facts` on every worker."""
    import cloudpickle

    cloudpickle.register_pickle_by_value(by_value)
    called = f"{facts.__name__}.{function}"
    asked = _within_patience(lambda: client.run(by_value.try_to_call, called, *args, on_error="return"))
    return {
        worker: answer if isinstance(answer, tuple) else (f"{type(answer).__name__}: {answer}", None)
        for worker, answer in sorted(asked.items())
    }


def _within_patience(ask: Callable[[], Any]) -> Any:
    """Ask what Dask itself would wait for without end.

    Raises:
        TimeoutError: If there is no answer in time.
    """
    answer: Future[Any] = Future()

    def wait() -> None:
        try:
            answer.set_result(ask())
        except BaseException as error:  # which is raised where it was asked
            answer.set_exception(error)

    Thread(target=wait, daemon=True).start()
    return answer.result(PATIENCE)


def _say_dashboard(client: Client) -> None:
    log.info("Dask's dashboard: %s", client.dashboard_link)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
