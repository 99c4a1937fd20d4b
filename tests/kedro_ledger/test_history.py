"""`kedro runs history`: the metrics of all runs."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from kedro_ledger.history import sparkline
from kedro_ledger.record import Summary
from tests.support.tiny import TOTALS, Tiny

NUMBERS = [[1, 2], [1, 3], [1, 4], [2, 4]]


@pytest.fixture(scope="module")
def long_past(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A project that keeps two runs of five; the fourth reads only the third."""
    tiny = Tiny.make(tmp_path_factory.mktemp("history") / "tiny")
    for numbers in NUMBERS[:3]:
        tiny.feed(numbers)
        tiny.run()
    tiny.run(pipeline_names=["scaling"])
    tiny.feed(NUMBERS[3])
    tiny.run()
    return tiny


def test_pruned_runs_are_in_the_history_in_their_order(long_past: Tiny) -> None:
    assert len(long_past.ledger.records()) == 2
    runs = long_past.ledger.history()
    assert [run.seq for run in runs] == [1, 2, 3, 4, 5]
    message = json.loads(long_past.kedro("runs", "history", "--json").stdout)
    assert message == [json.loads(run.model_dump_json()) for run in runs]
    assert [run["metrics"].get("total.metrics", {}).get("total") for run in message] == [6, 8, 10, None, 12]


def test_a_run_between_its_line_of_history_and_its_end_is_listed_once(long_past: Tiny) -> None:
    file = long_past.ledger.folder / "history.jsonl"
    before = file.read_text()
    last = long_past.ledger.last()
    assert last
    try:
        file.write_text(before + last.summary().model_dump_json() + "\n")
        assert [run.seq for run in long_past.ledger.history()] == [1, 2, 3, 4, 5]
    finally:
        file.write_text(before)


def test_every_run_adds_its_line_and_pruning_changes_none(tiny: Tiny) -> None:
    file = tiny.ledger.folder / "history.jsonl"
    before = b""
    for count in range(1, 5):
        tiny.run()
        lines = file.read_bytes()
        assert lines.startswith(before)
        assert lines.count(b"\n") == count
        before = lines
    assert tiny.kedro("runs", "prune", "--keep", "1").returncode == 0
    assert file.read_bytes() == before
    assert [line["run_id"] for line in map(json.loads, before.splitlines())] == [
        run.run_id for run in tiny.ledger.history()
    ]


@pytest.mark.parametrize("cut", [1, 2, 100, 200, -1])
def test_a_torn_line_is_read_from_the_record_and_the_next_run_rewrites_it(tiny: Tiny, cut: int) -> None:
    """A process ended in the middle of its line; with `-1`, it wrote all characters except one."""
    for _ in range(3):
        tiny.run()
    file = tiny.ledger.folder / "history.jsonl"
    whole, runs = file.read_bytes(), tiny.ledger.history()
    torn = whole[: len(whole) - cut] if cut > 0 else whole[: whole.index(b"\n", whole.index(b"\n") + 1) + 2]
    file.write_bytes(torn)
    assert tiny.ledger.history() == runs
    assert tiny.kedro("runs", "history").returncode == 0
    assert file.read_bytes() == torn, "reading changes nothing"
    last = tiny.run()
    assert file.read_bytes() == whole + f"{last.summary().model_dump_json()}\n".encode()


def test_missing_lines_are_read_from_the_records_and_the_next_run_adds_them(tiny: Tiny) -> None:
    """In a ledger of an earlier version, which wrote lines when it pruned."""
    for _ in range(5):
        tiny.run(runtime_params={"runs": {"keep": 3}})
    file = tiny.ledger.folder / "history.jsonl"
    lines, runs = file.read_bytes().splitlines(keepends=True), tiny.ledger.history()
    file.write_bytes(lines[1] + lines[0] + lines[3])
    assert tiny.ledger.history() == runs
    tiny.run(runtime_params={"runs": {"keep": 3}})
    last = f"{tiny.ledger.find('last').summary().model_dump_json()}\n".encode()
    assert file.read_bytes() == b"".join([lines[1], lines[0], lines[3], lines[2], lines[4], last])
    assert [run.seq for run in tiny.ledger.history()] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("damage", ["a part of a line", "no line", "another text"])
def test_damage_that_no_interrupted_run_can_cause_is_reported(
    long_past: Tiny, tmp_path: Path, damage: str
) -> None:
    tiny = Tiny(shutil.copytree(long_past.folder, tmp_path / "tiny"))
    file = tiny.ledger.folder / "history.jsonl"
    whole = file.read_bytes()
    damaged = {"a part of a line": whole + b'{"seq":1,', "no line": whole + b"\n"}.get(damage, b"x" + whole)
    file.write_bytes(damaged)
    message = "data/runs/history.jsonl is damaged; restore it from a copy\n"
    for command in (("history",), ("history", "--json"), ("prune", "--keep", "1")):
        ran = tiny.kedro("runs", *command)
        assert (ran.returncode, ran.stderr) == (1, f"Error: {message}")
    ran = tiny.kedro("run")
    assert (ran.returncode, ran.stderr.endswith(message)) == (0, True)
    assert file.read_bytes() == damaged
    assert len(tiny.ledger.list_ids()) == 3, "a run is pruned only if its line can be written"
    file.write_bytes(whole)
    assert [run.seq for run in tiny.ledger.history()] == [*range(1, 7)]


def test_a_run_whose_line_cannot_be_read_again_is_not_pruned(tiny: Tiny) -> None:
    tiny.run()
    tiny.run()
    file = tiny.ledger.folder / "history.jsonl"
    file.write_bytes(file.read_bytes().replace(b'"recipe"', b'"r"', 1))
    ran = tiny.kedro("runs", "prune", "--keep", "1")
    assert ran.stderr == "Error: data/runs/history.jsonl is damaged; restore it from a copy\n"
    assert len(tiny.ledger.list_ids()) == 2


def test_the_id_of_a_pruned_run_can_be_used_again(tiny: Tiny) -> None:
    for run_id, factor in (("a", 2), ("b", 2), ("c", 2), ("a", 3)):
        tiny.run(run_id=run_id, runtime_params={"factor": factor})
    runs = [(run.seq, run.run_id, run.metrics["total.metrics"]["total"]) for run in tiny.ledger.history()]
    assert runs == [(1, "a", 6), (2, "b", 6), (3, "c", 6), (4, "a", 9)]
    assert (tiny.ledger.folder / "history.jsonl").read_bytes().count(b"\n") == 4
    assert [run["seq"] for run in json.loads(tiny.kedro("runs", "list", "--json").stdout)] == [3, 4]


@pytest.fixture
def many_runs(tiny: Tiny) -> Tiny:
    """A project with 130 runs, of which the last 40 are kept. Only the first has a metric `old`."""
    first = tiny.run(runtime_params={"runs": {"keep": 40}})
    ledger = tiny.ledger.folder
    record = (ledger / f"000001_{first.run_id}.json").read_text()
    line = (ledger / "history.jsonl").read_text()
    other = line.replace('"total":6', '"old":5')
    lines = [
        (line if seq > 1 else other).replace(first.run_id, f"run-{seq}").replace('"seq":1', f'"seq":{seq}')
        for seq in range(1, 131)
    ]
    for seq in range(91, 131):
        copy = record.replace(first.run_id, f"run-{seq}").replace('"seq": 1,', f'"seq": {seq},')
        (ledger / f"{seq:06d}_run-{seq}.json").write_text(copy)
    (ledger / f"000001_{first.run_id}.json").unlink()
    (ledger / "history.jsonl").write_text("".join(lines))
    return tiny


def numbers_of(output: str) -> list[int]:
    """Return the numbers of the runs in a table."""
    return [int(number) for number in re.findall(r"^[ >!]*(\d+) (?!earlier)", output, re.MULTILINE)]


def test_the_table_has_the_newest_runs_and_the_plot_some_before_them(many_runs: Tiny) -> None:
    shown = many_runs.kedro("runs", "history").stdout
    table, _, plot = shown.partition("\ntotal in the newest 100 runs, from 6 (low) to 6 (high)\n")
    assert plot
    assert numbers_of(table) == [*range(111, 131)]
    assert "\n110 earlier runs are not shown; run `kedro runs history --all` to show all\n" in table
    whole = many_runs.kedro("runs", "history", "--all").stdout
    assert numbers_of(whole.partition("\ntotal, from 6 (low) to 6 (high)\n")[0]) == [*range(1, 131)]
    assert "not shown" not in whole
    assert len(json.loads(many_runs.kedro("runs", "history", "--json").stdout)) == 130
    old = many_runs.kedro("runs", "history", "--metric", "old").stdout
    assert "\nold, from 5 (low) to 5 (high)\n" in old, "the plot goes back to the run that had it"


def test_the_list_has_the_newest_runs_and_the_one_that_readers_see(many_runs: Tiny) -> None:
    shown = many_runs.kedro("runs", "list").stdout
    assert numbers_of(shown) == [*range(111, 131)]
    assert shown.endswith("\n20 earlier runs are not shown; run `kedro runs list --all` to show all\n")
    whole = many_runs.kedro("runs", "list", "--all").stdout
    assert numbers_of(whole) == [*range(91, 131)]
    assert "not shown" not in whole
    many_runs.ledger.checkout(many_runs.ledger.find("run-95"))
    shown = many_runs.kedro("runs", "list").stdout
    assert numbers_of(shown) == [95, *range(111, 131)]
    assert "\n19 earlier runs are not shown; " in shown
    listed = json.loads(many_runs.kedro("runs", "list", "--json").stdout)
    assert [run["seq"] for run in listed] == [*range(91, 131)]
    assert [run["seq"] for run in listed if run["current"]] == [95]


def test_the_list_reads_only_what_it_shows(many_runs: Tiny) -> None:
    (many_runs.ledger.folder / "000110_run-110.json").write_text("{")
    assert many_runs.kedro("runs", "list").returncode == 0
    assert many_runs.kedro("runs", "list", "--all").returncode == 1


def test_the_table_and_the_plot(long_past: Tiny) -> None:
    ran = long_past.kedro("runs", "history")
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0] == ["no.", "total", "run", "env"]
    assert [line[1] for line in lines[1:6]] == ["6", "8", "10", "-", "12"]
    assert "total, from 6 (low) to 12 (high)" in ran.stdout
    assert re.search(r"^total +▁▃▆ █ +6 +12 +12$", ran.stdout, re.M)
    assert "other metrics, shown by --metric: rest\n" in ran.stdout
    rest = long_past.kedro("runs", "history", "--metric", "rest").stdout
    assert re.search(r"^total +▁▁▁ ▁ +0 +0 +0$", rest, re.M)


def test_an_unknown_metric_is_reported(long_past: Tiny) -> None:
    ran = long_past.kedro("runs", "history", "--metric", "totl")
    assert ran.returncode == 1
    assert ran.stderr == "Error: no run has a metric totl; expected one of total, rest; did you mean total?\n"


def test_the_page_is_self_contained(long_past: Tiny, tmp_path: Path) -> None:
    page = tmp_path / "history.html"
    for _ in range(2):
        ran = long_past.kedro("runs", "history", "--html", str(page))
        assert ran.stderr == f"wrote {page}\n"
        text = page.read_text()
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=", text)
    body = text.partition("<script>")[0]
    for run in long_past.ledger.history():
        rows = body.count(f'<td class="text">{run.run_id}</td>')
        assert rows == (2 if run.metrics else 0), "for each of two metrics"
    assert body.count("<summary>1 run without total: no. 4</summary>") == 1
    assert body.count("<div>1 run without rest: no. 4</div>") == 1
    plots = json.loads(re.findall(r"const plots = (.*);", text)[-1])
    assert plots[0]["data"][0]["x"] == [1, 2, 3, 5]
    assert plots[0]["data"][0]["y"] == [6, 8, 10, 12]
    ran = long_past.kedro("runs", "history", "--html", str(tmp_path / "nowhere" / "x.html"))
    assert (ran.returncode, ran.stderr) == (
        1,
        f"Error: {tmp_path}/nowhere/x.html could not be written: No such file or directory\n",
    )


def test_points_and_rows_show_what_changed_since_the_previous_one(tiny: Tiny) -> None:
    """Changes include those of a pruned run in between that has no metrics."""
    tiny.run()
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text("factor: 3\nruns: {keep: 1, headline: total}\n")
    tiny.run(pipeline_names=["scaling"])
    tiny.feed([1, 3])
    tiny.run()
    tiny.run()
    assert len(tiny.ledger.records()) == 1
    assert tiny.kedro("runs", "history", "--html", "page.html").returncode == 0
    page = (tiny.folder / "page.html").read_text()
    (plots, notes) = (
        json.loads(re.findall(rf"const {name} = (.*);", page)[-1]) for name in ("plots", "hoverTexts")
    )
    ids = [run.run_id for run in tiny.ledger.history()]
    assert [notes[number] for number in plots[0]["data"][0]["customdata"]] == [
        f"no. 1, {ids[0]}<br>started from Python",
        f"no. 3, {ids[2]}<br>started from Python<br>changed since no. 1:"
        "<br>factor: 2 → 3<br>data.raw changed",
        f"no. 4, {ids[3]}<br>started from Python<br>changed since no. 3:<br>nothing",
    ]
    rows = re.findall(r'<td class="text why".*?</td>', page, re.DOTALL)[:4]
    assert ["changed: nothing" in rows[0], "changed" in rows[3]] == [True, False]
    assert "changed: factor: 2 → 3; data.raw changed" in rows[1]
    assert "1 run without total: no. 2" in rows[2]
    assert "changed: factor: 2 → 3" in rows[2]


def test_the_command_and_the_changes_of_a_pruned_run_are_kept(tiny: Tiny) -> None:
    for factor in (2, 3, 3):
        assert tiny.kedro("run", "--params", f"factor={factor},runs.keep=1").returncode == 0
    assert len(tiny.ledger.records()) == 1
    first, second, _ = tiny.ledger.history()
    assert (first.command, first.drift) == ("kedro run --params factor=2,runs.keep=1", None)
    assert second.command == "kedro run --params factor=3,runs.keep=1"
    assert second.drift
    assert second.drift.changed == {"parameters": {"factor": (2, 3)}}, "metrics are on the page already"


def test_a_line_of_history_of_an_earlier_version_is_read(long_past: Tiny) -> None:
    file = long_past.ledger.folder / "history.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        del line["command"], line["drift"]
    earlier = [Summary.model_validate_json(json.dumps(line)) for line in lines]
    assert [(run.command, run.drift) for run in earlier] == [(None, None)] * len(lines)


def test_a_missing_run_or_metric_is_reported(tiny: Tiny) -> None:
    assert tiny.kedro("runs", "history").stdout == "no run is committed yet; run `kedro run` to create one\n"
    assert json.loads(tiny.kedro("runs", "history", "--json").stdout) == []
    tiny.run(to_nodes=["keep"])
    assert len(json.loads(tiny.kedro("runs", "history", "--json").stdout)) == 1
    assert tiny.kedro("runs", "history").stderr == (
        "Error: no run has metrics; expected datasets whose names match parameter runs.metrics\n"
    )


def test_runs_beyond_a_limit_are_marked(tiny: Tiny) -> None:
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text('factor: 2\nruns: {drift: {allowed: {"metrics.*": 1}}}\n')
    tiny.run()
    tiny.feed([1, 9])
    assert tiny.try_to_run()[0] == 77
    tiny.run(**TOTALS)
    shown = tiny.kedro("runs", "history").stdout
    assert [line.split()[:3] for line in shown.splitlines()[2:3]] == [["!", "2", "20"]]
    assert [line.split()[0] for line in shown.splitlines()[1:4]] == ["1", "!", "3"]
    assert "! this run ended with an alarm" in shown
    tiny.kedro("runs", "history", "--html", "page.html")
    page = (tiny.folder / "page.html").read_text()
    plots = json.loads(re.findall(r"const plots = (.*);", page)[-1])
    symbols = [trace["marker"]["symbol"] for plot in plots for trace in plot["data"]]
    assert symbols == [["circle", "circle-open-dot", "circle"], ["circle"] * 3]


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([0, 1], 10, "▁█"),
        ([0, None, 1], 10, "▁ █"),
        ([0, 0, 1, 1], 2, "▁█"),
        ([0, 1, None, None], 2, "▅ "),
        ([1], 10, "█"),
        ([0, 0, 0, 1, 1, 1] * 50, 100, "▁█" * 50),
    ],
)
def test_lines_of_blocks(values: list[float | None], width: int, line: str) -> None:
    assert sparkline(values, 0, 1, width) == line
    assert sparkline([2, 2], 2, 2, 9) == "▁▁", "all the same"


def test_an_unknown_headline_is_reported(tiny: Tiny) -> None:
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text("factor: 2\nruns: {headline: totl}\n")
    tiny.run()
    ran = tiny.kedro("runs", "history")
    assert ran.stderr == "Error: no run has a metric totl; expected one of total, rest; did you mean total?\n"
