"""The commands of `kedro runs`."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from tests.kedro_ledger.test_code import git
from tests.support.tiny import TOTALS, Tiny


@pytest.fixture(scope="module")
def two_runs(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A project with two complete runs, the second with another parameter and other data."""
    tiny = Tiny.make(tmp_path_factory.mktemp("commands") / "tiny")
    tiny.run()
    tiny.feed([3, 4])
    tiny.run(runtime_params={"factor": 3})
    return tiny


def run(tiny: Tiny, *arguments: str) -> str:
    """Run a `kedro runs` command that succeeds, and return what it prints."""
    ran = tiny.kedro("runs", *arguments)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_list_prints_a_line_for_each_run(two_runs: Tiny) -> None:
    first, second = two_runs.ledger.records()
    heading, older, newer = run(two_runs, "list").splitlines()
    assert heading.split() == ["no.", "run", "commit", "kedro", "run", "total"]
    assert older.split() == ["1", first.run_id, "-", "(from", "Python)", "__default__", "total", "6"]
    assert newer.split()[:3] == [">", "2", second.run_id]
    assert newer.split()[-1] == "21"


def test_list_as_json_is_an_array_of_runs(two_runs: Tiny) -> None:
    listed = json.loads(run(two_runs, "list", "--json"))
    assert [run["seq"] for run in listed] == [1, 2]
    assert {"seq", "run_id", "pipelines", "started", "metrics"} <= listed[0].keys()
    assert listed[1]["metrics"] == {"total.metrics": {"total": 21, "rest": 0}}
    assert [run["current"] for run in listed] == [False, True]


def test_list_marks_the_current_run_even_if_a_metric_is_nan(tiny: Tiny) -> None:
    tiny.feed([1, math.nan])
    tiny.run()
    listed = run(tiny, "list")
    assert listed.splitlines()[1].startswith(">")
    assert "readers" not in listed
    (only,) = json.loads(run(tiny, "list", "--json"))
    assert only["current"] is True
    assert math.isnan(only["metrics"]["total.metrics"]["total"])


@pytest.mark.parametrize("command", ["list", "verify"])
def test_commands_report_that_no_run_is_committed(tiny: Tiny, command: str) -> None:
    assert run(tiny, command) == "no run is committed yet; run `kedro run` to create one\n"


def test_a_list_of_no_runs_is_an_empty_array(tiny: Tiny) -> None:
    assert run(tiny, "list", "--json") == "[]\n"


def test_show_prints_the_whole_record(two_runs: Tiny) -> None:
    record = two_runs.ledger.find("last")
    shown = run(two_runs, "show", "last")
    for text in (
        record.run_id,
        "factor: 3",
        "data/01_raw/raw.json",
        record.recipe,
        "scaled.up",
        "not in git",
    ):
        assert text in shown
    assert json.loads(run(two_runs, "show", "last", "--json")) == json.loads(record.model_dump_json())


def test_diff_prints_the_differences(two_runs: Tiny) -> None:
    differences = json.loads(run(two_runs, "diff", "last~1", "last", "--json"))
    assert differences["parameters"] == {"factor": [2, 3]}
    assert differences["data"].keys() == {"raw"}
    assert differences["metrics"] == {"total.metrics.total": [6, 21]}
    assert differences["artefacts"].keys() == {"numbers", "scaled.down", "scaled.up", "total.metrics"}
    assert not any(differences[section] for section in ("run", "catalog", "code", "environment", "packages"))
    shown = run(two_runs, "diff", "last~1", "last")
    assert "the same: run, catalog, code, environment, packages" in shown
    assert ["factor", "2", "3"] in [line.split() for line in shown.splitlines()]
    assert "\nthe same: run, data, parameters, catalog, code, " in run(two_runs, "diff", "last", "last")


def test_diff_suggests_git_diff_only_between_two_commits(tiny: Tiny) -> None:
    tiny.run()
    git(tiny.folder, "init", "--quiet")
    shown = []
    for changes in ("Begin", "Go on"):
        (tiny.folder / "notes.txt").write_text(changes)
        git(tiny.folder, "add", "--all")
        git(tiny.folder, "commit", "--quiet", "--message", changes)
        tiny.run()
        shown.append(run(tiny, "diff", "last~1", "last"))
    assert "not in git" in shown[0]
    assert "git diff" not in shown[0]
    one, other = (record.code.commit for record in tiny.ledger.records()[-2:])
    assert one
    assert other
    assert f"run `git diff {one[:7]} {other[:7]}` to compare the code" in shown[1]


def test_path_prints_the_path_of_a_dataset(two_runs: Tiny) -> None:
    first, second = two_runs.ledger.records()
    for arguments, record in (((), second), (("1",), first)):
        path = Path(run(two_runs, "path", "numbers", *arguments).rstrip("\n"))
        assert path == two_runs.ledger.path(record.outputs["numbers"])
        assert path.is_file()
    ran = two_runs.kedro("runs", "path", "number")
    assert ran.returncode == 1
    assert ran.stderr == f"Error: number: not in run {second.run_id}; did you mean numbers?\n"


def test_verify_names_altered_and_missing_artefacts(tiny: Tiny) -> None:
    first = tiny.run()
    second = tiny.run(**TOTALS)
    assert run(tiny, "verify") == "5 artefacts of 2 runs are unchanged since their commit\n"
    altered = f"data/04_total/total.json/{second.run_id}/total.json"
    (tiny.folder / altered).write_text("{}")
    gone = f"data/02_numbers/numbers.json/{first.run_id}/numbers.json"
    (tiny.folder / gone).unlink()
    ran = tiny.kedro("runs", "verify")
    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 2
    assert f"{gone} of run {first.run_id} is missing" in ran.stderr
    assert f"{altered} of run {second.run_id} was altered" in ran.stderr
    faults = json.loads(tiny.kedro("runs", "verify", first.run_id, "--json").stdout)["faults"]
    assert faults.keys() == {gone}


def test_checkout_requires_that_all_artefacts_are_whole(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.feed([3, 4])
    tiny.run()
    assert first.run_id in run(tiny, "checkout", "last~1")
    assert tiny.read()["numbers"] == [1, 2]
    assert "> readers and partial runs see this run until the next commit" in run(tiny, "list")
    run(tiny, "checkout", "last")
    (tiny.ledger.path(first.outputs["numbers"])).unlink()
    ran = tiny.kedro("runs", "checkout", first.run_id)
    assert (ran.returncode, "is missing" in ran.stderr) == (1, True)
    assert tiny.read()["numbers"] == [3, 4]


def test_prune_keeps_the_given_number_of_runs(tiny: Tiny) -> None:
    first = tiny.run()
    tiny.run()
    assert run(tiny, "prune", "--keep", "1") == f"pruned {first.run_id}\n"
    assert run(tiny, "prune", "--keep", "1") == "nothing to prune\n"
    assert len(tiny.ledger.records()) == 1
    assert tiny.kedro("runs", "prune", "--keep", "0").returncode == 2
    tiny.expect_whole()


@pytest.mark.parametrize(
    "command", [["show", "x"], ["diff", "last", "x"], ["checkout", "x"], ["reproduce", "x"]]
)
def test_an_unknown_run_is_one_line(two_runs: Tiny, command: list[str]) -> None:
    ran = two_runs.kedro("runs", *command)
    assert ran.returncode == 1
    assert ran.stderr == "Error: run x does not exist; run `kedro runs list` to list the runs\n"


def test_a_reproduction_needs_a_new_folder(two_runs: Tiny, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    ran = two_runs.kedro("runs", "reproduce", "last", "--into", str(tmp_path))
    assert (ran.returncode, ran.stderr) == (1, f"Error: {tmp_path} is not empty; expected a new folder\n")
