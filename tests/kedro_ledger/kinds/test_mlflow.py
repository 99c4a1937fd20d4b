"""The ledger together with kedro-mlflow, which registers hooks for every project in its environment."""

from __future__ import annotations

import subprocess
from collections.abc import Callable

import pytest

pytest.importorskip("kedro_mlflow", reason="run by `make test-ledger`, in an environment of its own")
from mlflow import MlflowClient

from kedro_ledger.ledger import Ledger
from tests.kedro_ledger.kinds.conftest import Project

RUN = ("run", "--tags", "versioned.json,versioned.pandas_csv")
SINGLE_PROCESS = ("versioned.cached:", "plain.in_memory:")
"""Datasets that Kedro's ParallelRunner refuses anywhere in the catalog."""


@pytest.fixture(scope="module")
def tracked(make_project: Callable[[], Project]) -> Project:
    """A project with two committed runs, one of which used several processes."""
    project = make_project()
    catalog = project.folder / "conf" / "base" / "catalog.yml"
    lines = catalog.read_text().splitlines(keepends=True)
    catalog.write_text("".join(line for line in lines if not line.startswith(SINGLE_PROCESS)))
    for arguments in ((), ("--runner", "ParallelRunner")):
        ran = kedro(project, *RUN, *arguments)
        assert ran.returncode == 0, ran.stdout[-3000:] + ran.stderr[-3000:]
    return project


def kedro(project: Project, *arguments: str) -> subprocess.CompletedProcess[str]:
    return project.kedro(*arguments, WITH_MLFLOW="1", MLFLOW_TRACKING_URI=address_of(project))


def address_of(project: Project) -> str:
    return f"sqlite:///{project.folder / 'mlflow.db'}"


def find_tracked(project: Project) -> dict[str, str]:
    """Return the status of each run that MLflow has tracked, by the ledger's id."""
    client = MlflowClient(address_of(project))
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    runs = list(client.search_runs(experiments))
    found = {run.data.tags["run_id"]: run.info.status for run in runs}
    assert len(found) == len(runs)
    return found


def test_each_run_is_committed_and_tracked(tracked: Project) -> None:
    records = Ledger(tracked.folder).records()
    assert [record.runner for record in records] == ["SequentialRunner", "ParallelRunner"]
    assert find_tracked(tracked) == {record.run_id: "FINISHED" for record in records}


def test_both_runs_wrote_the_same_artefacts(tracked: Project) -> None:
    one, other = Ledger(tracked.folder).records()
    digests = [{name: made.sha256 for name, made in record.outputs.items()} for record in (one, other)]
    assert digests[0] == digests[1]
    assert len(digests[0]) == 4


def test_the_ledgers_commands_work(tracked: Project) -> None:
    listed = kedro(tracked, "runs", "list")
    assert listed.returncode == 0
    assert all(record.run_id in listed.stdout for record in Ledger(tracked.folder).records())
    assert kedro(tracked, "runs", "verify").returncode == 0


@pytest.mark.parametrize("run", ["1", "2"], ids=["SequentialRunner", "ParallelRunner"])
def test_a_tracked_run_is_rebuilt_and_its_rerun_is_not_tracked(tracked: Project, run: str) -> None:
    rebuilt = kedro(tracked, "runs", "reproduce", run)
    assert rebuilt.returncode == 0, rebuilt.stdout[-2000:] + rebuilt.stderr[-2000:]
    assert len(find_tracked(tracked)) == 2
