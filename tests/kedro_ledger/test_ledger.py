"""Finding runs, checking them out, and pruning them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kedro_ledger.errors import LedgerError
from kedro_ledger.ledger import Ledger
from kedro_ledger.paths import RECORD
from tests.support.tiny import TOTALS, Tiny


@pytest.fixture
def three_runs(tiny: Tiny) -> Tiny:
    """A project with runs on the data [1, 2], [2, 3] and [3, 4], of which the last two are kept."""
    for number in (1, 2, 3):
        tiny.feed([number, number + 1])
        tiny.run()
    return tiny


def test_runs_are_found_by_id_prefix_number_and_position(three_runs: Tiny) -> None:
    ledger = three_runs.ledger
    second, third = ledger.records()
    assert ledger.find("last") == third
    assert ledger.find("last~0") == third
    assert ledger.find("last~1") == second
    assert ledger.find(third.run_id) == third
    unique = next(third.run_id[:i] for i in range(24) if not second.run_id.startswith(third.run_id[:i]))
    assert ledger.find(unique) == third
    assert ledger.find("2") == second, "its number"
    assert ledger.find("current") == third
    ledger.checkout(second)
    assert ledger.find("current") == second


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("last~2", "run last~2 does not exist; expected at most last~1"),
        ("20", "run 20 does not exist; "),
        ("x", "run x does not exist; run `kedro runs list` to list the runs"),
        ("", "run  does not exist; "),
    ],
)
def test_a_run_that_is_not_found_is_reported(three_runs: Tiny, name: str, message: str) -> None:
    with pytest.raises(LedgerError) as raised:
        three_runs.ledger.find(name)
    assert raised.value.message.startswith(message)


def test_the_start_of_several_ids_is_reported(three_runs: Tiny) -> None:
    with pytest.raises(LedgerError, match=r"^2[0-9]{3} matches 2 runs: .*; expected one$"):
        three_runs.ledger.find(three_runs.ledger.records()[0].run_id[:4])


def test_a_number_is_not_the_start_of_the_only_id(tiny: Tiny) -> None:
    tiny.run()
    with pytest.raises(LedgerError, match="run 2 does not exist"):
        tiny.ledger.find("2")


def test_a_pruned_run_is_reported_as_pruned(three_runs: Tiny) -> None:
    pruned, *_ = three_runs.ledger.history()
    for name in (pruned.run_id, pruned.run_id[:-1], "1"):
        with pytest.raises(LedgerError, match="was pruned; only its line in the history is left"):
            three_runs.ledger.find(name)


def test_going_back_lasts_until_the_next_commit(three_runs: Tiny) -> None:
    ledger = three_runs.ledger
    second, third = ledger.records()
    with ledger.lock():
        ledger.checkout(second)
    assert three_runs.read()["numbers"] == [2, 3]
    assert three_runs.run(**TOTALS).inputs["scaled.up"] == second.run_id
    assert ledger.current() == ledger.last() != third
    assert three_runs.read()["numbers"] == [2, 3], "the new run builds on the one that was checked out"
    three_runs.expect_one_whole_run()


def test_going_back_to_the_last_run_undoes_it(three_runs: Tiny) -> None:
    ledger = three_runs.ledger
    second, third = ledger.records()
    ledger.checkout(second)
    assert ledger.current() == second
    ledger.checkout(third)
    assert ledger.current() == third


def test_the_checked_out_run_is_not_pruned(three_runs: Tiny) -> None:
    ledger = three_runs.ledger
    second, third = ledger.records()
    ledger.checkout(second)
    assert ledger.prune(1) == []
    ledger.checkout(third)
    assert ledger.prune(1) == [second]
    assert three_runs.read()["numbers"] == [3, 4]
    three_runs.expect_one_whole_run()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("went_back.json", "data/runs/went_back.json is damaged; remove it"),
        ("history.jsonl", "data/runs/history.jsonl is damaged; restore it from a copy"),
        ("x.uncommitted", "data/runs/x.uncommitted is damaged; remove it"),
    ],
)
def test_damaged_files_are_reported(three_runs: Tiny, name: str, message: str) -> None:
    (three_runs.ledger.folder / name).write_text("{\n")
    ways: dict[str, Callable[[Ledger], object]] = {
        "w": Ledger.current,
        "h": Ledger.history,
        "x": Ledger.sweep,
    }
    with pytest.raises(LedgerError) as raised:
        ways[name[0]](three_runs.ledger)
    assert raised.value.message == message


def test_a_record_of_another_format_is_reported(tiny: Tiny) -> None:
    run = tiny.run().run_id
    file = tiny.ledger.folder / f"000001_{run}.json"
    file.write_text(file.read_text().replace('"format": 2,', '"format": 3,'))
    with pytest.raises(LedgerError, match=r"has format 3; expected at most 2\. It was written by a newer"):
        tiny.ledger.last()


def test_records_of_the_first_format_are_read(tiny: Tiny) -> None:
    record = tiny.run()
    file = tiny.ledger.folder / f"000001_{record.run_id}.json"
    first_format = json.loads(record.model_copy(update={"format": 1}).to_json())
    assert not {"data", "drift", "last_known", "alarms"} & first_format.keys()
    file.write_text(json.dumps(first_format))
    after = tiny.run()
    assert after.drift
    assert after.drift.changed == {}


def test_an_empty_ledger_has_no_run(tiny: Tiny) -> None:
    ledger = tiny.ledger
    assert (ledger.records(), ledger.last(), ledger.current(), ledger.history()) == ([], None, None, [])
    assert not ledger.folder.exists(), "reading writes nothing"


def test_a_record_under_another_name_is_reported(three_runs: Tiny) -> None:
    last = three_runs.ledger.folder / f"000003_{three_runs.ledger.find('last').run_id}.json"
    last.rename(last.with_name("000009_x.json"))
    with pytest.raises(
        LedgerError, match=r"data/runs/000009_x.json contains run .*; expected the file name 000003_"
    ):
        three_runs.ledger.last()


@pytest.fixture
def fifty_runs(tiny: Tiny) -> Tiny:
    """A project with a run, and 49 copies of its record that name other versions."""
    first = tiny.run()
    text = (tiny.ledger.folder / f"000001_{first.run_id}.json").read_text()
    for seq in range(2, 51):
        copy = text.replace(first.run_id, f"copy-{seq}").replace('"seq": 1,', f'"seq": {seq},')
        (tiny.ledger.folder / f"{seq:06d}_copy-{seq}.json").write_text(copy)
    tiny.ledger.complete_history()
    return tiny


@contextmanager
def counting(function: str) -> Iterator[list[str]]:
    """Return the records that a method of the ledger reads."""
    read: list[str] = []
    original = getattr(Ledger, function)

    def count(ledger: Ledger, file: Path | str, *arguments: Any) -> Any:
        if RECORD.fullmatch(Path(file).name):
            read.append(Path(file).name)
        return original(ledger, file, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Ledger, function, count)
        yield read


def test_pruning_reads_each_record_only_once(fifty_runs: Tiny) -> None:
    ledger = fifty_runs.ledger
    with counting("_read_bytes") as read:
        assert len(ledger.prune(1)) == 49
    assert len(read) == 50 + 1, "the last record is read again, as readers see it"
    assert [run.seq for run in ledger.history()] == [*range(1, 51)]


def test_pruning_parses_only_records_that_may_name_removed_versions(fifty_runs: Tiny) -> None:
    ledger = fifty_runs.ledger
    escaped = ledger.folder / "000030_copy-30.json"
    escaped.write_text(escaped.read_text().replace('"factor"', '"f\\u0061ctor"'))
    heir = ledger.folder / "000040_copy-40.json"
    inherited = json.loads(heir.read_text())
    (oldest,) = ledger.folder.glob("000001_*.json")
    first = json.loads(oldest.read_text())
    del inherited["wrote"]["numbers"]
    inherited["carried"] = {"numbers": first["wrote"]["numbers"]}
    heir.write_text(json.dumps(inherited))
    with counting("_read") as parsed:
        (gone,) = ledger.prune(49)
    assert sorted(parsed) == [oldest.name, escaped.name, heir.name, "000050_copy-50.json"]
    assert ledger.path(gone.outputs["numbers"]).exists(), "run 40 needs it"
    assert not ledger.path(gone.outputs["scaled.up"]).exists()


def test_pruning_parses_records_that_are_cut_off(fifty_runs: Tiny) -> None:
    file = fifty_runs.ledger.folder / "000030_copy-30.json"
    file.write_bytes(file.read_bytes()[:-10])
    before = fifty_runs.versions()
    with pytest.raises(LedgerError, match=r"000030_copy-30\.json is damaged"):
        fifty_runs.ledger.prune(49)
    assert fifty_runs.versions() == before
    assert len(fifty_runs.ledger.list_ids()) == 50


def test_an_interrupted_pruning_is_completed(three_runs: Tiny) -> None:
    """The next run removes the remains of pruned runs."""
    ledger = three_runs.ledger
    left = three_runs.folder / "data/02_numbers/numbers.json/gone/numbers.json"
    left.parent.mkdir()
    left.write_text("[1]")
    pending = ledger.folder / "pruned.json"
    pending.write_text('{"gone": {"numbers": "data/02_numbers/numbers.json/gone"}}')
    three_runs.run()
    assert not left.parent.exists()
    three_runs.run()
    assert not pending.exists()


OF_EARLIER_VERSIONS = """{"seq": 7, "run_id": "2026-11-26", "started": "2026-11-26T01:00:00.000",
"pipelines": ["totals"], "recipe": "0", "metrics": {}, "env": null, "alarms": [], "format": 2,
"finished": "2026-11-26T01:00:01.000", "command": "kedro run --pipeline totals", "runner": "SequentialRunner",
"nodes": ["total"], "parameters": {"factor": 2}, "catalog": {}, "raw": {}, "data": {}, "inputs": {}, "wrote":
{"total.metrics": {"version": "2026-11-26", "sha256": "0", "bytes": 1, "made_from": {"code": "0"},
"path": "data/04_total/total.json/2026-11-26/total.json"}}, "carried": {}, "outdated": [],
"inexact": [], "code": {"files": {}, "commit": null}, "code_changed_meanwhile": false, "environment":
{"python": "CPython 3.11.7", "system": "Linux", "libc": "", "machine": "x86_64", "processor": "",
"cpu_capability": "AVX2", "threads": {}, "packages": {}}, "drift": null, "last_known": {}}"""


def test_the_files_keep_the_keys_of_earlier_versions(tiny: Tiny) -> None:
    """In the code, `wrote` is `outputs`, `carried` is `inherited`, `to` is `run_id`, and `at` is `at_seq`."""
    tiny.ledger.folder.mkdir(parents=True)
    run_id = "2026-11-26"
    (tiny.ledger.folder / f"000007_{run_id}.json").write_text(OF_EARLIER_VERSIONS)
    earlier = tiny.ledger.find("last")
    assert earlier.outputs["total.metrics"].folder == f"data/04_total/total.json/{run_id}"
    again = json.loads(earlier.to_json())
    assert again == json.loads(OF_EARLIER_VERSIONS) | {
        key: again[key] for key in ("code", "last_known", "unversioned")
    }
    assert run_id in tiny.kedro("runs", "list").stdout
    tiny.run()
    (tiny.ledger.folder / "went_back.json").write_text(json.dumps({"to": run_id, "at": 8}))
    assert tiny.ledger.current() == earlier
    tiny.ledger.checkout(earlier)
    pointer = json.loads((tiny.ledger.folder / "went_back.json").read_text())
    assert pointer == {"to": run_id, "at": 8}
