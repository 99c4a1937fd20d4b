"""The plot of the study: how the accuracies of many runs are spread."""

from __future__ import annotations

from math import ceil
from typing import Any

import pandas as pd

from from_scratch.pipelines.reporting.gathering import Results
from from_scratch.pipelines.reporting.plots import FAINT, GREY, Plot, look_of, make_plot, mark

FINEST = 0.01
"""How wide a bin of accuracies is at least."""
LANE = 0.8
"""How thick the fullest bin of a lane is, where a lane is 1."""


def plot_stability(
    stability_runs: pd.DataFrame, stability_summary: pd.DataFrame, results: dict[str, Results]
) -> Plot:
    """Draw how the accuracies of each variant's runs are spread.

    Args:
        stability_runs: A row for each run.
        stability_summary: A row for each variant of the study.
        results: All variants of the configuration: their colours go by it.

    Returns:
        A lane for each variant, as thick as the square root of the share of its runs with such an accuracy; a
        mark at their mean, between the ends of its interval; a line where the mean of the majority's accuracy
        is, and a band from its lowest to its highest.
    """
    look = look_of(results)
    rows = stability_summary.to_dict("records")
    traces: list[dict[str, Any]] = []
    for lane, row in enumerate(rows):
        variant = row["variant"]
        runs = stability_runs[stability_runs["variant"] == variant]
        traces.append(
            _draw_spread(runs, lane) | {"marker": {"color": look[variant]["color"], "opacity": 0.5}}
        )
    for lane, row in enumerate(rows):
        low, high = row["mean_low"], row["mean_high"]
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [row["mean"]],
                "y": [lane],
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [high - row["mean"]],
                    "arrayminus": [row["mean"] - low],
                    "color": GREY,
                    "thickness": 2,
                    "width": 6,
                },
                "marker": mark(look[row["variant"]], size=10) | {"line": {"color": GREY, "width": 1}},
                "name": row["variant"],
                "meta": row["variant"],
                "showlegend": False,
                "hovertemplate": "%{meta}: mean %{x:.4f}<br>"
                f"95 % interval: {low:.3f} to {high:.3f}<extra></extra>",
            }
        )
    majority = rows[0]
    ends = [majority["majority_minimum"], majority["majority_maximum"]]
    for row in rows:
        ends += [row["minimum"], row["maximum"], max(row["mean_low"], 0), min(row["mean_high"], 1)]
    across = {"xref": "x", "yref": "paper", "y0": 0, "y1": 1}
    band = {
        **across,
        "type": "rect",
        "x0": majority["majority_minimum"],
        "x1": majority["majority_maximum"],
        "fillcolor": FAINT,
        "line": {"width": 0},
        "layer": "below",
    }
    line = {
        **across,
        "type": "line",
        "x0": majority["majority"],
        "x1": majority["majority"],
        "line": {"color": GREY, "dash": "dash", "width": 2},
        "name": "the majority's answer: mean and range",
        "showlegend": True,
    }
    return make_plot(
        traces,
        height=110 + 70 * len(rows),
        barmode="overlay",
        xaxis={
            "title": {"text": "accuracy on the rows that validate"},
            "range": [min(ends) - 0.02, max(ends) + 0.02],
        },
        yaxis={
            "tickvals": list(range(len(rows))),
            "ticktext": [row["variant"] for row in rows],
            "range": [len(rows) - 0.5, -0.5],
            "showgrid": False,
            "zeroline": False,
        },
        shapes=[band, line],
    )


def _draw_spread(runs: pd.DataFrame, lane: int) -> dict[str, Any]:
    """Draw a variant's runs as bars around the middle of its lane, one for each bin of accuracies."""
    rows = int(runs["valid_rows"].iloc[0])
    wide = ceil(FINEST * rows)  # in rows that are decided rightly, as accuracies come in steps of one
    bins = (runs["valid_accuracy"] * rows).round().astype("int64") // wide
    shares = bins.value_counts(normalize=True).sort_index()
    thick = LANE * (shares / shares.max()) ** 0.5
    return {
        "type": "bar",
        "x": [round((wide * place + (wide - 1) / 2) / rows, 6) for place in shares.index.tolist()],
        "y": thick.round(6).tolist(),
        "base": (lane - thick / 2).round(6).tolist(),
        "width": wide / rows,
        "customdata": shares.round(6).tolist(),
        "name": runs["variant"].iloc[0],
        "showlegend": False,
        "meta": runs["variant"].iloc[0],
        "hovertemplate": "%{meta}: %{customdata:.1%} of runs at about %{x:.3f}<extra></extra>",
    }
