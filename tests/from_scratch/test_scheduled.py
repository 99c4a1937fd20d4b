"""`kedro run --env scheduled`, which timers call: its data, its log and its exit codes."""

from __future__ import annotations

import hashlib
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kedro_ledger.ledger import Ledger
from tests.support.file_server import FileServer, serving
from tests.support.project import MakeProject, Project
from tests.support.scheduled import LINE, PASSENGERS, SCHEDULED, set_catalog, set_parameters


@pytest.fixture
def scheduled(make_project: MakeProject) -> Project:
    """A project with pinned raw data."""
    project = make_project()
    set_catalog(project)
    return project


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving(PASSENGERS.encode()) as server:
        yield server


def contents(folder: Path) -> dict[str, str]:
    files = [file for file in folder.rglob("*") if file.is_file() and file.name != ".lock"]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def test_every_line_has_its_time_and_is_in_the_log_too(scheduled: Project) -> None:
    for runs in (1, 2):
        ran = scheduled.kedro(*SCHEDULED)
        assert ran.returncode == 0, ran.stderr
        assert ran.stdout == ""
        assert all(LINE.fullmatch(line) for line in ran.stderr.splitlines())
        assert "committed as run" in ran.stderr.splitlines()[-1]
        log = (scheduled.folder / "logs/scheduled.log").read_text()
        assert log.endswith(ran.stderr)
        assert log.count("committed as run") == runs
    assert re.search(r"deep +0\.\d{4}", ran.stderr), "what came out"
    assert not (scheduled.folder / "kedro.log").exists()
    record = Ledger(scheduled.folder).last()
    assert record
    assert record.env == "scheduled"
    assert record.drift
    assert record.drift.changed == {}


@pytest.mark.slow
def test_the_environment_can_be_named_by_a_variable(scheduled: Project) -> None:
    ran = scheduled.kedro("run", "--pipeline", "linear", KEDRO_ENV="scheduled")
    assert ran.returncode == 0
    assert all(LINE.fullmatch(line) for line in ran.stderr.splitlines())


def patch_step(project: Project, lines: str) -> None:
    """Insert lines at the start of the node that trains the linear model."""
    module = project.folder / "src/from_scratch/models.py"
    before = "def init_linear("
    name, _, rest = module.read_text().partition(before)
    signature, _, body = rest.partition(':\n    """')
    module.write_text(f'{name}{before}{signature}:\n    {lines}\n    """{body}')


def test_messages_of_several_lines_are_timed_line_by_line(scheduled: Project) -> None:
    patch_step(scheduled, "import logging; logging.getLogger('x').error('one\\ntwo', exc_info=ValueError(3))")
    ran = scheduled.kedro(*SCHEDULED, "--pipeline", "linear")
    assert ran.returncode == 0, ran.stderr
    assert all(LINE.fullmatch(line) for line in ran.stderr.splitlines())
    assert [line[33:] for line in ran.stderr.splitlines() if " ERROR " in line] == [
        "one",
        "two",
        "  ValueError: 3",
    ]


@pytest.mark.matrix
@pytest.mark.parametrize("code", [0, 75])
def test_a_step_cannot_end_the_process_with_success(scheduled: Project, code: int) -> None:
    patch_step(scheduled, f"raise SystemExit({code})")
    ran = scheduled.kedro(*SCHEDULED, "--pipeline", "linear")
    assert ran.returncode == 1
    assert f"Error: a node ended the process with exit code {code}; expected it to return" in ran.stderr
    assert Ledger(scheduled.folder).last() is None


def test_warnings_of_python_are_lines_of_the_log(scheduled: Project) -> None:
    module = scheduled.folder / "src/from_scratch/models.py"
    module.write_text(module.read_text() + "\nimport warnings\nwarnings.warn('look\\nhere')\n")
    ran = scheduled.kedro(*SCHEDULED, "--pipeline", "linear")
    assert all(LINE.fullmatch(line) for line in ran.stderr.splitlines())
    assert re.search(r"WARNING UserWarning: look here \(.*models\.py:\d+\)\n", ran.stderr)


@pytest.mark.matrix
@pytest.mark.parametrize("content", ["", "version: 7", "{", "version: 1\nhandlers: {x: {class: os.system}}"])
def test_an_invalid_logging_yml_is_reported(scheduled: Project, content: str) -> None:
    scheduled.configure("logging.yml", content, "scheduled")
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 1
    assert ran.stderr.startswith("Error: scheduled/logging.yml: ")
    assert len(ran.stderr.splitlines()) == 1


def test_other_data_than_pinned_is_a_fault(scheduled: Project) -> None:
    scheduled.kedro(*SCHEDULED)
    file = scheduled.folder / "data/01_raw/train.csv"
    file.write_text(PASSENGERS + "x")
    before = contents(scheduled.folder / "data")
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert LINE.fullmatch(line)
    assert "ERROR   Error: " in line
    assert "train.csv has sha256 " in line
    assert contents(scheduled.folder / "data") == before
    assert (scheduled.folder / "logs/scheduled.log").read_text().endswith(line + "\n")
    assert "Traceback" in (scheduled.folder / "logs/details.log").read_text()


def test_a_missing_file_is_a_fault(scheduled: Project) -> None:
    (scheduled.folder / "data/01_raw/train.csv").unlink()
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 1
    assert "train.csv does not exist" in ran.stderr
    assert Ledger(scheduled.folder).last() is None


@pytest.mark.slow
def test_data_that_may_change_is_fetched_again_and_what_changed_is_recorded(
    scheduled: Project, server: FileServer
) -> None:
    set_catalog(scheduled, url=server.url)
    set_parameters(scheduled, runs={"raw_data": "pinned", "changing": ["raw_data"]})
    for command in ("init -q", "add .", "-c user.name=a -c user.email=a commit -qm a"):
        subprocess.run(["git", *command.split()], cwd=scheduled.folder, check=True)
    assert scheduled.kedro(*SCHEDULED).returncode == 0
    server.content = PASSENGERS.replace(",male,", ",female,", 5).encode() + b"892,1,1,A,male,,0,0,1,1,,\n"
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 0, ran.stderr
    assert "INFO    train.csv has changed; the earlier file is kept as " in ran.stderr
    record = Ledger(scheduled.folder).find("last")
    assert record.drift
    data = record.drift.changed["data"]
    assert data["raw_data"] == (
        hashlib.sha256(PASSENGERS.encode()).hexdigest(),
        hashlib.sha256(server.content).hexdigest(),
    )
    assert data["source.rows"] == (891, 892)
    male, female = (data[f"category_counts.Sex.{sex}"] for sex in ("male", "female"))
    assert male[1] == male[0] - 5 + 1
    assert female[1] == female[0] + 5
    missing = data["missing_values.Age"]
    assert missing[1] == missing[0] + 1
    survivors = data["category_counts.Survived.1"]
    assert survivors[1] == survivors[0] + 1
    assert "metrics" in record.drift.changed
    for run in ("last~1", "last"):
        ran = scheduled.kedro("runs", "reproduce", run)
        assert ran.returncode == 0, (run, ran.stderr)
    server.status = 404
    before = contents(scheduled.folder / "data")
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 1
    assert "train.csv was not downloaded: the request to 127.0.0.1 failed: status 404" in ran.stderr
    assert contents(scheduled.folder / "data") == before


@pytest.mark.matrix
@pytest.mark.parametrize("fault", ["an identifier twice", "a column is missing"])
def test_data_that_fails_the_checks_does_not_replace_the_file(
    scheduled: Project, server: FileServer, fault: str
) -> None:
    set_catalog(scheduled, url=server.url)
    set_parameters(scheduled, runs={"raw_data": "pinned", "changing": ["raw_data"]})
    assert scheduled.kedro(*SCHEDULED).returncode == 0
    before = contents(scheduled.folder / "data")
    rows = PASSENGERS.splitlines(keepends=True)
    if fault == "a column is missing":
        rows[0] = rows[0].replace("Fare", "Fee")
    server.content = "".join([*rows, rows[1]]).encode()
    ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 1
    assert "train.csv is unchanged; the download is discarded" in ran.stderr
    assert "expected each identifier once" in ran.stderr or "no column Fare" in ran.stderr
    assert contents(scheduled.folder / "data") == before
    assert scheduled.kedro("run", "--env", "scheduled", "--params", "runs.raw_data=any").returncode == 0


@pytest.mark.matrix
@pytest.mark.parametrize("commit", [True, False])
def test_metrics_that_move_further_than_allowed_end_with_77(scheduled: Project, commit: bool) -> None:
    limits = {"metrics.*.valid_accuracy": 0.01, "data.*": 0}
    set_parameters(scheduled, runs={"drift": {"allowed": limits, "commit": commit}})
    assert scheduled.kedro(*SCHEDULED).returncode == 0
    worse = ("--params", "variants.linear.learning_rate=0.0001,variants.linear.epochs=1")
    ran = scheduled.kedro(*SCHEDULED, "--pipeline", "linear", *worse)
    assert ran.returncode == 77
    moved, outcome = [line for line in ran.stderr.splitlines() if " ERROR " in line]
    assert LINE.fullmatch(moved)
    assert "ERROR   Error: metrics.linear.metrics.valid_accuracy went from 0." in moved
    assert moved.endswith("(allowed: 0.01)")
    assert ("Error: the run is committed, but " if commit else "Error: the run is not committed: ") in outcome
    assert len(Ledger(scheduled.folder).records()) == 1 + commit
    again = scheduled.kedro(*SCHEDULED, "--pipeline", "linear", *worse)
    assert again.returncode == (0 if commit else 77), "the alarm stays until a run is committed"


def test_while_another_run_writes_it_ends_with_75_and_leaves_no_trace(scheduled: Project) -> None:
    scheduled.kedro(*SCHEDULED)
    before = contents(scheduled.folder / "data")
    with Ledger(scheduled.folder).lock():
        ran = scheduled.kedro(*SCHEDULED)
    assert ran.returncode == 75
    (line,) = ran.stderr.splitlines()
    assert LINE.fullmatch(line)
    assert (
        "ERROR   Error: another run is writing to data; nothing was changed. Try again when it finishes"
        in line
    )
    assert contents(scheduled.folder / "data") == before
