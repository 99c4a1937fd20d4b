"""`kedro runs history`: the metrics of all runs ever."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from kedro_ledger.history import list_all_runs, sparkline
from kedro_ledger.record import Summary
from tests.support.tiny import TOTALS, Tiny

NUMBERS = [[1, 2], [1, 3], [1, 4], [2, 4]]


@pytest.fixture(scope="module")
def long_past(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A project that keeps two runs of five; the fourth reads nothing but the third."""
    tiny = Tiny.make(tmp_path_factory.mktemp("history") / "tiny")
    for numbers in NUMBERS[:3]:
        tiny.feed(numbers)
        tiny.run()
    tiny.run(pipeline_names=["scaling"])
    tiny.feed(NUMBERS[3])
    tiny.run()
    return tiny


def test_pruned_runs_are_there_too_in_their_order(long_past: Tiny) -> None:
    assert len(long_past.ledger.records()) == 2
    runs = list_all_runs(long_past.ledger)
    assert [run.seq for run in runs] == [1, 2, 3, 4, 5]
    said = json.loads(long_past.kedro("runs", "history", "--json").stdout)
    assert said == [json.loads(run.model_dump_json()) for run in runs]
    assert [run["metrics"].get("total.metrics", {}).get("total") for run in said] == [6, 8, 10, None, 12]


def test_a_run_between_its_line_of_history_and_its_end_is_there_once(long_past: Tiny) -> None:
    file = long_past.ledger.folder / "history.jsonl"
    before = file.read_text()
    last = long_past.ledger.last()
    assert last
    try:
        file.write_text(before + last.summary().model_dump_json() + "\n")
        assert [run.seq for run in list_all_runs(long_past.ledger)] == [1, 2, 3, 4, 5]
    finally:
        file.write_text(before)


def test_the_table_and_the_plot(long_past: Tiny) -> None:
    ran = long_past.kedro("runs", "history")
    lines = [line.split() for line in ran.stdout.splitlines()]
    assert lines[0] == ["no.", "total", "run", "env"]
    assert [line[1] for line in lines[1:6]] == ["6", "8", "10", "-", "12"]
    assert "total, from 6 (low) to 12 (high)" in ran.stdout
    assert re.search(r"^total +▁▃▆ █ +6 +12 +12$", ran.stdout, re.M)
    assert "--metric shows others: rest\n" in ran.stdout
    rest = long_past.kedro("runs", "history", "--metric", "rest").stdout
    assert re.search(r"^total +▁▁▁ ▁ +0 +0 +0$", rest, re.M)


def test_an_unknown_metric_is_told(long_past: Tiny) -> None:
    ran = long_past.kedro("runs", "history", "--metric", "totl")
    assert ran.returncode == 1
    assert ran.stderr == "Error: no run has a metric totl; there are total, rest; did you mean total?\n"


def test_the_page_holds_all_it_needs(long_past: Tiny, tmp_path: Path) -> None:
    page = tmp_path / "history.html"
    for _ in range(2):
        ran = long_past.kedro("runs", "history", "--html", str(page))
        assert ran.stderr == f"the page is {page}\n"
        text = page.read_text()
    assert not re.findall(r"<(?:script|link|img)[^>]+(?:src|href)=", text)
    body = text.partition("<script>")[0]
    for run in list_all_runs(long_past.ledger):
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
        f"Error: {tmp_path}/nowhere/x.html can't be written: No such file or directory\n",
    )


def test_a_point_and_a_row_say_what_changed_since_the_one_before(tiny: Tiny) -> None:
    """Even if it changed in a run between them, which scored nothing, and was pruned."""
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
        json.loads(re.findall(rf"const {name} = (.*);", page)[-1]) for name in ("plots", "notes")
    )
    ids = [run.run_id for run in list_all_runs(tiny.ledger)]
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


def test_the_command_and_what_changed_stay_of_a_pruned_run(tiny: Tiny) -> None:
    for factor in (2, 3, 3):
        assert tiny.kedro("run", "--params", f"factor={factor},runs.keep=1").returncode == 0
    assert len(tiny.ledger.records()) == 1
    first, second, _ = list_all_runs(tiny.ledger)
    assert (first.command, first.drift) == ("kedro run --params factor=2,runs.keep=1", None)
    assert second.command == "kedro run --params factor=3,runs.keep=1"
    assert second.drift
    assert second.drift.changed == {"parameters": {"factor": (2, 3)}}, "metrics are there already"


def test_a_line_of_history_of_an_earlier_version_is_read(long_past: Tiny) -> None:
    file = long_past.ledger.folder / "history.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        del line["command"], line["drift"]
    earlier = [Summary.model_validate_json(json.dumps(line)) for line in lines]
    assert [(run.command, run.drift) for run in earlier] == [(None, None)] * len(lines)


def test_without_a_run_or_a_metric_it_says_so(tiny: Tiny) -> None:
    assert tiny.kedro("runs", "history").stdout == "no run is committed yet; `kedro run` makes one\n"
    assert json.loads(tiny.kedro("runs", "history", "--json").stdout) == []
    tiny.run(to_nodes=["keep"])
    assert len(json.loads(tiny.kedro("runs", "history", "--json").stdout)) == 1
    assert tiny.kedro("runs", "history").stderr == (
        "Error: no run has written metrics; parameter runs.metrics says which datasets hold some\n"
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
    assert "! ended with an alarm" in shown
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


def test_an_unknown_headline_is_told(tiny: Tiny) -> None:
    parameters = tiny.folder / "conf/base/parameters.yml"
    parameters.write_text("factor: 2\nruns: {headline: totl}\n")
    tiny.run()
    ran = tiny.kedro("runs", "history")
    assert ran.stderr == "Error: no run has a metric totl; there are total, rest; did you mean total?\n"
