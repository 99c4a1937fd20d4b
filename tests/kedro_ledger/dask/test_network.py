"""A cluster of several machines, simulated on one machine: each has its own address and processes."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_ledger.ledger import Ledger
from tests.support.dask_cluster import run_cluster
from tests.support.project import MakeProject, Project

pytestmark = pytest.mark.slow

MACHINES = 5
"""One with the scheduler, which connects the others; three with a worker; and one that starts the run."""


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


@pytest.fixture
def machines() -> Iterator[list[tuple[str, str]]]:
    """Names and addresses of network namespaces, which a bridge in the first one connects."""
    names = [f"fs{os.getpid()}-{number}" for number in range(MACHINES)]
    addresses = [f"10.213.7.{number + 1}" for number in range(MACHINES)]
    try:
        try:
            for name in names:
                ip("netns", "add", name)
                ip("-n", name, "link", "set", "lo", "up")
            ip("-n", names[0], "link", "add", "bridge", "type", "bridge")
            ip("-n", names[0], "address", "add", f"{addresses[0]}/24", "dev", "bridge")
            ip("-n", names[0], "link", "set", "bridge", "up")
            for number, (name, address) in enumerate(zip(names[1:], addresses[1:], strict=True)):
                port = f"port{number}"
                ip("-n", name, "link", "add", "wire", "type", "veth", "peer", "name", port, "netns", names[0])
                ip("-n", names[0], "link", "set", port, "master", "bridge", "up")
                ip("-n", name, "address", "add", f"{address}/24", "dev", "wire")
                ip("-n", name, "link", "set", "wire", "up")
        except (FileNotFoundError, subprocess.CalledProcessError):
            pytest.skip("network namespaces can be made by root on Linux only, with the command ip")
        yield list(zip(names, addresses, strict=True))
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], capture_output=True)


def test_machines_with_their_own_addresses_and_a_shared_folder(
    machines: list[tuple[str, str]], make_project: MakeProject, article_run: Project, tmp_path: Path
) -> None:
    project = make_project()
    (name, address), *rest = machines
    with run_cluster(tmp_path, host=address, within=within(name)) as cluster:
        assert cluster.address.startswith(f"tcp://{address}:")
        for worker, worker_address in rest[:3]:
            cluster.add_worker(host=worker_address, within=within(worker))
        command = [*within(rest[3][0]), sys.executable, "-m", "kedro", "run", *cluster.runner]
        ran = subprocess.run(command, cwd=project.folder, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    ours, theirs = Ledger(project.folder).last(), Ledger(article_run.folder).last()
    assert ours
    assert theirs
    assert {name: artefact.sha256 for name, artefact in ours.outputs.items()} == {
        name: artefact.sha256 for name, artefact in theirs.outputs.items()
    }
    worked = [log for log in tmp_path.glob("worker*.log") if " -> " in log.read_text()]
    assert len(worked) >= 2, "several machines ran nodes"


def within(name: str) -> tuple[str, ...]:
    return ("ip", "netns", "exec", name)
