"""What readers don't see: why, what makes it, and how to go back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from kedro_ledger.record import Record
from tests.support.tiny import TOTALS, Tiny

GO_BACK = "to go back: kedro runs checkout"


@pytest.fixture
def outdated(tiny: Tiny) -> tuple[Tiny, Record, Record]:
    """A project whose totals are outdated: a run of everything, and one that scales otherwise."""
    first = tiny.run()
    second = tiny.run(pipeline_names=["scaling"], runtime_params={"factor": 3})
    return tiny, first, second


def test_the_path_of_what_is_outdated_is_why_and_what_makes_it(outdated: tuple[Tiny, Record, Record]) -> None:
    tiny, first, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics")
    said = (
        f"Error: total.metrics: outdated by run {second.run_id}: `kedro run --pipeline totals` makes it "
        f"anew; run {first.run_id} is the newest that has it\n"
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", said)
    third = tiny.run(pipeline_names=["scaling"], runtime_params={"factor": 4})
    assert third.outdated == ["total.metrics"]
    assert f"outdated by run {second.run_id}" in tiny.kedro("runs", "path", "total.metrics").stderr


def test_what_is_outdated_is_made_from_what_readers_see(outdated: tuple[Tiny, Record, Record]) -> None:
    tiny, _, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics", "--make")
    assert ran.returncode == 0, ran.stderr
    assert json.loads(Path(ran.stdout.strip()).read_text())["total"] == 9, "with factor 3, not 2"
    assert f"outdated by run {second.run_id}" in ran.stderr
    assert len(tiny.ledger.records()) == 2
    assert tiny.kedro("runs", "path", "total.metrics", "--make").stdout == ran.stdout
    assert tiny.ledger.records()[-1].seq == 3, "it is made once"


def test_what_was_never_made_is_made_by_everything(tiny: Tiny) -> None:
    ran = tiny.kedro("runs", "path", "total.metrics")
    said = "Error: total.metrics: no run is committed yet; `kedro run` makes one\n"
    assert (ran.returncode, ran.stderr) == (1, said)
    assert tiny.kedro("runs", "path", "total.metrics", "--make").stdout.endswith("total.json\n")


def test_what_makes_it_may_fail(tiny: Tiny) -> None:
    (tiny.folder / "data/01_raw/raw.json").unlink()
    ran = tiny.kedro("runs", "path", "total.metrics", "--make")
    assert (ran.returncode, ran.stdout) == (1, "")


def test_an_unknown_name_is_asked_about(tiny: Tiny) -> None:
    record = tiny.run()
    for make in ([], ["--make"]):
        ran = tiny.kedro("runs", "path", "total.metric", *make)
        said = f"Error: total.metric: not in run {record.run_id}; did you mean total.metrics?\n"
        assert (ran.returncode, ran.stderr) == (1, said)


def test_another_run_is_not_made(outdated: tuple[Tiny, Record, Record]) -> None:
    tiny, first, second = outdated
    ran = tiny.kedro("runs", "path", "total.metrics", second.run_id, "--make")
    assert ran.returncode == 1
    assert f"run {first.run_id} is the newest that has it" in ran.stderr
    assert tiny.ledger.last() == second


def test_a_run_that_changes_what_readers_see_says_how_to_go_back(tiny: Tiny) -> None:
    first = tiny.run()
    assert GO_BACK not in tiny.kedro("run").stderr, "all is the same"
    second = tiny.ledger.last()
    assert second
    ran = tiny.kedro("run", "--pipeline", "scaling", "--params", "factor=5")
    assert ran.stderr.splitlines()[-1] == f"{GO_BACK} {second.run_id}"
    assert first.run_id not in ran.stderr
    assert tiny.kedro("runs", "checkout", second.run_id).returncode == 0
    assert tiny.read()["scaled.up"] == [2, 4]


def test_what_was_pruned_is_no_way_back(tiny: Tiny) -> None:
    tiny.run(runtime_params={"runs.keep": 1})
    ran = tiny.kedro("run", "--params", "factor=5,runs.keep=1")
    assert ran.returncode == 0
    assert GO_BACK not in ran.stderr


def test_a_run_of_something_new_changes_nothing(tiny: Tiny) -> None:
    tiny.run(pipeline_names=["__default__"], to_nodes=["negate"])
    assert GO_BACK not in tiny.kedro("run", **{}).stderr
    assert tiny.run(**TOTALS).outdated == []
