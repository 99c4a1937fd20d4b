"""The metrics of all runs ever, and how they moved: for the terminal, and as a page."""

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
from kedro_ledger.looks import look_of, order_names, short_name
from kedro_ledger.plot_names import show_names
from kedro_ledger.record import Summary
from kedro_ledger.settings import read_settings
from kedro_ledger.validation import did_you_mean

BLOCKS = "▁▂▃▄▅▆▇█"
MAX_MARKERS = 100
"""Of how many runs each has a mark; of more, only those beyond a limit."""
MAX_TICKS = 20
"""Of how many runs the axis names each."""
LINE, MAX_LINES = 44, 4
"""How many characters are in a line on hover, as phones have room for, and how many lines in a phrase."""


@dataclass(frozen=True)
class MetricSeries:
    """How one metric of one dataset went: a value for each run, none where the run has none."""

    name: str
    """The dataset's, without its last part: `deep` for `deep.metrics`."""
    full_name: str
    """What limits call it: `metrics.deep.metrics.valid_accuracy`."""
    values: list[float | None]

    @property
    def known(self) -> list[float]:
        """The values that there are."""
        return [value for value in self.values if value is not None]


@dataclass(frozen=True)
class Row:
    """A run in the table of a metric."""

    run: Summary
    values: list[float | None]
    """One for each line."""
    since: Sequence[Summary]
    """The runs since the row before, with this one; none of the first row."""
    is_folded: bool
    """Whether nobody would look for it: it has no value, and ended well."""

    @property
    def changes(self) -> list[str]:
        """What changed since the row before, in words."""
        return describe_changes(self.since) if self.since else []


def list_metrics(runs: Sequence[Summary]) -> list[str]:
    """List the metrics that are numbers, in the order in which runs wrote them."""
    known: dict[str, None] = {}
    for run in reversed(runs):
        for metrics in run.metrics.values():
            if not metrics.keys() <= known.keys():  # of most runs, all are known
                new = {metric: value for metric, value in metrics.items() if metric not in known}
                known |= {metric: None for metric, value in new.items() if is_number(value)}
    return list(known)


def choose_metric(ledger: Ledger, runs: Sequence[Summary], asked_for: str | None) -> str:
    """Choose the metric to show.

    Raises:
        LedgerError: If no run has it, or none has any.
    """
    known = list_metrics(runs)
    if not known:
        raise LedgerError("no run has written metrics; parameter runs.metrics says which datasets hold some")
    last = ledger.last()
    headline = read_settings(last.parameters).headline if last else None
    metric = asked_for or headline or known[0]
    if metric not in known:
        raise LedgerError(
            f"no run has a metric {metric}; there are {', '.join(known)}{did_you_mean(metric, known)}"
        )
    return metric


def order_lines(runs: Sequence[Summary], parameters: Mapping[str, Any]) -> list[str]:
    """Order the names of all lines as the parameters do, such as a block with one for each variant."""
    return order_names((short_name(name) for run in runs for name in run.metrics), parameters)


def metric_series(runs: Sequence[Summary], metric: str, order: Sequence[str]) -> list[MetricSeries]:
    """Follow a metric through all runs, for each dataset that ever held it, in the order of their names."""
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

    What changed in runs that are folded also counts for the next row that is not.
    """
    rows: list[Row] = []
    before = None
    for i, run in enumerate(runs):
        values = [line.values[i] for line in lines]
        is_folded = not run.alarms and all(value is None for value in values)
        first = i if is_folded else i + 1 if before is None else before + 1
        rows.append(Row(run, values, runs[first : i + 1], is_folded))
        before = before if is_folded else i
    return rows


def sparkline(values: Sequence[float | None], low: float, high: float, width: int) -> str:
    """Draw values as a line of blocks.

    Args:
        values: The values, oldest first; a gap where there is none.
        low: What the lowest block stands for.
        high: What the highest stands for.
        width: How many blocks there may be; of more values, each block stands for the mean of several.
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
        first: The metric that is shown first.
        project: The project's name.
        order: The names of the lines: their colours go by it.

    Returns:
        A page of HTML that asks no host for anything; the same runs give the same page.
    """
    try:
        import jinja2

        plotly_js = (files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8")
    except ModuleNotFoundError as error:
        raise LedgerError(f"a page needs {error.name}: pip install 'kedro-ledger[plots]'") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    metrics = [first, *(metric for metric in list_metrics(runs) if metric != first)]
    series = {metric: metric_series(runs, metric, order) for metric in metrics}
    look, notes = look_of(order), Notes(runs)
    plots = [_plot(runs, lines, look, notes) for lines in series.values()]
    return environment.get_template("history.html").render(
        project=project,
        runs=runs,
        series=series,
        tables={metric: _fold(list_rows(runs, lines)) for metric, lines in series.items()},
        look=look,
        plots=plots,
        notes=notes.texts,
        plotly_js=plotly_js,
    )


class Notes:
    """What points show on hover, each text once: many lines have points of the same runs."""

    def __init__(self, runs: Sequence[Summary]) -> None:
        self.texts: list[str] = []
        self._runs = runs
        self._numbers: dict[tuple[int | None, int], int] = {}

    def number(self, before: int | None, place: int) -> int:
        """Return the number of the text for a run: which it is, and what changed since the point before.

        Args:
            before: The place of the run of the point before; none for the first point.
            place: The place of the run.
        """
        number = self._numbers.setdefault((before, place), len(self.texts))
        if number == len(self.texts):
            run = self._runs[place]
            phrases = [f"no. {run.seq}, {run.run_id}", run.command or "started from Python"]
            if before is not None:
                changes = describe_changes(self._runs[before + 1 : place + 1])
                phrases += [f"changed since no. {self._runs[before].seq}:", *changes]
            self.texts.append(_break(phrases))
        return number


def _break(phrases: Sequence[str]) -> str:
    """Break phrases into short lines, and escape them, as plotly takes texts for markup."""
    lines = [line for phrase in phrases for line in wrap(phrase, LINE, max_lines=MAX_LINES, placeholder=" …")]
    return "<br>".join(show_names({"customdata": lines})["customdata"])


def _fold(rows: Sequence[Row]) -> list[list[Row]]:
    """Put rows into groups, the last first: one that is shown is alone, folded ones are together."""
    groups: list[list[Row]] = []
    for row in reversed(rows):
        if groups and row.is_folded and groups[-1][0].is_folded:
            groups[-1].append(row)
        else:
            groups.append([row])
    return groups


def _plot(
    runs: Sequence[Summary], lines: list[MetricSeries], look: Mapping[str, Mapping[str, str]], notes: Notes
) -> dict[str, Any]:
    """Draw lines one below the other, all on one scale, as plotly reads it."""
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
        places = [i for i, value in enumerate(line.values) if value is not None]
        alarming = [any(alarm.startswith(f"{line.full_name} ") for alarm in runs[i].alarms) for i in places]
        size = 7 if len(places) <= MAX_MARKERS else 0
        color, symbol = look[line.name]["color"], look[line.name]["symbol"]
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [runs[i].seq for i in places],
                "y": [line.values[i] for i in places],
                "meta": line.name,
                "customdata": [notes.number(*pair) for pair in zip([None, *places], places, strict=False)],
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
    return show_names({"data": traces, "layout": layout})
