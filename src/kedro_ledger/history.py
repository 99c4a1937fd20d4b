"""The metrics of all runs and their changes, for the terminal and as an HTML page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from textwrap import wrap
from typing import Any

from kedro_ledger.changes import describe_changes
from kedro_ledger.drift import is_number
from kedro_ledger.errors import LedgerError
from kedro_ledger.ledger import Ledger
from kedro_ledger.plot_names import escape_names
from kedro_ledger.record import Summary
from kedro_ledger.settings import read_settings
from kedro_ledger.styles import assign_styles, order_names, short_name
from kedro_ledger.validation import did_you_mean

BLOCKS = "▁▂▃▄▅▆▇█"
MAX_MARKERS = 100
"""Maximum number of points that a line marks. On a longer line, only points beyond a limit are marked."""
MAX_TICKS = 20
"""Maximum number of runs with a tick each."""
LINE_LENGTH, MAX_LINES = 44, 4
"""Number of characters in a line on hover, which fit on a phone, and maximum number of lines in a phrase."""


@dataclass(frozen=True)
class MetricSeries:
    """The values of one metric of one dataset: one for each run, or None if the run has no value."""

    name: str
    """Name of the dataset without its last part: `deep` for `deep.metrics`."""
    full_name: str
    """Name that limits use: `metrics.deep.metrics.valid_accuracy`."""
    values: list[float | None]

    @property
    def known(self) -> list[float]:
        """All values that are not None."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True)
class Row:
    """A run in the table of a metric."""

    run: Summary
    values: list[float | None]
    """The run's value on each line."""
    since: Sequence[Summary]
    """The runs after the previous row's, up to and including this one; empty in the first row."""
    is_folded: bool
    """Whether the row is of little interest: it has no value and no alarm."""

    @property
    def changes(self) -> list[str]:
        """Phrases for what changed since the previous row."""
        return describe_changes(self.since) if self.since else []


def list_metrics(runs: Sequence[Summary]) -> list[str]:
    """List the metrics with numbers, in the order in which runs wrote them."""
    known: dict[str, None] = {}
    for run in reversed(runs):
        for metrics in run.metrics.values():
            if not metrics.keys() <= known.keys():  # faster: most runs add no metric
                new = {metric: value for metric, value in metrics.items() if metric not in known}
                known |= {metric: None for metric, value in new.items() if is_number(value)}
    return list(known)


def choose_metric(ledger: Ledger, runs: Sequence[Summary], asked_for: str | None) -> str:
    """Choose the metric to show: the one that was asked for, the headline, or the first.

    Raises:
        LedgerError: If no run has this metric, or any metric.
    """
    known = list_metrics(runs)
    if not known:
        raise LedgerError("no run has metrics; expected datasets whose names match parameter runs.metrics")
    last = ledger.last()
    headline = read_settings(last.parameters).headline if last else None
    metric = asked_for or headline or known[0]
    if metric not in known:
        raise LedgerError(
            f"no run has a metric {metric}; expected one of {', '.join(known)}{did_you_mean(metric, known)}"
        )
    return metric


def order_lines(runs: Sequence[Summary], parameters: Mapping[str, Any]) -> list[str]:
    """Order the names of all lines like the keys of the parameters, such as those of a block of variants."""
    return order_names((short_name(name) for run in runs for name in run.metrics), parameters)


def metric_series(runs: Sequence[Summary], metric: str, order: Sequence[str]) -> list[MetricSeries]:
    """Return the values of a metric in all runs, for each dataset that ever contained it.

    Args:
        runs: The runs, oldest first.
        metric: The metric.
        order: The names of all series, in their order.
    """
    found: dict[str, list[Any]] = {}
    for i, run in enumerate(runs):
        for name, metrics in run.metrics.items():
            if is_number(value := metrics.get(metric)):
                found.setdefault(name, [None] * len(runs))[i] = value
    lines = [
        MetricSeries(short_name(name), f"metrics.{name}.{metric}", values) for name, values in found.items()
    ]
    return sorted(lines, key=lambda line: order.index(line.name))


def list_rows(runs: Sequence[Summary], lines: Sequence[MetricSeries]) -> list[Row]:
    """List the rows of a metric's table, oldest first.

    The changes in folded rows also belong to the next row that is not folded.
    """
    rows: list[Row] = []
    previous = None
    for i, run in enumerate(runs):
        values = [line.values[i] for line in lines]
        is_folded = not run.alarms and all(value is None for value in values)
        first = i if is_folded else i + 1 if previous is None else previous + 1
        rows.append(Row(run, values, runs[first : i + 1], is_folded))
        previous = previous if is_folded else i
    return rows


def sparkline(values: Sequence[float | None], low: float, high: float, width: int) -> str:
    """Draw values as a line of blocks.

    Args:
        values: The values, oldest first; None leaves a gap.
        low: The value of the lowest block.
        high: The value of the highest block.
        width: The maximum number of blocks. If there are more values, each block shows the mean of several.
    """
    count = min(len(values), width)
    bounds = [i * len(values) // count for i in range(count + 1)]
    parts = [[value for value in values[i:j] if value is not None] for i, j in pairwise(bounds)]
    heights = [(sum(part) / len(part) - low) / ((high - low) or 1) if part else None for part in parts]
    return "".join(" " if height is None else BLOCKS[round(height * (len(BLOCKS) - 1))] for height in heights)


def render_page(runs: Sequence[Summary], first: str, project: str, order: Sequence[str]) -> str:
    """Render all metrics of all runs as a page.

    Args:
        runs: All runs, oldest first.
        first: The metric to show first.
        project: The project's name.
        order: The names of all lines in their order, which decides their colours.

    Returns:
        A self-contained HTML page. The same runs give the same page.
    """
    try:
        import jinja2

        plotly_js = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise LedgerError(
            f"--html needs {error.name}, which is not installed; run `pip install 'kedro-ledger[plots]'`"
        ) from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    metrics = [first, *(metric for metric in list_metrics(runs) if metric != first)]
    series = {metric: metric_series(runs, metric, order) for metric in metrics}
    styles, hover_texts = assign_styles(order), HoverTexts(runs)
    plots = [_plot(runs, lines, styles, hover_texts) for lines in series.values()]
    return environment.get_template("history.html").render(
        project=project,
        runs=runs,
        series=series,
        tables={metric: _group(list_rows(runs, lines)) for metric, lines in series.items()},
        styles=styles,
        plots=plots,
        hover_texts=hover_texts.texts,
        plotly_js=plotly_js,
    )


class HoverTexts:
    """The texts that points show on hover, each stored once: many lines have points for the same runs."""

    def __init__(self, runs: Sequence[Summary]) -> None:
        self.texts: list[str] = []
        self._runs = runs
        self._numbers: dict[tuple[int | None, int], int] = {}

    def find(self, previous: int | None, index: int) -> int:
        """Return the index in `texts` of a point's text: its run, and what changed since the previous point.

        Args:
            previous: The index of the previous point's run; None for the first point.
            index: The index of the point's run.
        """
        number = self._numbers.setdefault((previous, index), len(self.texts))
        if number == len(self.texts):
            run = self._runs[index]
            phrases = [f"no. {run.seq}, {run.run_id}", run.command or "started from Python"]
            if previous is not None:
                changes = describe_changes(self._runs[previous + 1 : index + 1])
                phrases += [f"changed since no. {self._runs[previous].seq}:", *changes]
            self.texts.append(_wrap(phrases))
        return number


def _wrap(phrases: Sequence[str]) -> str:
    """Wrap phrases into short lines, escaped because plotly interprets texts as markup."""
    lines = [
        line
        for phrase in phrases
        for line in wrap(phrase, LINE_LENGTH, max_lines=MAX_LINES, placeholder=" …")
    ]
    return "<br>".join(escape_names({"customdata": lines})["customdata"])


def _group(rows: Sequence[Row]) -> list[list[Row]]:
    """Group consecutive folded rows, and leave each other row alone; the last group comes first."""
    groups: list[list[Row]] = []
    for row in reversed(rows):
        if groups and row.is_folded and groups[-1][0].is_folded:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _plot(
    runs: Sequence[Summary],
    lines: list[MetricSeries],
    styles: Mapping[str, Mapping[str, str]],
    hover_texts: HoverTexts,
) -> dict[str, Any]:
    """Return a plotly figure with a subplot for each line, all on the same scale."""
    known = [value for line in lines for value in line.known]
    low, high = min(known), max(known)
    margin = (high - low) * 0.15 or abs(high) * 0.05 or 1
    faint = {"gridcolor": "rgba(128, 128, 128, 0.25)", "zeroline": False, "automargin": True}
    layout: dict[str, Any] = {
        "height": 60 + 90 * len(lines),
        "margin": {"l": 10, "r": 10, "t": 26, "b": 10},
        "font": {"color": "#808080"},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "showlegend": False,
        "hoverlabel": {"align": "left"},
        "xaxis": faint
        | {"title": {"text": "run"}, "tickformat": "d", "anchor": f"y{len(lines)}"}
        | {"range": [runs[0].seq - 0.5, runs[-1].seq + 0.5]}
        | ({"dtick": 1} if runs[-1].seq - runs[0].seq < MAX_TICKS else {}),
        "annotations": [],
    }
    traces = []
    for i, line in enumerate(lines):
        top, number = 1 - i / len(lines), i + 1 if i else ""
        layout[f"yaxis{number}"] = faint | {
            "domain": [1 - (i + 0.8) / len(lines), top],
            "range": [low - margin, high + margin],
            "nticks": 4,
        }
        layout["annotations"].append(
            {"text": line.name, "x": 0, "y": top, "xref": "paper", "yref": "paper", "showarrow": False}
            | {"xanchor": "left", "yanchor": "bottom", "font": {"size": 13}}
        )
        indices = [i for i, value in enumerate(line.values) if value is not None]
        alarming = [any(alarm.startswith(f"{line.full_name} ") for alarm in runs[i].alarms) for i in indices]
        size = 7 if len(indices) <= MAX_MARKERS else 0
        color, symbol = styles[line.name]["color"], styles[line.name]["symbol"]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [runs[i].seq for i in indices],
                "y": [line.values[i] for i in indices],
                "meta": line.name,
                "customdata": [
                    hover_texts.find(*pair) for pair in zip([None, *indices], indices, strict=False)
                ],
                "hovertemplate": "%{meta}: %{y:.6g}<br>%{customdata}<extra></extra>",
                "yaxis": f"y{number}",
                "line": {"color": color, "width": 1.5},
                "marker": {
                    "color": color,
                    "symbol": [f"{symbol}-open-dot" if alarm else symbol for alarm in alarming],
                    "size": [14 if alarm else size for alarm in alarming],
                    "line": {"width": [2 if alarm else 0 for alarm in alarming]},
                    "opacity": 1,
                },
            }
        )
    return escape_names({"data": traces, "layout": layout})
