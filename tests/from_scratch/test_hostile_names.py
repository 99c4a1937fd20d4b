"""Names in a CSV, parameters and records reach terminals and logs as plain text, without control codes."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from tests.support import hostile
from tests.support.project import MakeProject, Project


@pytest.fixture(scope="module")
def ran(make_project: MakeProject) -> Project:
    """A project after a run of everything, in separate processes, on the hostile CSV."""
    project = make_project()
    hostile.configure(project)
    result = project.run("--env", "hostile", "--runner", "ParallelRunner")
    hostile.expect_printable(result.stdout + result.stderr)
    warning = r"hostile.csv: ignoring column un\x1b[2Jnamed\nError: forged, not named in `features`"
    assert warning in result.stderr
    project.run("--env", "hostile", "--pipeline", "inference")
    return project


@pytest.mark.slow
@pytest.mark.parametrize(
    "command",
    [
        "list",
        "show last",
        "show last --json",
        "diff last~1 last",
        "history",
        "path report",
        "verify",
        "show no\x1b[2J\nError:&forged",
        "path no\x1b[2J\nError:&forged",
        "history --metric no\x1b[2J\nError:&forged",
    ],
)
def test_the_ledger_prints_names_as_text(ran: Project, command: str) -> None:
    result = ran.kedro("runs", *(word.replace("&", " ") for word in command.split(" ")))
    hostile.expect_printable(result.stdout + result.stderr)
    if "no\x1b" in command:
        assert result.returncode == 1
        assert r"no\x1b[2J\nError: forged" in result.stderr


@pytest.mark.slow
def test_answers_are_printed_as_text(ran: Project) -> None:
    result = ran.run("--env", "hostile", "--pipeline", "inference")
    hostile.expect_printable(result.stdout + result.stderr)


@pytest.mark.slow
def test_errors_and_the_log_show_names_as_text(ran: Project) -> None:
    file = ran.folder / "data" / "01_raw" / "hostile.csv"
    text = file.read_text(encoding="utf-8")
    try:
        rows = list(csv.reader(text.splitlines(keepends=True)))
        rows[2][rows[0].index(hostile.ESC)] = "x\x1b[2J"
        with file.open("w", encoding="utf-8", newline="") as changed:
            csv.writer(changed).writerows(rows)
        for runner in ("SequentialRunner", "ParallelRunner"):
            result = ran.kedro("run", "--env", "hostile", "--runner", runner)
            assert result.returncode == 1
            hostile.expect_printable(result.stdout + result.stderr)
            column = r"hostile.csv: column a\x1b]0;HACKED\x07b has 'x\x1b[2J' in row 2; expected a number"
            assert f"Error: {column}" in result.stderr
    finally:
        file.write_text(text, encoding="utf-8", newline="")
    log = (ran.folder / "kedro.log").read_text(encoding="utf-8")
    assert f"InputError: {column}" in log
    hostile.expect_printable(log)


@pytest.mark.slow
def test_lines_with_timestamps_are_text(ran: Project) -> None:
    logging = (ran.folder / "conf" / "scheduled" / "logging.yml").read_text(encoding="utf-8")
    ran.configure("logging.yml", logging, env="hostile")
    try:
        result = ran.run("--env", "hostile", "--pipeline", "data_processing")
    finally:
        (ran.folder / "conf" / "hostile" / "logging.yml").unlink()
    hostile.expect_printable(result.stderr)
    assert re.search(
        r"^\d{4}.* WARNING hostile.csv: ignoring column un\\x1b\[2Jnamed\\nError: forged, not named",
        result.stderr,
        re.M,
    )


def test_what_suggest_prints_is_text_and_yaml(project: Project) -> None:
    file = project.folder / "bad\x1b[2J\u202ename.csv"
    hostile.write(file)
    result = project.kedro("features", "suggest", file.name, "--target", "y")
    assert result.returncode == 0, result.stderr
    hostile.expect_printable(result.stdout)
    block = yaml.safe_load(result.stdout)["features"]
    assert {hostile.LONG, hostile.ESC, "num\u202e"} <= set(block["continuous"])
    names = [column["column"] for column in block["categorical"]]
    assert names == [*hostile.CATEGORIES]
    catalog = result.stdout.partition("catalog.yml:\n#\n")[2].partition("#\n")[0]
    entry = catalog.replace("#   ", "")
    assert yaml.safe_load(entry)["raw_data"]["filepath"] == file.name
    result = project.kedro("features", "suggest", file.name, "--target", "n\x1b[2J\nError: forged")
    assert result.returncode == 1
    hostile.expect_printable(result.stderr)


@pytest.mark.slow
def test_a_forged_record_prints_no_control_codes(ran: Project, tmp_path: Path) -> None:
    file = sorted((ran.folder / "data" / "runs").glob("[0-9]*.json"))[-1]
    text = file.read_text(encoding="utf-8")
    record = json.loads(text)
    for field in ("command", "env", "started"):
        record[field] = f"{record[field]}\x1b]0;H\x07\nError: forged"
    record["alarms"] = ["moved\x1b[2J"]
    record["metrics"]["deep\x1b[2J.metrics"] = {"valid_accuracy": 0.5, "new\x1b[2J": 1}
    file.write_text(json.dumps(record), encoding="utf-8")
    try:
        for command in ("list", "show last", "diff last~1 last", "history"):
            result = ran.kedro("runs", *command.split())
            assert result.returncode == 0, result.stderr
            hostile.expect_printable(result.stdout + result.stderr)
    finally:
        file.write_text(text, encoding="utf-8")
