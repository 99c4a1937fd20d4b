"""The metrics of all runs ever, and how they moved: for the terminal, and as a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import Any

from kedro_ledger.drift import is_number
from kedro_ledger.errors import LedgerError
from kedro_ledger.ledger import Ledger
from kedro_ledger.order import short_name, sort_as_in
from kedro_ledger.plot_names import show_names
from kedro_ledger.record import Summary
from kedro_ledger.settings import read_settings
from kedro_ledger.validation import did_you_mean

BLOCKS = "▁▂▃▄▅▆▇█"
COLOUR, ALARM = "#0072B2", "#E69F00"
MAX_MARKERS = 100
"""Of how many runs each has a mark; of more, only those beyond a limit."""
MAX_TICKS = 20
"""Of how many runs the axis names each."""


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


def list_all_runs(ledger: Ledger) -> list[Summary]:
    """List all runs ever, pruned ones too, in the order of their commits."""
    pruned = {run.run_id: run for run in ledger.history()}
    kept = {record.run_id: record.summary() for record in ledger.records()}
    return sorted((pruned | kept).values(), key=lambda run: run.seq)


def list_metrics(runs: Sequence[Summary]) -> list[str]:
    """List the metrics that are numbers, in the order in which runs wrote them."""
    return list(
        dict.fromkeys(
            metric
            for run in reversed(runs)
            for metrics in run.metrics.values()
            for metric, value in metrics.items()
            if is_number(value)
        )
    )


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


def metric_series(runs: Sequence[Summary], metric: str, parameters: Mapping[str, Any]) -> list[MetricSeries]:
    """Follow a metric through all runs, for each dataset that ever held it, in the order of parameters."""
    found: dict[str, list[Any]] = {}
    for i, run in enumerate(runs):
        for name, metrics in run.metrics.items():
            if is_number(value := metrics.get(metric)):
                found.setdefault(name, [None] * len(runs))[i] = value
    return [
        MetricSeries(short_name(name), f"metrics.{name}.{metric}", found[name])
        for name in sort_as_in(parameters, found)
    ]


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


def render_page(runs: Sequence[Summary], first: str, project: str, parameters: Mapping[str, Any]) -> str:
    """Render all metrics of all runs as a page, in the order of parameters.

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
    series = {metric: metric_series(runs, metric, parameters) for metric in metrics}
    return environment.get_template("history.html").render(
        project=project,
        runs=runs,
        series=series,
        plots=[_plot(runs, lines) for lines in series.values()],
        plotly_js=plotly_js,
    )


def _plot(runs: Sequence[Summary], lines: list[MetricSeries]) -> dict[str, Any]:
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
        shown = [(run, value) for run, value in zip(runs, line.values, strict=True) if value is not None]
        alarming = [any(alarm.startswith(f"{line.full_name} ") for alarm in run.alarms) for run, _ in shown]
        size = 5 if len(shown) <= MAX_MARKERS else 0
        traces.append(
            {
                "type": "scatter",
                "mode": "lines+markers",
                "x": [run.seq for run, _ in shown],
                "y": [value for _, value in shown],
                "meta": line.name,
                "customdata": [run.run_id for run, _ in shown],
                "hovertemplate": "%{meta}: %{y:.6g}<br>no. %{x}, %{customdata}<extra></extra>",
                "yaxis": f"y{number}",
                "line": {"color": COLOUR, "width": 1.5},
                "marker": {
                    "color": [ALARM if alarm else COLOUR for alarm in alarming],
                    "size": [9 if alarm else size for alarm in alarming],
                    "opacity": 1,
                },
            }
        )
    return show_names({"data": traces, "layout": layout})
