"""Clusters that the DaskRunner can't use, and the messages that explain why."""

from __future__ import annotations

import json
import os
import shutil
import signal
import site
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_ledger.dask import DaskRunner, tasks
from kedro_ledger.dask import cluster as clusters
from kedro_ledger.dask.facts import read_facts
from kedro_ledger.errors import InputError
from tests.support.dask_cluster import RUNNER, Cluster, run_cluster
from tests.support.processes import wait_for
from tests.support.project import ROOT, MakeProject, Project
from tests.support.tiny import Tiny

STEPS = ("--pipeline", "data_processing")


@pytest.fixture(scope="module")
def trained(make_project: MakeProject) -> Project:
    project = make_project()
    project.run(*STEPS)
    return project


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with run_cluster(tmp_path) as cluster:
        yield cluster


def fail(project: Project, *options: str) -> str:
    """Run, require that this fails with one line and changes nothing, and return the line."""
    before = project.artefacts()
    ran = project.kedro("run", *STEPS, *options)
    assert ran.returncode == 1, ran.stderr
    errors = [line for line in ran.stderr.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1, ran.stderr
    assert "Traceback" not in ran.stderr + ran.stdout
    last = ran.stderr.splitlines()[-1]
    assert last == errors[0] or last.startswith("not committed; nothing of this run is kept")
    assert project.artefacts() == before
    assert list((project.folder / "data").rglob("*~*")) == []
    return errors[0].removeprefix("Error: ")


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (
            "adress=tcp://h:1",
            "--runner-params: adress is unknown; expected address, workers or is_async",
        ),
        ("workers=0", "--runner-params: workers is 0; expected a whole number of at least 1"),
        ("workers=many", "--runner-params: workers is 'many'; expected a whole number of at least 1"),
        (
            "address=8786",
            "--runner-params: address is 8786, workers is None; expected an address such as tcp://host:8786, "
            "or a number of workers to start here",
        ),
        (
            "address=tcp://h:1,workers=2",
            "--runner-params: address is 'tcp://h:1', workers is 2; expected an address such as "
            "tcp://host:8786, or a number of workers to start here",
        ),
    ],
)
def test_wrong_parameters(trained: Project, parameters: str, message: str) -> None:
    assert fail(trained, *RUNNER, "--runner-params", parameters) == message


def test_dask_is_imported_by_a_run_only() -> None:
    code = """
import sys
import kedro_ledger.dask
heavy = {"distributed", "dask", "pandas", "torch", "tqdm", "plotly", "from_scratch"}
print(*sorted(heavy & sys.modules.keys()))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (ran.stdout, ran.stderr) == ("\n", "")


def test_without_dask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kedro_ledger.dask.runner.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"run `pip install 'kedro-ledger\[dask\]'`"):
        DaskRunner()


@pytest.mark.matrix
@pytest.mark.parametrize("address", ["tcp//nowhere", "ftp://127.0.0.1:9", "tcp://127.0.0.1:notaport"])
def test_an_invalid_address(trained: Project, address: str) -> None:
    message = fail(trained, *RUNNER, "--runner-params", f"address={address}")
    assert message.startswith(f"no Dask scheduler answers at {address} (")
    assert message.endswith("expected the address of a scheduler. Run `dask scheduler` to start one")


@pytest.mark.slow
def test_no_scheduler_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "TIMEOUT", 1)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"tcp://127.0.0.1:{silent.getsockname()[1]}"
        with (
            pytest.raises(InputError, match=f"no Dask scheduler answers at {address} "),
            clusters.open_cluster(address, None),
        ):
            pass


@pytest.mark.matrix
@pytest.mark.parametrize(
    ("address", "reason"),
    [("tcp://127.0.0.1:9", "Connection refused"), ("tcp://nohost.invalid:9", "[Nn]ame")],
)
def test_no_server_at_the_address(address: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason), clusters.open_cluster(address, None):
        pass


def test_a_cluster_without_workers(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "TIMEOUT", 1)
    with (
        clusters.open_cluster(cluster.address, None) as client,
        pytest.raises(
            InputError, match=f"the cluster at {cluster.address} has no worker; expected a worker within 1 s"
        ),
    ):
        clusters.check_workers(client, "from_scratch", None)


@pytest.mark.slow
def test_no_worker_is_left(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clusters, "TIMEOUT", 1)
    worker = cluster.add_worker("--no-nanny")
    with clusters.open_cluster(cluster.address, None) as client:
        monitor = clusters.WorkerMonitor(client)
        monitor.check()
        worker.kill()
        wait_for(lambda: not clusters.list_workers(client), "the scheduler notices that the worker is gone")
        monitor.check()
        time.sleep(1.1)
        with pytest.raises(
            InputError, match="the cluster has lost all workers; expected a worker within 1 s"
        ):
            monitor.check()


@pytest.mark.slow
def test_a_worker_without_the_project(trained: Project, cluster: Cluster) -> None:
    cluster.add_worker()
    # -S: ignore the .pth files in site-packages, which put an editable install on the path
    packages = os.pathsep.join(site.getsitepackages())
    cluster.add_worker(python=(sys.executable, "-S", "-m", "dask"), path=packages)
    message = fail(trained, *cluster.runner)
    assert message.startswith("worker tcp://127.0.0.1:")
    assert message.endswith(
        ": ModuleNotFoundError: No module named 'kedro_ledger'; expected the project's package to be "
        "installed there"
    )


@pytest.mark.slow
def test_a_scheduler_without_the_project_is_enough(trained: Project, tmp_path: Path) -> None:
    packages = os.pathsep.join(site.getsitepackages())
    with run_cluster(tmp_path, python=(sys.executable, "-S", "-m", "dask"), path=packages) as cluster:
        cluster.add_worker()
        trained.run(*STEPS, *cluster.runner)


@pytest.mark.slow
def test_a_worker_with_another_version_of_a_package(
    trained: Project, cluster: Cluster, tmp_path: Path
) -> None:
    other = tmp_path / "packages" / "numpy-1.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n")
    cluster.add_worker(path=os.pathsep.join([str(other.parent), str(ROOT / "src")]))
    message = fail(trained, *cluster.runner)
    assert ": numpy 1.0 there, 2." in message
    assert message.endswith(" here; expected the same as here")


@pytest.mark.slow
@pytest.mark.parametrize(("package", "file"), [("from_scratch", "models.py"), ("kedro_ledger", "paths.py")])
def test_a_worker_with_different_code(
    trained: Project, cluster: Cluster, tmp_path: Path, package: str, file: str
) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    with (tmp_path / "src" / package / file).open("a") as changed:
        changed.write("\nANSWER = 42\n")
    cluster.add_worker(path=str(tmp_path / "src"))
    message = fail(trained, *cluster.runner)
    assert f": different code in {package}/{file} (a worker keeps the code that it has loaded: " in message
    assert message.endswith("expected the same as here")


@pytest.mark.slow
def test_a_worker_that_comes_late_is_checked_before_its_first_task(cluster: Cluster, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "src", tmp_path / "src")
    with (tmp_path / "src" / "from_scratch" / "models.py").open("a") as file:
        file.write("\nANSWER = 42\n")
    cluster.add_worker(path=str(tmp_path / "src"))
    with clusters.open_cluster(cluster.address, None) as client:  # without checking the worker
        here = json.dumps(read_facts("from_scratch"))
        task = client.submit(clusters.call, tasks.RUN_NODE, "from_scratch", here, b"must not be read")
        error = task.exception(timeout=60)
    assert isinstance(error, InputError)
    assert ": different code in from_scratch/models.py (" in str(error)
    assert str(error).startswith("worker tcp://127.0.0.1:")


def test_a_worker_of_another_dask() -> None:
    ours = {"packages": {"python": "3.11.7.final.0", "distributed": "2026.8.0"}}
    theirs = {"packages": {"python": "3.12.1.final.0", "distributed": "2026.1.0"}}
    with pytest.raises(InputError) as caught:
        clusters.check_versions({"client": ours, "scheduler": theirs, "workers": {"tcp://w:1": theirs}})
    differ = "python 3.12.1.final.0 there, 3.11.7.final.0 here; distributed 2026.1.0 there, 2026.8.0 here"
    assert caught.value.args == (
        f"the scheduler: {differ}; expected the same as here",
        f"worker tcp://w:1: {differ}; expected the same as here",
    )
    clusters.check_versions({"client": ours, "scheduler": ours, "workers": {"tcp://w:1": ours}})


@pytest.mark.slow
def test_a_folder_that_is_not_shared(trained: Project, cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    data = trained.folder / "data"
    hide = f'mount --bind "{tmp_path}/empty" "{data}" && exec "$@"'
    own_mounts = ("unshare", "--mount", "--propagation", "private", "sh", "-c", hide, "sh")
    if subprocess.run([*own_mounts, "true"], capture_output=True).returncode:
        pytest.skip("folders can be hidden from a process by root on Linux only")
    cluster.add_worker(within=own_mounts)
    message = fail(trained, *cluster.runner)
    assert f" can't see this run in {data}" in message
    assert message.endswith("expected a shared data folder with the same path on all machines")


@pytest.mark.slow
def test_the_scheduler_goes_away(trained: Project, cluster: Cluster) -> None:
    cluster.add_worker()
    before = trained.artefacts()
    begun = len(trained.list_nodes())
    command = [sys.executable, "-m", "kedro", "run", *STEPS, *cluster.runner]
    run = subprocess.Popen(command, cwd=trained.folder, stderr=subprocess.PIPE, text=True)
    wait_for(lambda: len(trained.list_nodes()) > begun)
    os.killpg(cluster.scheduler.pid, signal.SIGKILL)
    rest = run.communicate(timeout=60)[1].splitlines()
    assert run.returncode == 1
    assert rest[-2] == (
        f"Error: the scheduler at {cluster.address} ended during the run; expected it to keep running"
    )
    assert "Traceback" not in "".join(rest)
    assert trained.artefacts() == before


@pytest.mark.slow
def test_a_node_that_kills_its_workers(tmp_path: Path) -> None:
    tiny = Tiny.make(tmp_path / "tiny")
    registry = tiny.folder / "src" / "tiny" / "pipeline_registry.py"
    deadly = "def negate(numbers):\n    os.kill(os.getpid(), 9)\n"
    registry.write_text(registry.read_text().replace("def negate(numbers):\n", deadly))
    path = os.pathsep.join([str(tiny.folder / "src"), str(ROOT / "src")])
    with run_cluster(tmp_path, workers=1, path=path) as cluster:
        ran = tiny.kedro("run", *cluster.runner)
    assert ran.returncode
    assert next(line for line in ran.stderr.splitlines() if line.startswith("Error: ")).endswith(
        "negate: every worker that ran this node died (4 times); expected the node to finish. It may need "
        "more memory than a worker has"
    )
    assert tiny.ledger.last() is None
    assert tiny.versions() == set()


@pytest.mark.slow
def test_outputs_that_are_not_persisted_are_returned(tmp_path: Path) -> None:
    tiny = Tiny.make(tmp_path / "tiny")
    path = os.pathsep.join([str(tiny.folder / "src"), str(ROOT / "src")])
    with run_cluster(tmp_path, workers=2, path=path) as cluster:
        alone = tiny.run()
        ran = tiny.kedro("run", *cluster.runner)
        assert ran.returncode == 0, ran.stderr
        last = tiny.ledger.last()
        assert last
        assert {name: artefact.sha256 for name, artefact in last.outputs.items()} == {
            name: artefact.sha256 for name, artefact in alone.outputs.items()
        }
        code = f"""
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
from kedro_ledger.dask import DaskRunner
bootstrap_project(Path.cwd())
with KedroSession.create() as session:
    found = session.run(runner=DaskRunner(address="{cluster.address}"), to_nodes=["scale"])
print({{name: dataset.load() for name, dataset in found.items()}})
"""
        ran = subprocess.run(
            [sys.executable, "-c", code], cwd=tiny.folder, capture_output=True, text=True, timeout=60
        )
        assert ran.stdout.splitlines()[-1:] == ["{'in_memory': [2, 4]}"], ran.stderr
