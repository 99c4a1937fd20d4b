"""Datasets that readers don't see: the reason, the command that makes them, and how to go back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kedro_ledger.record import Record
from tests.support.tiny import TOTALS, Tiny

GO_BACK = "to go back: kedro runs checkout"


@pytest.fixture
def outdated(tiny: Tiny) -> tuple[Tiny, Record, Record]:
    """A project whose totals are outdated: a run of everything, and a run that scales by another factor."""
    first = tiny.run()
    second = tiny.run(pipeline_names=["scaling"], runtime_params={"factor": 3})
    return tiny, first, second


def test_the_path_of_an_outdated_dataset_is_explained(outdated: tuple[Tiny, Record, Record]) -> None:
    tiny, first, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics")
    message = (
        f"Error: total.metrics: outdated by run {second.run_id}; the newest run with it is {first.run_id}. "
        "Run `kedro run --pipeline totals` to make it again\n"
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", message)
    third = tiny.run(pipeline_names=["scaling"], runtime_params={"factor": 4})
    assert third.outdated == ["total.metrics"]
    assert f"outdated by run {second.run_id}" in tiny.kedro("runs", "path", "total.metrics").stderr


def test_an_outdated_dataset_is_made_from_the_versions_that_readers_see(
    outdated: tuple[Tiny, Record, Record],
) -> None:
    tiny, _, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics", "--make")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(Path(ran.stdout.strip()).read_text())["total"] == 9, "with factor 3, not 2"
    assert f"outdated by run {second.run_id}" in ran.stderr
    assert len(tiny.ledger.records()) == 2
    assert tiny.kedro("runs", "path", "total.metrics", "--make").stdout == ran.stdout
    assert tiny.ledger.records()[-1].seq == 3, "a dataset that readers see is not made again"


def test_a_dataset_that_was_never_made_is_made_by_a_full_run(tiny: Tiny) -> None:
    ran = tiny.kedro("runs", "path", "total.metrics")
    message = "Error: total.metrics: no run is committed yet; run `kedro run` to create one\n"
    assert (ran.returncode, ran.stderr) == (1, message)
    assert tiny.kedro("runs", "path", "total.metrics", "--make").stdout.endswith("total.json\n")


def test_the_run_that_makes_a_dataset_may_fail(tiny: Tiny) -> None:
    (tiny.folder / "data/01_raw/raw.json").unlink()
    ran = tiny.kedro("runs", "path", "total.metrics", "--make")
    assert (ran.returncode, ran.stdout) == (1, "")


def test_an_unknown_name_gets_a_suggestion(tiny: Tiny) -> None:
    record = tiny.run()
    for make in ([], ["--make"]):
        ran = tiny.kedro("runs", "path", "total.metric", *make)
        message = f"Error: total.metric: not in run {record.run_id}; did you mean total.metrics?\n"
        assert (ran.returncode, ran.stderr) == (1, message)


def test_other_runs_are_not_made_again(outdated: tuple[Tiny, Record, Record]) -> None:
    tiny, first, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics", second.run_id, "--make")
    assert ran.returncode == 1
    assert f"the newest run with it is {first.run_id}" in ran.stderr
    assert tiny.ledger.last() == second


def test_a_run_that_changes_what_readers_see_says_how_to_go_back(tiny: Tiny) -> None:
    first = tiny.run()
    assert GO_BACK not in tiny.kedro("run").stderr, "nothing changed, so there is nothing to go back to"
    second = tiny.ledger.last()
    assert second
    ran = tiny.kedro("run", "--pipeline", "scaling", "--params", "factor=5")
    assert ran.stderr.splitlines()[-1] == f"{GO_BACK} {second.run_id}"
    assert first.run_id not in ran.stderr
    assert tiny.kedro("runs", "checkout", second.run_id).returncode == 0
    assert tiny.read()["scaled.up"] == [2, 4]


def test_a_pruned_run_is_not_suggested_to_go_back(tiny: Tiny) -> None:
    tiny.run(runtime_params={"runs.keep": 1})
    ran = tiny.kedro("run", "--params", "factor=5,runs.keep=1")
    assert ran.returncode == 0
    assert GO_BACK not in ran.stderr


def test_a_run_of_something_new_changes_nothing(tiny: Tiny) -> None:
    tiny.run(pipeline_names=["__default__"], to_nodes=["negate"])
    assert GO_BACK not in tiny.kedro("run", **{}).stderr
    assert tiny.run(**TOTALS).outdated == []
