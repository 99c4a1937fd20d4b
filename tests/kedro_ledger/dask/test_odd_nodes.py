"""Nodes and datasets that are difficult for a cluster, and an interrupted run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from kedro_ledger.dask import cluster as clusters
from kedro_ledger.errors import InputError
from tests.support.dask_cluster import RUNNER, Cluster, run_cluster
from tests.support.processes import start, wait_for
from tests.support.project import ROOT, MakeProject
from tests.support.tiny import Tiny

pytestmark = pytest.mark.slow

DIES = "def negate(numbers):\n"


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    return Tiny.make(tmp_path / "tiny")


@pytest.fixture
def cluster(tiny: Tiny, tmp_path: Path) -> Iterator[Cluster]:
    path = os.pathsep.join([str(tiny.folder / "src"), str(ROOT / "src")])
    with run_cluster(tmp_path, workers=1, path=path) as cluster:
        yield cluster


def change(tiny: Tiny, old: str, new: str) -> None:
    registry = tiny.folder / "src" / "tiny" / "pipeline_registry.py"
    assert old in registry.read_text()
    registry.write_text(registry.read_text().replace(old, new))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "raise SystemExit(0)",
            "Error: negate: the node would end its process (SystemExit(0)); expected it to return ",
        ),
        (
            "raise KeyboardInterrupt",
            "Error: negate: the node would end its process (KeyboardInterrupt()); expected ",
        ),
        (
            "e = OSError('locked'); e.lock = __import__('threading').Lock(); raise e",
            "Exception: OSError('locked')",
        ),
        ("return None", "DatasetError: scaled.down: Saving 'None' to a 'Dataset' is not allowed"),
    ],
)
def test_nodes_that_end_oddly(tiny: Tiny, body: str, message: str, cluster: Cluster) -> None:
    change(tiny, DIES, f"{DIES}    {body}\n")
    ran = tiny.kedro("run", *cluster.runner)
    assert ran.returncode
    assert message in ran.stderr
    assert " is lost" not in ran.stderr, "the worker keeps running"
    assert tiny.ledger.last() is None


def test_an_object_that_cannot_be_sent_is_named(tiny: Tiny, cluster: Cluster) -> None:
    locked = "import threading\nfrom kedro.io import MemoryDataset\n\n\nclass Locked(MemoryDataset):\n"
    init = "    def __init__(self):\n        super().__init__()\n        self.lock = threading.Lock()\n"
    (tiny.folder / "src" / "tiny" / "locked.py").write_text(locked + init)
    catalog = tiny.folder / "conf" / "base" / "catalog.yml"
    as_it_was = catalog.read_text()
    catalog.write_text(f"{as_it_was}\nunused: {{type: tiny.locked.Locked}}\n")
    tiny_runs = tiny.kedro("run", *cluster.runner)
    assert tiny_runs.returncode == 0, tiny_runs.stderr
    catalog.write_text(f"{as_it_was}\nin_memory: {{type: tiny.locked.Locked}}\n")
    assert "in_memory: can't be sent to workers (" in tiny.kedro("run", *cluster.runner).stderr
    catalog.write_text(as_it_was.replace("data/04_total", "memory://total"))
    message = tiny.kedro("run", *cluster.runner).stderr
    assert "total.metrics: can't be shared between processes; expected another dataset or runner" in message


def test_a_finished_node_does_not_run_again(tiny: Tiny, cluster: Cluster) -> None:
    """If a worker dies, only its unfinished node runs again, since the results of earlier nodes are saved."""
    data = tiny.folder / "data"
    change(
        tiny, "def parse(raw):\n", f"def parse(raw):\n    open({str(data / 'parsed')!r}, 'a').write('x')\n"
    )
    change(tiny, 'Path("data/gate")', f"Path({str(data / 'gate')!r})")
    change(tiny, 'Path("data/waiting")', f"Path({str(data / 'waiting')!r})")
    (data / "gate").touch()
    command = [sys.executable, "-m", "kedro", "run", *cluster.runner]
    run = start(command, cwd=tiny.folder, stderr=subprocess.PIPE, text=True)
    wait_for((data / "waiting").exists, "the node is running")
    (data / "waiting").unlink()
    (worker,) = psutil.Process(cluster.workers[0].pid).children()[-1:]
    worker.kill()
    wait_for((data / "waiting").exists, "the node is running again")
    (data / "gate").unlink()
    message = run.communicate(timeout=60)[1]
    assert run.returncode == 0, message
    assert " is lost; its unfinished and unsaved results are computed again" in message
    assert (data / "parsed").read_text() == "x"
    tiny.expect_one_whole_run()


def test_a_worker_that_hangs(tiny: Tiny, cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    with clusters.open_cluster(cluster.address, None) as client:
        clusters.check_workers(client, "from_scratch", None)
        (worker,) = clusters.list_workers(client)
        monkeypatch.setattr(clusters, "TIMEOUT", 1)
        os.kill(client.run(os.getpid)[worker], signal.SIGSTOP)
        with pytest.raises(
            InputError, match=f"did not answer within 1 s; expected answers from all workers: {worker}"
        ):
            clusters.check_workers(client, "from_scratch", None)


def test_ctrl_c_prints_no_more_than_without_workers(make_project: MakeProject) -> None:
    project = make_project()
    command = [sys.executable, "-m", "kedro", "run", *RUNNER, "--runner-params", "workers=2"]
    # A shell's background job ignores Ctrl-C, and its children would inherit this.
    run = subprocess.Popen(
        command,
        cwd=project.folder,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    wait_for(project.list_nodes)
    time.sleep(0.2)
    workers = psutil.Process(run.pid).children(recursive=True)
    os.killpg(run.pid, signal.SIGINT)
    message = run.communicate(timeout=60)[1]
    assert run.returncode == 1
    assert "Traceback" not in message
    assert "Aborted!" in message
    assert message.splitlines()[-1].startswith(
        "not committed; nothing of this run is kept; to run it again: kedro run --"
    )
    assert list((project.folder / "data").rglob("*~*")) == []
    psutil.wait_procs(workers, timeout=20)
    assert not [worker for worker in workers if worker.is_running()]
