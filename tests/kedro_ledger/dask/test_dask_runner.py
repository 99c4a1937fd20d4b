from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import psutil
import pytest
from distributed import Client

from kedro_ledger.dask.cluster import open_cluster
from kedro_ledger.ledger import Ledger
from kedro_ledger.record import Record
from tests.support.dask_cluster import RUNNER, Cluster, run_cluster
from tests.support.processes import wait_for
from tests.support.project import MakeProject, Project

KILLS = 20
DONE = re.compile(r"kedro\.runner\.dask: Completed (\d+) out of \d+ tasks")


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with run_cluster(tmp_path_factory.mktemp("cluster"), workers=3) as cluster:
        yield cluster


def last_run(project: Project) -> Record:
    last = Ledger(project.folder).last()
    assert last
    return last


def sums(record: Record) -> dict[str, str | None]:
    return {name: artefact.sha256 for name, artefact in record.outputs.items()}


def run_and_compare(project: Project, article_run: Project, *options: str) -> list[str]:
    """Run, compare the artefacts with another project's, and return the console's output."""
    ran = project.run(*options)
    record = last_run(project)
    assert sums(record) == sums(last_run(article_run))
    assert {artefact.version for artefact in record.outputs.values()} == {record.run_id}, (
        "one run, one commit"
    )
    assert list((project.folder / "data").rglob("*~*")) == []
    return ran.stderr.splitlines()


@pytest.mark.slow
def test_workers_on_this_machine_make_the_same_artefacts(
    make_project: MakeProject, article_run: Project
) -> None:
    project = make_project()
    lines = run_and_compare(project, article_run, *RUNNER, "--runner-params", "workers=2")
    assert "running on 2 workers on this machine" in lines
    assert any(re.fullmatch(r"Dask's dashboard: http://127\.0\.0\.1:\d+/status", line) for line in lines)
    started = project.list_nodes()
    assert sorted(started) == sorted(last_run(project).nodes), (
        "each node's line once, in spite of two workers"
    )
    assert not [line for line in lines if line.startswith("[hook")], "Kedro-Viz's hooks log to the file"
    counts = DONE.findall((project.folder / "kedro.log").read_text())
    assert list(map(int, counts)) == list(range(1, len(started) + 1))
    assert [line.partition(" · ")[0] for line in lines if " · " in line] == [
        "data_processing",
        *project.open_catalog().load("params:variants"),
        "reporting",
    ], "the story's order"
    assert last_run(project).environment == last_run(article_run).environment
    assert project.kedro("runs", "verify").returncode == 0


@pytest.mark.slow
def test_an_existing_cluster_makes_the_same_artefacts(
    make_project: MakeProject, article_run: Project, cluster: Cluster
) -> None:
    project = make_project()
    lines = run_and_compare(project, article_run, *cluster.runner)
    assert f"running on the cluster at {cluster.address}" in lines
    assert not [line for line in lines if line.startswith("Error")]
    # Again on workers that have the code loaded, and then partially, reading the results of the first run.
    run_and_compare(project, article_run, *cluster.runner)
    project.run("--pipeline", "reporting", *cluster.runner)


@pytest.mark.slow
def test_a_changed_parameter_reaches_the_workers(make_project: MakeProject, cluster: Cluster) -> None:
    ours, theirs = make_project(), make_project()
    ours.run("--pipeline", "linear", "--params", "variants.linear.epochs=3")
    theirs.run("--pipeline", "linear", "--params", "variants.linear.epochs=3", *cluster.runner)
    assert sums(last_run(ours)) == sums(last_run(theirs))


@pytest.mark.slow
def test_warnings_of_nodes_are_logged_here(project: Project, cluster: Cluster) -> None:
    file = project.folder / "data" / "01_raw" / "train.csv"
    header, *rows = file.read_text().splitlines()
    file.write_text("\n".join([f"{header},Deck", *(f"{row}," for row in rows)]))
    ran = project.run("--pipeline", "data_processing", *cluster.runner)
    assert "train.csv: ignoring column Deck, not named in `features`" in ran.stderr


@pytest.mark.slow
def test_the_study_is_spread_over_the_workers(make_project: MakeProject, cluster: Cluster) -> None:
    ours, theirs = make_project(), make_project()
    study = ("--pipeline", "stability", "--params", "stability.seeds=8,stability.splits=2")
    ours.run(*study)
    theirs.run(*study, *cluster.runner)
    assert sums(last_run(ours)) == sums(last_run(theirs))
    assert "stability_runs" in last_run(theirs).outputs


@pytest.mark.slow
def test_wrong_data_is_reported_as_in_one_process(make_project: MakeProject, cluster: Cluster) -> None:
    project = make_project()
    project.run("--pipeline", "deep")
    before = project.artefacts()
    ran = project.kedro(
        "run", "--pipeline", "deep", "--params", "split.validation_fraction=0.000001", *cluster.runner
    )
    alone = project.kedro("run", "--pipeline", "deep", "--params", "split.validation_fraction=0.000001")
    assert ran.returncode == 1
    assert ran.stderr.splitlines()[-2:-1] == alone.stderr.splitlines()[-2:-1]
    assert project.artefacts() == before


@pytest.mark.slow
def test_killed_workers_change_nothing(
    make_project: MakeProject, article_run: Project, cluster: Cluster
) -> None:
    project = make_project()
    expected = sums(last_run(article_run))
    chance = random.Random(0)
    command = [sys.executable, "-m", "kedro", "run", "--pipeline", "deep", *cluster.runner]
    with Client(cluster.address) as client:
        for run_number in range(KILLS // 2):
            wait_for(lambda: len(client.scheduler_info()["workers"]) == 3, "nannies start workers again")
            pids = client.run(os.getpid)
            before = len(project.list_nodes())
            run = subprocess.Popen(command, cwd=project.folder, stderr=subprocess.PIPE, text=True)
            for nodes_begun in (1 + run_number % 7, 8 + run_number % 6):
                while len(project.list_nodes()) < before + nodes_begun:
                    assert run.poll() is None
                    time.sleep(0.005)
                time.sleep(chance.uniform(0, 0.05))
                busy = [worker for worker, tasks in client.processing().items() if tasks and worker in pids]
                os.kill(pids.pop(chance.choice(busy or sorted(pids))), signal.SIGKILL)
            _, message = run.communicate(timeout=100)
            assert run.returncode == 0, message
            wrote = sums(last_run(project))
            assert wrote == {name: expected[name] for name in wrote}
            assert last_run(project).seq == run_number + 1
            assert list((project.folder / "data").rglob("*~*")) == []
    assert project.kedro("runs", "verify").returncode == 0


def find_listeners(*leaders: int) -> set[tuple[int, str, int]]:
    """Return the addresses on which these processes and their children listen."""
    return {
        (process.pid, *connection.laddr)
        for leader in leaders
        for process in [psutil.Process(leader), *psutil.Process(leader).children(recursive=True)]
        for connection in process.net_connections()
        if connection.status == psutil.CONN_LISTEN
    }


def test_everything_listens_to_this_machine_only() -> None:
    before = find_listeners(os.getpid())
    with open_cluster(None, 2) as client:
        listeners = find_listeners(os.getpid()) - before
        assert len(listeners) >= 4
        assert {address for _, address, _ in listeners} == {"127.0.0.1"}
        with urllib.request.urlopen(client.dashboard_link, timeout=10) as answer:
            assert answer.status == 200
            assert b"bokeh" in answer.read().lower()
    here = {process.pid for process in psutil.Process().children(recursive=True)}
    assert not {pid for pid, _, _ in listeners} & here, "workers end with the run"


@pytest.mark.slow
def test_the_clusters_of_the_tests_listen_to_this_machine_only(cluster: Cluster) -> None:
    listeners = find_listeners(cluster.scheduler.pid, *(worker.pid for worker in cluster.workers))
    assert len(listeners) >= 2 + 3 * 3, "a scheduler, nannies, workers, and their web servers"
    assert {address for _, address, _ in listeners} == {"127.0.0.1"}
