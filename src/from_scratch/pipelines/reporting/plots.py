"""The plots: each a node that makes a figure of plotly, once, for Kedro-Viz, the report and notebooks alike.

A figure is made as what plotly writes and reads, `data` and `layout`; importing its Python library would take
longer than all the rest of the report. `plotly.graph_objects.Figure(plot)` makes one to work with.

Text is grey, on no background, to be read by day and by night; Kedro-Viz and the report colour it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from from_scratch.pipelines.reporting.gathering import Results
from from_scratch.pipelines.reporting.nodes import compare
from kedro_ledger.plot_names import show_names

Plot = dict[str, Any]
"""A figure of plotly: its traces as `data`, and its `layout`."""

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Masataka Okabe and Kei Ito's, which colour-blind people can tell apart, on white and on black."""
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#808080"
FAINT = "rgba(128, 128, 128, 0.25)"
LARGEST_GROUPS = 24


def look_of(variants: Iterable[str]) -> dict[str, dict[str, str]]:
    """Give each variant its colour, symbol and dash, the same in all plots.

    Args:
        variants: All variants, in the order of the configuration.

    Returns:
        `color`, `symbol` and `dash` by variant. Beyond six variants colours come again, with other symbols.
    """
    return {
        variant: {
            "color": COLOURS[i % len(COLOURS)],
            "symbol": SYMBOLS[(i + i // len(COLOURS)) % len(SYMBOLS)],
            "dash": DASHES[(i + i // len(COLOURS)) % len(DASHES)],
        }
        for i, variant in enumerate(variants)
    }


def plot_accuracies(results: dict[str, Results]) -> Plot:
    """Draw each variant's accuracy with its 95 % interval (section 6.3).

    Args:
        results: What each variant reached.

    Returns:
        A mark for each variant, between the ends of its interval; a ring where the article's accuracy is, on
        its passengers; a line at what the majority's answer reaches.
    """
    look = look_of(results)
    rows = compare(results).to_dict("records")
    majority = rows[0]["majority_accuracy"]
    marks = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": [row["valid_accuracy"]],
            "y": [row["variant"]],
            "error_x": {
                "type": "data",
                "symmetric": False,
                "array": [row["valid_accuracy_high"] - row["valid_accuracy"]],
                "arrayminus": [row["valid_accuracy"] - row["valid_accuracy_low"]],
                "thickness": 2,
                "width": 6,
            },
            "marker": mark(look[row["variant"]], size=12),
            "name": row["variant"],
            "meta": row["variant"],
            "showlegend": False,
            "hovertemplate": "%{meta}: %{x:.4f}<br>95 % interval: "
            f"{row['valid_accuracy_low']:.3f} to {row['valid_accuracy_high']:.3f}<extra></extra>",
        }
        for row in rows
    ]
    published = [row for row in rows if row["article_accuracy"] == row["article_accuracy"]]  # is no NaN
    rings = {
        "type": "scatter",
        "mode": "markers",
        "x": [row["article_accuracy"] for row in published],
        "y": [row["variant"] for row in published],
        "marker": {"size": 20, "symbol": "circle-open", "color": GREY, "line": {"width": 2}},
        "name": "the article",
        "hovertemplate": "the article: %{x:.4f}<extra></extra>",
    }
    line = {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": majority,
        "x1": majority,
        "y0": 0,
        "y1": 1,
        "line": {"color": GREY, "dash": "dash", "width": 2},
        "name": "always the majority's answer",
        "showlegend": True,
    }
    ends = [majority, *(row[f"valid_accuracy_{end}"] for row in rows for end in ("low", "high"))]
    return make_plot(
        [*marks, rings] if published else marks,
        height=110 + 45 * len(rows),
        xaxis={
            "title": {"text": f"accuracy on the {rows[0]['valid_rows']:,} rows that validate"},
            "range": [min(ends) - 0.02, max(ends) + 0.02],
        },
        yaxis=_name_places([row["variant"] for row in rows]),
        shapes=[line],
    )


def plot_losses(results: dict[str, Results]) -> Plot:
    """Draw how each variant's loss fell (sections 6.2 to 8).

    Args:
        results: What each variant reached.

    Returns:
        A line for each variant.
    """
    return draw_losses({variant: result.losses for variant, result in results.items()}, results)


def draw_losses(losses: dict[str, pd.DataFrame], variants: Iterable[str]) -> Plot:
    """Draw how losses fell.

    Args:
        losses: A row for each epoch, `epoch` and `loss`, by variant.
        variants: All variants, in the order of the configuration: their colours go by it.

    Returns:
        A line for each variant in `losses`.
    """
    look = look_of(variants)
    lines = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": table["epoch"].tolist(),
            "y": table["loss"].astype("float64").round(6).tolist(),
            "line": {"color": look[variant]["color"], "dash": look[variant]["dash"], "width": 2.5},
            "name": variant,
            "meta": variant,
            "hovertemplate": "%{meta}: %{y:.3f}<extra></extra>",
        }
        for variant, table in losses.items()
    ]
    return make_plot(
        lines,
        height=420,
        xaxis={"title": {"text": "epoch (a step that looks at all rows)"}, "rangemode": "tozero"},
        yaxis={
            "title": {"text": "loss before the step<br>(mean absolute error)"},
            "rangemode": "tozero",
        },
        hovermode="x unified",
    )


def plot_coefficients(named_coefficients: pd.DataFrame, results: dict[str, Results]) -> Plot:
    """Draw the coefficients of the variants that have one for each feature (section 6.2).

    Args:
        named_coefficients: A row for each feature: `feature`, and a column for each such variant.
        results: What each variant reached.

    Returns:
        A panel for each such variant, with a bar for each feature.
    """
    look = look_of(results)
    drawn = list(named_coefficients.columns[1:])
    if not drawn:
        return _nothing("no variant has one coefficient for each feature")
    features = named_coefficients["feature"].tolist()
    width, gap = 1 / len(drawn), 0.03
    bars, axes, headings = [], {}, []
    for panel, variant in enumerate(drawn):
        number = "" if panel == 0 else str(panel + 1)
        domain = [panel * width + gap / 2, (panel + 1) * width - gap / 2]
        axes[f"xaxis{number}"] = {
            "title": {"text": "coefficient<br>no ← → yes"},
            "domain": domain,
            "zerolinecolor": GREY,
        }
        headings.append(
            {
                "text": variant,
                "x": sum(domain) / 2,
                "y": 1,
                "xref": "paper",
                "yref": "paper",
                "xanchor": "center",
                "yanchor": "bottom",
                "showarrow": False,
                "font": {"size": 15},
            }
        )
        bars.append(
            {
                "type": "bar",
                "orientation": "h",
                "x": named_coefficients[variant].astype("float64").round(6).tolist(),
                "y": features,
                "customdata": features,
                "xaxis": f"x{number}",
                "marker": {"color": look[variant]["color"]},
                "name": variant,
                "showlegend": False,
                "hovertemplate": "%{customdata}: %{x:.4f}",
            }
        )
    return make_plot(
        bars,
        height=130 + 26 * len(features),
        **axes,
        yaxis={**_name_places(features), "showgrid": False},
        annotations=headings,
    )


def plot_groups(groups: pd.DataFrame, results: dict[str, Results]) -> Plot:
    """Draw what each variant predicts for a group beside what became of it.

    Args:
        groups: A row for each group, as `compare_groups` returns it.
        results: What each variant reached.

    Returns:
        A bar for each group, as long as the share whose target is 1, and a mark for each variant's share; if
        there are many groups, only of the largest.
    """
    if groups.empty:
        return _nothing("no group has rows enough to tell of it")
    look = look_of(results)
    drawn = find_largest(groups)
    labels = [
        f"{group} ({rows:,})" for group, rows in zip(drawn["group"], drawn["rows"].tolist(), strict=True)
    ]
    places = range(len(drawn))
    hover = {"customdata": labels, "hovertemplate": "%{customdata}: %{x:.0%}"}
    bars = {
        "type": "bar",
        "orientation": "h",
        "x": drawn["observed"].tolist(),
        "y": list(places),
        "width": 0.9,
        "marker": {"color": "rgba(128, 128, 128, 0.4)"},
        "name": "observed",
        **hover,
    }
    marks = [
        {
            "type": "scatter",
            "mode": "markers",
            "x": drawn[variant].tolist(),
            # Many shares are equal: each variant has a lane of its own, or marks would hide each other.
            "y": [place + 0.7 * ((lane + 0.5) / len(results) - 0.5) for place in places],
            "marker": mark(look[variant], size=8),
            "name": variant,
            **hover,
        }
        for lane, variant in enumerate(results)
    ]
    return make_plot(
        [bars, *marks],
        height=150 + 38 * len(drawn),
        xaxis={
            "title": {"text": "share of yes, observed and predicted"},
            "range": [-0.03, 1.03],
            "tickformat": ".0%",
        },
        yaxis={
            "tickvals": list(places),
            "ticktext": labels,
            "range": [len(drawn) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
    )


def find_largest(groups: pd.DataFrame) -> pd.DataFrame:
    """Find the groups that a page has room for.

    Args:
        groups: A row for each group.

    Returns:
        The 24 with the most rows, in the order in which they come.
    """
    return groups.loc[sorted(groups["rows"].nlargest(LARGEST_GROUPS).index)]


def make_plot(traces: list[dict[str, Any]], height: int, **layout: Any) -> Plot:
    """Make a plot as all of them are: on whatever lies below, with faint axes, and with names as they are.

    Args:
        traces: What is drawn.
        height: How high it is, in pixels.
        **layout: What else the layout holds.

    Returns:
        The plot.
    """
    faint = {"gridcolor": FAINT, "linecolor": FAINT, "zerolinecolor": FAINT, "automargin": True}
    return show_names(
        {
            "data": traces,
            "layout": {
                "height": height,
                "font": {"color": GREY},
                "hoverlabel": {"namelength": -1},
                "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
                "paper_bgcolor": "rgba(0, 0, 0, 0)",
                "plot_bgcolor": "rgba(0, 0, 0, 0)",
                "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
                **{name: faint | value if "axis" in name else value for name, value in layout.items()},
            },
        }
    )


def _name_places(names: list[str]) -> dict[str, Any]:
    """Describe an axis with a place for each name; a label can be cut, and its place is still its own."""
    return {"type": "category", "autorange": "reversed", "tickvals": names, "ticktext": names}


def mark(look: dict[str, str], size: int) -> dict[str, Any]:
    """Describe a variant's mark.

    Args:
        look: Its colour and symbol.
        size: How large the mark is.
    """
    return {"color": look["color"], "symbol": look["symbol"], "size": size}


def _nothing(why: str) -> Plot:
    """Draw an empty plot that says why it is empty."""
    hidden = {"visible": False}
    return make_plot([], 120, xaxis=hidden, yaxis=hidden, title={"text": why, "font": {"size": 13}})
