"""A Dask cluster in separate processes: a scheduler, and workers that can be killed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support import processes
from tests.support.processes import wait_for
from tests.support.project import ROOT

RUNNER = ("--runner", "kedro_ledger.dask.DaskRunner")
SOURCES = str(ROOT / "src")
DASK = (sys.executable, "-m", "dask")


@dataclass
class Cluster:
    """A scheduler with its workers, whose output is in files in a folder."""

    folder: Path
    address: str
    scheduler: subprocess.Popen[bytes]
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def runner(self) -> tuple[str, ...]:
        """Options of `kedro run` that select this cluster."""
        return (*RUNNER, "--runner-params", f"address={self.address}")

    def add_worker(
        self,
        *options: str,
        host: str = "127.0.0.1",
        within: tuple[str, ...] = (),
        python: tuple[str, ...] = DASK,
        path: str = SOURCES,
    ) -> subprocess.Popen[bytes]:
        """Start a worker, and wait until it is registered with the scheduler."""
        name = f"worker{len(self.workers)}"
        log = self.folder / f"{name}.log"
        command = [
            *within,
            *python,
            "worker",
            self.address,
            *("--nthreads", "1", "--local-directory", str(self.folder / name)),
            *listen_on(host),
            *options,
        ]
        self.workers.append(start(command, log, self.folder, path))
        wait_for(lambda: log.read_text().count("Registered to"), f"{name}: {log}")
        return self.workers[-1]

    def stop(self) -> None:
        """Kill the workers and the scheduler."""
        for process in [*self.workers, self.scheduler]:
            processes.kill(process.pid)
            process.wait(30)


def listen_on(host: str) -> tuple[str, ...]:
    """Return the options to listen only on `host`. Even without a dashboard, Dask has a web server."""
    return "--host", host, "--dashboard-address", f"{host}:0", "--no-dashboard"


def start(command: list[str], log: Path, folder: Path, path: str) -> subprocess.Popen[bytes]:
    """Start a process whose output goes to a file."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KEDRO_")}
    with log.open("wb") as output:
        return processes.start(
            command,
            cwd=folder,
            env=inherited | {"PYTHONPATH": path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )


@contextmanager
def run_cluster(
    folder: Path,
    workers: int = 0,
    host: str = "127.0.0.1",
    within: tuple[str, ...] = (),
    python: tuple[str, ...] = DASK,
    path: str = SOURCES,
) -> Iterator[Cluster]:
    """Start a scheduler, and workers with a nanny that restarts them when they die."""
    log = folder / "scheduler.log"
    command = [*within, *python, "scheduler", "--port", "0", *listen_on(host)]
    scheduler = start(command, log, folder, path)
    cluster = Cluster(folder, "", scheduler)
    try:
        wait_for(lambda: "Scheduler at:" in log.read_text() and "\n" in log.read_text(), f"{log}")
        cluster.address = next(
            line.split()[-1] for line in log.read_text().splitlines() if "Scheduler at:" in line
        )
        for _ in range(workers):
            cluster.add_worker(path=path)
        yield cluster
    finally:
        cluster.stop()
