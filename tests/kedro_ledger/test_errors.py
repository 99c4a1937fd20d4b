from __future__ import annotations

import logging
import pickle
import re

import pytest
from kedro.io.core import DatasetError
from kedro.pipeline import Pipeline

from kedro_ledger.errors import BusyError, InputError, LedgerError, UserError, format_error, show
from tests.support.project import MakeProject
from tests.support.tiny import Tiny


def test_other_errors_than_the_ledgers_are_shown_with_their_type() -> None:
    assert format_error(InputError("parameter x\n  is wrong")) == ["parameter x is wrong"]
    assert format_error(DatasetError("Failed while loading.\n\nNo file")) == ["Failed while loading. No file"]
    assert format_error(KeyError("x")) == ["KeyError: 'x'"]


def test_an_option_that_names_no_node_is_reported_without_an_errors_type() -> None:
    with pytest.raises(ValueError, match="nodes named") as raised:
        Pipeline([]).only_nodes("scale")
    (line,) = format_error(raised.value)
    assert line == "Pipeline does not contain nodes named ['scale']."
    with pytest.raises(ValueError, match="invalid literal") as raised:
        int("x")
    assert format_error(raised.value)[0].startswith("ValueError: invalid literal")


def test_the_node_is_named() -> None:
    error = InputError("column x is wrong")
    error.add_note("in data_processing.ingest")
    assert format_error(error) == ["column x is wrong (in data_processing.ingest)"]


def test_show_logs_a_line_for_each_fault(caplog: pytest.LogCaptureFixture) -> None:
    error = InputError("parameter x is wrong", "parameter y is wrong")
    show(InputError, error, None)
    lines = [record.getMessage() for record in caplog.records if record.name == "kedro_ledger.errors"]
    assert lines == ["Error: parameter x is wrong", "Error: parameter y is wrong"]


@pytest.mark.parametrize("error", [InputError("a", "b\nc"), LedgerError("a", "b\nc"), BusyError("a", "b\nc")])
def test_an_error_comes_back_from_a_worker_as_it_was(error: UserError) -> None:
    error.add_note("in scale")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert (again.args, again.message, again.exit_code) == (error.args, error.message, error.exit_code)
    assert format_error(again) == format_error(error)
    assert len(format_error(again)) == 2
    assert format_error(again)[0] == "a (in scale)"


def test_tracebacks_are_logged_only_to_a_file(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    logger = logging.getLogger("kedro_ledger.tracebacks")
    monkeypatch.setattr(logger, "propagate", True)
    monkeypatch.setattr(logger, "handlers", [])
    InputError("x").show()
    assert [record.name for record in caplog.records] == ["kedro_ledger.errors"]
    monkeypatch.setattr(logger, "handlers", [logging.NullHandler()])
    InputError("x").show()
    assert caplog.records[-1].name == "kedro_ledger.tracebacks"


@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"])
def test_a_node_that_ends_the_process_commits_nothing(tiny: Tiny, runner: str) -> None:
    seen = tiny.run()
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    text = registry.read_text()
    for end, code in (
        ("raise SystemExit(0)", 0),
        ("raise SystemExit(75)", 75),
        ("raise SystemExit('bye')", 1),
        ("import sys; sys.exit()", 0),
        ("import click; raise click.exceptions.Exit(0)", 0),
    ):
        registry.write_text(text.replace("return raw", end))
        ran = tiny.kedro("run", "--runner", runner)
        assert ran.returncode == 1
        assert f"Error: a node ended the process with exit code {code}; expected it to return" in ran.stderr
        assert tiny.ledger.last() == seen
        assert tiny.try_to_run()[0] == 1, "also from Python"


@pytest.mark.parametrize("runner", ["SequentialRunner", "ParallelRunner"])
def test_a_bug_in_a_node_is_shown_with_its_line_and_the_file_with_the_traceback(
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
    message = rf"Error: KeyError: 'layerX1' \(in linear\.score, {place}; traceback: kedro\.log\)"
    assert re.search(message, ran.stderr), ran.stderr
    assert "Traceback" not in ran.stderr
    assert "Traceback (most recent call last)" in (project.folder / "kedro.log").read_text()
