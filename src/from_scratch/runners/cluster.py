"""A cluster of Dask to run on: one that is there, or one of this machine's processors."""

from __future__ import annotations

import asyncio
import logging
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any

from from_scratch.errors import InputError
from from_scratch.runners import by_value, facts, quiet_worker

if TYPE_CHECKING:
    from distributed import Client

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
    from distributed import Client, LocalCluster
    from distributed.versions import VersionMismatchWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", VersionMismatchWarning)  # check_workers says it in words
        if address:
            _see_that_a_scheduler_answers(address)
            log.info("running on the cluster at %s", address)
            with Client(address, timeout=PATIENCE) as client:
                _say_dashboard(client)
                yield client
            return
        with (
            # Dask would set numbers of threads there, and in this process too; they are a parameter of ours.
            dask.config.set({"distributed.nanny.pre-spawn-environ": {}}),
            LocalCluster(
                n_workers=workers or len(os.sched_getaffinity(0)),
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
                preload=[quiet_worker.__name__],
            ) as cluster,
            Client(cluster) as client,
        ):
            count = len(cluster.workers)
            log.info("running on %d worker%s of this machine", count, "" if count == 1 else "s")
            _say_dashboard(client)
            yield client


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
    _check_versions(dict(client.get_versions()))  # type: ignore[arg-type]
    here = facts.read_facts(package)
    found = _ask(client, "read_facts", package)
    seen = _ask(client, "sees", marker) if marker else {}
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
    from distributed.core import rpc

    async def ask() -> str:
        async with rpc(address) as server:
            return str((await server.identity())["type"])

    async def ask_patiently() -> str:
        return await asyncio.wait_for(ask(), PATIENCE)

    expected = "expected one, started by `dask scheduler`, and its address"
    try:
        with ThreadPoolExecutor(1) as thread:  # a notebook's own thread runs a loop already
            answer = thread.submit(asyncio.run, ask_patiently()).result()
    except (OSError, ValueError, TypeError) as error:
        raise InputError(
            f"no scheduler of Dask answers at {address} ({_first_line(error)}); {expected}"
        ) from error
    if answer != "Scheduler":
        raise InputError(f"no scheduler of Dask answers at {address}, but a {answer.lower()}; {expected}")


def _wait_for_worker(client: Client) -> None:
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
    asked = client.run(by_value.try_to_call, f"{facts.__name__}.{function}", *args, on_error="return")
    return {
        worker: answer if isinstance(answer, tuple) else (f"{type(answer).__name__}: {answer}", None)
        for worker, answer in sorted(asked.items())
    }


def _say_dashboard(client: Client) -> None:
    log.info("Dask's dashboard: %s", client.dashboard_link)


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
