"""Runs as tables for the terminal."""

from __future__ import annotations

from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text

from from_scratch.runs.differences import Differences, describe_commit
from from_scratch.runs.record import Code, Record, read_settings

WIDTH_WITHOUT_TERMINAL = 160
LONGEST = 60


def show_runs(records: list[Record], current: Record | None) -> None:
    """Print a line for each run.

    Args:
        records: The runs.
        current: The one that readers see.
    """
    if not records:
        print("no run is committed yet; `kedro run` makes one")
        return
    headline = read_settings(records[-1].parameters).headline
    table = _table("", "no.", "run", "pipelines", "commit", headline or "metrics")
    for record in records:
        table.add_row(
            ">" if record == current else "",
            str(record.seq),
            record.run_id,
            ", ".join(record.pipelines),
            _shorten_commit(record.code),
            _say_metrics(record, headline),
        )
    _print(table)
    if records[-1] != current:
        print("\n> is the run that readers and partial runs see until the next commit")


def show_run(record: Record) -> None:
    """Print all that is recorded of a run.

    Args:
        record: The run.
    """
    environment = record.environment
    facts = {
        "run": f"{record.run_id} (no. {record.seq})",
        "command": record.command or "started from Python",
        "pipelines": f"{', '.join(record.pipelines)} ({len(record.nodes)} nodes)",
        "time": f"{record.started} to {record.finished}",
        "code": describe_commit(record.code),
        "recipe": record.recipe,
        "ran on": f"{environment.python}, {environment.system} {environment.machine}, {environment.libc}, "
        f"{environment.processor} ({environment.cpu_capability})",
        "threads": ", ".join(f"{name}={count}" for name, count in environment.threads.items())
        or "as parameters say",
        "packages": f"{len(environment.packages)} (--json lists them)",
    }
    table = Table(box=None, show_header=False, pad_edge=False)
    for name, fact in facts.items():
        table.add_row(name, Text(fact))
    _print(table)

    _heading("raw data")
    table = _table("dataset", "file", "bytes", "sha256")
    for name, raw in record.raw.items():
        table.add_row(
            name, raw.path or "not a local file", str(raw.bytes or "-"), raw.sha256 or "was not there"
        )
    _print(table)
    _heading("parameters")
    print(
        yaml.safe_dump(
            record.parameters, sort_keys=False, allow_unicode=True, default_flow_style=None
        ).rstrip()
    )
    if record.metrics:
        _heading("metrics")
        names = sorted(record.metrics)
        table = _table("", *names)
        for metric in dict.fromkeys(metric for name in names for metric in record.metrics[name]):
            table.add_row(metric, *(_say(record.metrics[name].get(metric)) for name in names))
        _print(table)
    _heading("artefacts")
    table = _table("dataset", "run", "bytes", "sha256")
    for name, artefact in sorted(record.view.items()):
        run = "this one" if artefact.version == record.run_id else artefact.version
        table.add_row(name, run, str(artefact.bytes or "-"), (artefact.sha256 or "-")[:12])
    _print(table)


def show_differences(one: str, other: str, differences: dict[str, Differences]) -> None:
    """Print what differs between two runs.

    Args:
        one: The id of a run.
        other: The id of the other.
        differences: What differs, by section.
    """
    same = [section for section, found in differences.items() if not found]
    for section, found in differences.items():
        if found:
            table = _table(section, one, other)
            for name, values in found.items():
                table.add_row(name, *map(_say, values))
            _print(table)
            print()
    print(f"the same: {', '.join(same)}" if same else "nothing is the same")


def show_reproduction(run_id: str, differences: dict[str, str | None]) -> None:
    """Print how what came out again differs.

    Args:
        run_id: The run.
        differences: By dataset: how it differs; none where it doesn't.
    """
    print()
    if different := {name: difference for name, difference in differences.items() if difference}:
        table = _table("dataset", "run again")
        for name, difference in different.items():
            table.add_row(name, difference)
        _print(table)
        identical = len(differences) - len(different)
        print(f"\n{identical} of {len(differences)} artefacts of run {run_id} are identical")
    else:
        print(f"all {len(differences)} artefacts of run {run_id} are identical")


def _say_metrics(record: Record, headline: str | None) -> str:
    said = []
    for name, metrics in record.metrics.items():
        short = name.rpartition(".")[0] or name
        if headline in metrics:
            said.append(f"{short} {_say(metrics[headline])}")
        elif headline is None:
            said.append(short)
    return ", ".join(said)


def _shorten_commit(code: Code) -> str:
    if code.commit is None:
        return "-"
    return code.commit[:7] + ("" if code.is_committed else "*")


def _say(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if 0.001 <= abs(value) < 1e6 else f"{value:g}"
    text = "-" if value is None else str(value)
    if len(text) == 64 and set(text) <= set("0123456789abcdef"):
        return text[:12]
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _heading(text: str) -> None:
    print(f"\n{text}")


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: Table) -> None:
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=WIDTH_WITHOUT_TERMINAL)
    console.print(table)
