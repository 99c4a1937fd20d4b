"""Runs as tables for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import yaml
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from kedro_ledger.differences import Differences, describe_commit, find_unknown
from kedro_ledger.history import MetricSeries, sparkline
from kedro_ledger.printable import echo, printable
from kedro_ledger.record import Code, Record, Summary, is_same_run
from kedro_ledger.settings import read_settings
from kedro_ledger.styles import short_name, sort_datasets

MAX_CHARACTERS = 60
"""Maximum number of characters of a value in a table."""
COMPARED = ("data", "parameters", "code", "packages")
"""Sections to list as the same if a run has no differences, except those that are unknown."""
MAX_RUNS, MAX_PLOTTED = 20, 100
"""Numbers of the newest runs that are listed and plotted without `--all`."""
UNLIMITED_WIDTH = 10_000
"""Width of output to a file or a pipe, where nothing is wrapped or cut."""


def show_runs(records: list[Record], current: Record | None, earlier: int, option: str) -> None:
    """Print a line for each run, and the number of earlier runs.

    Args:
        records: The runs to print.
        current: The run that readers see.
        earlier: The number of earlier runs, which are not shown.
        option: The option that selects their environment in a command.
    """
    if not records:
        echo(f"no run is committed yet; run `kedro run{option}` to create one")
        return
    headline = read_settings(records[-1].parameters).headline
    table = _table("", "", "no.", "run", "commit", "kedro run", headline or "metrics", can_be_cut=2)
    for record in records:
        table.add_row(
            ">" if is_same_run(record, current) else "",
            "!" if record.alarms else "",
            str(record.seq),
            record.run_id,
            _shorten_commit(record.code),
            _cut(_format_command(record)),
            _cut(_format_metrics(record, headline)),
        )
    _print(table)
    if not is_same_run(records[-1], current):
        echo("\n> readers and partial runs see this run until the next commit")
    _explain_alarms(records, option)
    _print_hidden(earlier, f"kedro runs list{option} --all")


def show_run(record: Record) -> None:
    """Print a run's record, without its longest lists."""
    environment = record.environment
    size = sum(artefact.bytes or 0 for artefact in record.outputs.values())
    threads = [f"{name}={count}" for name, count in environment.threads.items()]
    facts = {
        "run": f"{record.run_id} (no. {record.seq})",
        "command": record.command or "started from Python",
        "ran": f"{len(record.nodes)} nodes of {', '.join(record.pipelines)}, with {record.runner}",
        "time": f"{record.started} to {record.finished}",
        "code": f"unknown: {record.code.unknown}" if record.code.unknown else describe_commit(record.code),
        "recipe": record.recipe,
        "platform": f"{environment.python}, {environment.system} {environment.machine}, {environment.libc}, "
        f"{environment.processor} ({environment.cpu_capability})",
        "threads": ", ".join(threads) or "not set in the environment",
        "packages": f"{len(environment.packages)} (--json lists them)",
        "wrote": f"{len(record.outputs)} artefacts, {size / 1e6:.2f} MB",
    }
    facts |= {"alarm" if i == 0 else " " * i: phrase for i, phrase in enumerate(record.alarms)}
    if record.outdated:
        facts["outdated"] = ", ".join(record.outdated)
    for name, fact in facts.items():
        echo(f"{name:<10}{printable(fact)}")

    if record.raw:
        _heading("raw data")
        table = _table("dataset", "file", "bytes", "sha256")
        for name, raw in record.raw.items():
            table.add_row(
                name,
                raw.path or "not a local file",
                str(raw.bytes or "-"),
                raw.sha256 or ("missing" if raw.path else "unknown"),
            )
        _print(table)
    _heading("parameters of this run" if record.outputs.keys() != record.view.keys() else "parameters")
    text = yaml.safe_dump(record.parameters, sort_keys=False, allow_unicode=True, default_flow_style=None)
    echo(text.rstrip())
    if record.drift and record.drift.changed:
        _heading(f"changed since run {record.drift.since}")
        _print_changes(record.drift.changed)
    elif record.drift:
        known = [section for section in COMPARED if section not in record.drift.unknown]
        _heading(f"{', '.join(known)} and metrics are the same as in run {record.drift.since}")
    if record.drift and (unknown := record.drift.unknown):
        echo(f"unknown: {_format_unknown(unknown)}")
    if record.metrics:
        _heading("metrics")
        names = sort_datasets(record.metrics, record.parameters)
        table = _table("", *names)
        for metric in dict.fromkeys(metric for name in names for metric in record.metrics[name]):
            table.add_row(metric, *(_format(record.metrics[name].get(metric)) for name in names))
        _print(table)
    _heading("artefacts written by this run")
    table = _table("dataset", "file", "bytes", "sha256")
    for name, artefact in sorted(record.outputs.items()):
        table.add_row(name, artefact.path, str(artefact.bytes or "-"), (artefact.sha256 or "-")[:12])
    _print(table)
    if record.inherited:
        _heading("artefacts shared with earlier runs")
        table = _table("run", "artefacts", "read by this run")
        counts = Counter(artefact.version for artefact in record.inherited.values())
        for run, count in sorted(counts.items()):
            read = sorted(name for name, version in record.inputs.items() if version == run)
            table.add_row(run, str(count), ", ".join(read))
        _print(table)


def show_history(
    runs: Sequence[Summary], metric: str, lines: Sequence[MetricSeries], earlier: int, option: str
) -> None:
    """Print a table of runs with their values of a metric, and a plot of the values.

    Args:
        runs: The newest runs.
        metric: The metric.
        lines: Its values in these runs and in earlier ones.
        earlier: The number of earlier runs, which are not in the table.
        option: The option that selects their environment in a command.
    """
    table = _table("", "no.", *(line.name for line in lines), "run", "env", can_be_cut=2)
    for i, run in enumerate(runs):
        values = (_format(line.values[i - len(runs)]) for line in lines)
        alarm = "!" if run.alarms else ""
        table.add_row(alarm, str(run.seq), *values, _cut(run.run_id), _cut(run.env or ""))
    _print(table)
    _explain_alarms(runs, option)
    _print_hidden(earlier, f"kedro runs history{option} --all")
    known = [value for line in lines for value in line.known]
    low, high = min(known), max(known)
    plotted = len(lines[0].values)
    of_some = f" in the newest {plotted} runs" if plotted < len(runs) + earlier else ""
    _heading(f"{metric}{of_some}, from {_format(low)} (low) to {_format(high)} (high)")
    width = max(10, Console().width - max(len(line.name) for line in lines) - 30)
    table = _table("", "", "lowest", "highest", "last")
    for line in lines:
        drawn = sparkline(line.values, low, high, width)
        table.add_row(
            line.name, drawn, _format(min(line.known)), _format(max(line.known)), _format(line.known[-1])
        )
    _print(table)


def _print_hidden(count: int, command: str) -> None:
    if count > 0:
        runs = "1 earlier run is" if count == 1 else f"{count:,} earlier runs are"
        echo(f"\n{runs} not shown; run `{command}` to show all")


def _explain_alarms(runs: Sequence[Summary], option: str) -> None:
    if any(run.alarms for run in runs):
        command = f"kedro runs show RUN{option}"
        echo(f"\n! this run ended with an alarm, exit code 76 or 77; run `{command}` for the reason")


def show_differences(one: Record, other: Record, differences: dict[str, Differences]) -> None:
    """Print the differences between two runs."""
    headings = f"no. {one.seq}", f"no. {other.seq}"
    for heading, record in zip(headings, (one, other), strict=True):
        echo(f"{heading} is run {record.run_id}")
    for section, found in differences.items():
        if found:
            echo("")
            table = _table(section, *headings)
            for name, values in found.items():
                table.add_row(name, *map(_format, values))
            _print(table)
    are_in_git = one.code.commit and other.code.commit
    if are_in_git and differences["code"] and one.code.commit != other.code.commit:
        commits = f"{_shorten_commit(one.code, '')} {_shorten_commit(other.code, '')}"
        echo(f"run `git diff {commits}` to compare the code")
    unknown = find_unknown(one, other)
    if same := [section for section, found in differences.items() if not found and section not in unknown]:
        echo(f"\nthe same: {', '.join(same)}")
    if unknown:
        echo(f"unknown: {_format_unknown(unknown)}")


def show_reproduction(run_id: str, differences: dict[str, str | None]) -> None:
    """Print how the artefacts of a rerun differ from those of the run."""
    if different := {name: difference for name, difference in differences.items() if difference}:
        table = _table("dataset", "difference")
        for name, difference in different.items():
            table.add_row(name, difference)
        _print(table)
        identical = len(differences) - len(different)
        echo(f"\n{identical} of {len(differences)} artefacts of run {run_id} are identical")
    else:
        echo(f"all {len(differences)} artefacts of run {run_id} are identical")


def _format_unknown(unknown: Mapping[str, list[str]]) -> str:
    return ", ".join(
        section if names == [section] else f"{section} ({', '.join(names)})"
        for section, names in unknown.items()
    )


def _format_command(record: Record) -> str:
    if record.command is None:
        return f"(from Python) {', '.join(record.pipelines)}"
    return record.command.removeprefix("kedro run").strip() or "(everything)"


def _format_metrics(record: Record, headline: str | None) -> str:
    parts = []
    for name in sort_datasets(record.metrics, record.parameters):
        metrics, short = record.metrics[name], short_name(name)
        if headline in metrics:
            parts.append(f"{short} {_format(metrics[headline])}")
        elif headline is None:
            parts.append(short)
    return ", ".join(parts)


def _shorten_commit(code: Code, with_changes: str = "*") -> str:
    if code.commit is None:
        return "-"
    return code.commit[:7] + ("" if code.is_committed else with_changes)


def _format(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4f}" if 0.001 <= abs(value) < 1e6 else f"{value:g}"
    text = "-" if value is None else " ".join(str(value).split())
    if len(text) == 64 and set(text) <= set("0123456789abcdef"):
        return text[:12]
    return text if len(text) <= MAX_CHARACTERS else f"{text[: MAX_CHARACTERS - 1]}…"


def _print_changes(changed: Mapping[str, Differences]) -> None:
    """Print the previous and the current value of each change, by section."""
    table = _table("", "", "before", "now")
    for section, found in changed.items():
        for i, (name, values) in enumerate(found.items()):
            table.add_row(section if not i else "", _format(name), *map(_format, values))
    _print(table)


def _heading(text: str) -> None:
    echo(f"\n{text}")


class _Table(Table):
    """A table that escapes invisible characters."""

    def add_row(self, *cells: RenderableType | None, **options: Any) -> None:
        super().add_row(*(printable(cell) if isinstance(cell, str) else cell for cell in cells), **options)


def _table(*columns: str, can_be_cut: int = 0) -> _Table:
    """Create a table. If the terminal is too narrow, the last `can_be_cut` columns are cut first."""
    table = _Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(printable(column), no_wrap=i < len(columns) - can_be_cut)
    return table


def _cut(text: str) -> Text:
    return Text(printable(text), no_wrap=True, overflow="ellipsis")


def _print(table: Table) -> None:
    """Print a table, cut to the width of a terminal, or whole to a file or a pipe."""
    console = Console(highlight=False, markup=False)
    if console.is_terminal:
        console.print(table)
        return
    console = Console(highlight=False, markup=False, width=UNLIMITED_WIDTH)
    with console.capture() as captured:
        console.print(table)
    echo("\n".join(line.rstrip() for line in captured.get().splitlines()))
