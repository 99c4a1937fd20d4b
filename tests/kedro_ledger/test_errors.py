from __future__ import annotations

import re

import pytest
from kedro.io.core import DatasetError

from kedro_ledger.errors import InputError, in_lines, show
from tests.conftest import MakeProject


def test_ours_speak_for_themselves_and_others_say_their_type() -> None:
    assert in_lines(InputError("parameter x\n  is wrong")) == ["parameter x is wrong"]
    assert in_lines(DatasetError("Failed while loading.\n\nNo file")) == ["Failed while loading. No file"]
    assert in_lines(KeyError("x")) == ["KeyError: 'x'"]


def test_the_node_is_told() -> None:
    error = InputError("column x is wrong")
    error.add_note("in data_processing.ingest")
    assert in_lines(error) == ["column x is wrong (in data_processing.ingest)"]


def test_show_logs_a_line_for_each_fault(caplog: pytest.LogCaptureFixture) -> None:
    error = InputError("parameter x is wrong", "parameter y is wrong")
    show(InputError, error, None)
    said = [one.getMessage() for one in caplog.records if one.name == "kedro_ledger.errors"]
    assert said == ["Error: parameter x is wrong", "Error: parameter y is wrong"]


@pytest.mark.parametrize("runner", ["SequentialRunner", "ParallelRunner"])
def test_a_bug_in_a_node_says_its_line_and_where_the_traceback_is(
    make_project: MakeProject, runner: str
) -> None:
    project = make_project()
    scoring = project.folder / "src/from_scratch/scoring.py"
    lines = scoring.read_text().splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("def accuracy("))
    body = next(i for i, line in enumerate(lines) if i > at and line.startswith("    return"))
    scoring.write_text("\n".join([*lines[:body], "    {}['layerX1']", *lines[body:]]) + "\n")
    ran = project.kedro("run", "--pipeline", "linear", "--runner", runner)
    assert ran.returncode == 1
    place = re.escape(f"src/from_scratch/scoring.py:{body + 1}")
    said = rf"Error: KeyError: 'layerX1' \(in linear\.score, {place}; traceback: kedro\.log\)"
    assert re.search(said, ran.stderr), ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Traceback (most recent call last)" in (project.folder / "kedro.log").read_text()
