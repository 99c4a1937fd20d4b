"""The plots: each is a node that returns a plotly figure, for Kedro-Viz, the report and notebooks.

Text is grey on a transparent background, which is readable in light and dark mode. `results` holds the
results of all variants in the order of the parameters, which determines their colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from math import ceil
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from from_scratch.pipelines.reporting.bundles import Results
from from_scratch.pipelines.reporting.nodes import compare
from from_scratch.pipelines.reporting.sentences import name_baseline
from from_scratch.schema.validation import shorten
from kedro_ledger.plot_names import escape_names
from kedro_ledger.styles import assign_styles

GLYPHS = {"circle": "●", "square": "■", "diamond": "◆", "cross": "✚", "triangle-up": "▲", "star": "★"}
"""The characters that look like plotly's symbols."""
GREY = "#808080"
FAINT = "rgba(128, 128, 128, 0.25)"
BIN_WIDTH = 0.01
"""Minimum width of a bin of accuracies."""
LANE_WIDTH = 0.8
"""Thickness of the fullest bin of a lane, as a share of the lane."""


def plot_accuracies(results: dict[str, Results]) -> go.Figure:
    """Draw each variant's accuracy with its 95 % interval (section 6.3).

    A line marks the baseline. On the article's passengers, rings mark the article's accuracies.
    """
    styles = assign_styles(results)
    comparison = compare(results)
    rows = comparison.to_dict("records")
    traces = [
        _draw_interval(
            row,
            row["variant"],
            "valid_accuracy",
            label="%{meta}: %{x:.4f}",
            marker=mark(styles[row["variant"]], size=12),
        )
        for row in rows
    ]
    published = comparison.dropna(subset="article_accuracy")
    if not published.empty:
        traces.append(
            go.Scatter(
                mode="markers",
                x=published["article_accuracy"].tolist(),
                y=published["variant"].tolist(),
                marker={"size": 20, "symbol": "circle-open", "color": GREY, "line": {"width": 2}},
                name="the article",
                hovertemplate="the article: %{x:.4f}<extra></extra>",
            )
        )
    baseline = rows[0]["majority_accuracy"]
    file = name_in_title(rows[0]["file"])
    ends = [baseline, *comparison["valid_accuracy_low"], *comparison["valid_accuracy_high"]]
    return make_figure(
        traces,
        height=130 + 45 * len(rows),
        xaxis={
            "title": {"text": f"accuracy on the {rows[0]['valid_rows']:,} validation rows<br>of {file}"},
            "range": _range(ends),
        },
        yaxis=_name_positions([row["variant"] for row in rows]),
        shapes=[_draw_baseline(baseline, name_baseline(comparison))],
    )


def plot_stability(
    stability_runs: pd.DataFrame, stability_summary: pd.DataFrame, results: dict[str, Results]
) -> go.Figure:
    """Draw the distribution of accuracies over each variant's runs in the study.

    The thickness of a lane is the share of runs with that accuracy; the mark is their mean with its interval.
    The dashed line is the mean accuracy of the baseline, and the band its range.
    """
    styles = assign_styles(results)
    rows = stability_summary.to_dict("records")
    runs = dict(tuple(stability_runs.groupby("variant")))
    spreads = [
        _draw_spread(runs[row["variant"]], lane, styles[row["variant"]]["color"])
        for lane, row in enumerate(rows)
    ]
    means = [
        _draw_interval(
            row,
            lane,
            "mean",
            label="%{meta}: mean %{x:.4f}",
            marker=mark(styles[row["variant"]], size=10) | {"line": {"color": GREY, "width": 1}},
        ).update(error_x={"color": GREY})
        for lane, row in enumerate(rows)
    ]
    lowest, highest = rows[0]["majority_minimum"], rows[0]["majority_maximum"]
    ends = [lowest, highest]
    for row in rows:
        ends += [row["minimum"], row["maximum"], max(row["mean_low"], 0), min(row["mean_high"], 1)]
    band = _draw_band("rect", lowest, highest, fillcolor=FAINT, line={"width": 0}, layer="below")
    return make_figure(
        [*spreads, *means],
        height=110 + 70 * len(rows),
        barmode="overlay",
        xaxis={"title": {"text": "accuracy on the validation rows"}, "range": _range(ends)},
        yaxis=name_lanes([row["variant"] for row in rows]) | {"range": [len(rows) - 0.5, -0.5]},
        shapes=[band, _draw_baseline(rows[0]["majority"], "baseline: mean and range")],
    )


def _draw_spread(runs: pd.DataFrame, lane: int, color: str) -> go.Bar:
    """Draw a variant's runs as bars centred in its lane, one for each bin of accuracies."""
    variant, rows = runs["variant"].iloc[0], int(runs["valid_rows"].iloc[0])
    wide = ceil(BIN_WIDTH * rows)  # in correct answers, since an accuracy is a whole number of them
    bins = (runs["valid_accuracy"] * rows).round().astype("int64") // wide
    shares = bins.value_counts(normalize=True).sort_index()
    thick = LANE_WIDTH * shares / shares.max()
    return go.Bar(
        x=[round((wide * index + (wide - 1) / 2) / rows, 6) for index in shares.index.tolist()],
        y=thick.round(6).tolist(),
        base=(lane - thick / 2).round(6).tolist(),
        width=wide / rows,
        customdata=shares.round(6).tolist(),
        name=variant,
        showlegend=False,
        meta=variant,
        hovertemplate="%{meta}: %{customdata:.1%} of runs at about %{x:.3f}<extra></extra>",
        marker={"color": color, "opacity": 0.5},
    )


def _draw_interval(
    row: dict[Any, Any], position: str | int, column: str, label: str, marker: dict[str, Any]
) -> go.Scatter:
    """Draw the accuracy in this column of a variant's row, with its interval."""
    accuracy, low, high = row[column], row[f"{column}_low"], row[f"{column}_high"]
    return go.Scatter(
        mode="markers",
        x=[accuracy],
        y=[position],
        error_x={
            "type": "data",
            "symmetric": False,
            "array": [high - accuracy],
            "arrayminus": [accuracy - low],
            "thickness": 2,
            "width": 6,
        },
        marker=marker,
        name=row["variant"],
        meta=row["variant"],
        showlegend=False,
        hovertemplate=f"{label}<br>95 % interval: {low:.3f} to {high:.3f}<extra></extra>",
    )


def _draw_baseline(accuracy: float, name: str) -> go.layout.Shape:
    line = {"color": GREY, "dash": "dash", "width": 2}
    return _draw_band("line", accuracy, accuracy, line=line, name=name, showlegend=True)


def _draw_band(shape: str, low: float, high: float, **options: Any) -> go.layout.Shape:
    """Draw a shape from the bottom of the plot to its top."""
    return go.layout.Shape(type=shape, xref="x", yref="paper", x0=low, x1=high, y0=0, y1=1, **options)


def draw_empty(reason: str) -> go.Figure:
    """Draw an empty figure with the reason why it is empty."""
    hidden = {"visible": False}
    return make_figure([], 120, xaxis=hidden, yaxis=hidden, title={"text": reason, "font": {"size": 13}})


def make_figure(traces: Sequence[go.Scatter | go.Bar], height: int, **layout: Any) -> go.Figure:
    """Make a figure of this height in pixels, with a transparent background and faint axes.

    Names that contain markup are shown as they are.
    """
    faint = {"gridcolor": FAINT, "linecolor": FAINT, "zerolinecolor": FAINT, "automargin": True}
    drawn = go.Layout(
        height=height,
        font={"color": GREY},
        hoverlabel={"namelength": -1},
        margin={"l": 10, "r": 10, "t": 40, "b": 10},
        paper_bgcolor="rgba(0, 0, 0, 0)",
        plot_bgcolor="rgba(0, 0, 0, 0)",
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        **{name: faint | value if "axis" in name else value for name, value in layout.items()},
    )
    plot = {"data": [trace.to_plotly_json() for trace in traces], "layout": drawn.to_plotly_json()}
    # Without plotly's default template, which would be most of each file.
    return go.Figure(escape_names(plot)).update_layout(template=None)


def name_in_title(name: str) -> str:
    """Escape and shorten a name for the title of an axis, which is interpreted as markup."""
    return escape(shorten(name, 25), quote=False)


def _name_positions(names: list[str]) -> dict[str, Any]:
    """Return an axis with one position for each name, even if shortened labels are equal."""
    return {"type": "category", "autorange": "reversed", "tickvals": names, "ticktext": names}


def name_lanes(names: list[str]) -> dict[str, Any]:
    """Return an axis with a named lane at each whole number."""
    return {"tickvals": list(range(len(names))), "ticktext": names, "showgrid": False, "zeroline": False}


def _range(ends: list[float]) -> list[float]:
    return [min(ends) - 0.02, max(ends) + 0.02]


def mark(style: dict[str, str], size: int) -> dict[str, Any]:
    """Return the marker of a variant."""
    return {"color": style["color"], "symbol": style["symbol"], "size": size}
