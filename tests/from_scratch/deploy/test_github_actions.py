"""The commands of the workflow, run one after another as on GitHub."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from kedro_ledger.ledger import Ledger
from tests.support.project import ROOT, Project
from tests.support.scheduled import set_catalog, set_parameters

FILE = ROOT / "deploy/github-actions/scheduled.yml"
CHECKOUT = "Restore committed raw data"


@pytest.fixture(scope="module")
def workflow() -> dict[Any, Any]:
    content: dict[Any, Any] = yaml.safe_load(FILE.read_text())
    return content


def run_steps(project: Project, workflow: dict[Any, Any]) -> dict[str, int]:
    """Run the steps that are commands, except the installation; return their exit codes."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("KEDRO_")}
    environment["PATH"] = f"{Path(sys.executable).parent}:{environment['PATH']}"
    environment["GITHUB_STEP_SUMMARY"] = str(project.folder / "summary")
    codes: dict[str, int] = {}
    for step in workflow["jobs"]["run"]["steps"]:
        runs_after_a_failure = "!cancelled()" in step.get("if", "")
        if "run" in step and step["name"] != "Install" and (runs_after_a_failure or not any(codes.values())):
            command = ["bash", "-e", "-o", "pipefail", "-c", step["run"]]
            ran = subprocess.run(command, cwd=project.folder, env=environment, capture_output=True, text=True)
            codes[step["name"]] = ran.returncode
    return codes


def commit_to_git(project: Project) -> None:
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        subprocess.run(["git", *command.split()], cwd=project.folder, check=True)


@pytest.mark.slow
def test_it_runs_verifies_and_keeps_the_report(project: Project, workflow: dict[Any, Any]) -> None:
    set_catalog(project)
    commit_to_git(project)
    raw = project.folder / "data/01_raw/train.csv"
    committed = raw.read_text()
    raw.write_text("what an earlier run left")
    names = [CHECKOUT, "Run", "Verify", "Rebuild", "Collect the report and the history"]
    assert run_steps(project, workflow) == dict.fromkeys(names, 0)
    assert raw.read_text() == committed
    (kept,) = [
        step["with"]["path"].split() for step in workflow["jobs"]["run"]["steps"] if "artifact" in str(step)
    ]
    for path in kept:
        assert (project.folder / path).exists(), path
    assert "How often each variant is right" in (project.folder / "build/report.html").read_text()
    assert re.search(r"deep +\S+ +0\.\d{4}", (project.folder / "summary").read_text())


@pytest.mark.slow
def test_a_run_beyond_its_limits_fails_and_is_kept(project: Project, workflow: dict[Any, Any]) -> None:
    set_catalog(project)
    commit_to_git(project)
    run_steps(project, workflow)
    limits = {"drift": {"allowed": {"metrics.*.valid_accuracy": 0}}}
    set_parameters(project, runs=limits, variants={"linear": {"epochs": 1}})
    codes = run_steps(project, workflow)
    assert codes == {CHECKOUT: 0, "Run": 77, "Collect the report and the history": 0}
    assert len(Ledger(project.folder).records()) == 2
    kept = [step for step in workflow["jobs"]["run"]["steps"] if "!cancelled()" in step.get("if", "")]
    assert [step.get("uses", "").partition("@")[0] for step in kept] == [
        "actions/cache/save",
        "",
        "actions/upload-artifact",
    ]


def test_runs_are_kept_only_where_those_before_were_restored(workflow: dict[Any, Any]) -> None:
    steps = {step.get("id", step.get("name")): step for step in workflow["jobs"]["run"]["steps"]}
    assert steps["restore"]["with"]["path"] == steps["Keep the runs"]["with"]["path"] == "data"
    assert steps["restore"]["with"]["key"] == steps["Keep the runs"]["with"]["key"]
    assert steps["restore"]["with"]["key"].startswith(steps["restore"]["with"]["restore-keys"])
    assert (
        "steps.restore.outcome == 'success' && steps.run.outcome != 'skipped'" in steps["Keep the runs"]["if"]
    )


def test_it_starts_at_one_time_and_has_few_permissions(workflow: dict[Any, Any]) -> None:
    (schedule,) = workflow[True]["schedule"]  # YAML reads `on` as true
    assert schedule == {"cron": "0 2 * * *"}
    assert workflow["permissions"] == {"contents": "read"}
    assert workflow["concurrency"] == {"group": "scheduled-run"}
