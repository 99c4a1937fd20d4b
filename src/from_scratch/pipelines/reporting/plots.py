"""The plots: each a node that makes a plotly figure, once, for Kedro-Viz, the report and notebooks alike.

Text and background have no colour of their own: Kedro-Viz and the report give them those of day or night.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from from_scratch.node_types import DataFrame
from from_scratch.pipelines.reporting.gathering import Results

if TYPE_CHECKING:
    from plotly.graph_objects import Figure as Figure
else:
    from typing import Any as Figure

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9")
"""Masataka Okabe and Kei Ito's, which colour-blind people can tell apart, on white and on black."""
SYMBOLS = ("circle", "square", "diamond", "cross", "triangle-up", "star")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
GREY = "#808080"
GRID = "rgba(128, 128, 128, 0.25)"
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


def plot_accuracies(results: dict[str, Results]) -> Figure:
    """Draw each variant's accuracy with its 95 % interval (section 6.3).

    Args:
        results: What each variant reached.

    Returns:
        A dot for each variant, between the ends of its interval; a ring where the article's accuracy is, on
        its passengers; a line at what the majority's answer reaches.
    """
    from plotly import graph_objects as go

    from from_scratch.pipelines.reporting.nodes import compare

    comparison = compare(results)
    look = look_of(results)
    figure = go.Figure(layout=_layout(height=110 + 45 * len(results)))
    for row in comparison.to_dict("records"):
        figure.add_scatter(
            x=[row["valid_accuracy"]],
            y=[row["variant"]],
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [row["valid_accuracy_high"] - row["valid_accuracy"]],
                "arrayminus": [row["valid_accuracy"] - row["valid_accuracy_low"]],
                "thickness": 2,
                "width": 6,
            },
            mode="markers",
            marker={"size": 12, **_without_dash(look[row["variant"]])},
            name=row["variant"],
            showlegend=False,
            hovertemplate=_hover(row),
        )
    published = comparison.dropna(subset="article_accuracy")
    if len(published):
        figure.add_scatter(
            x=published["article_accuracy"].tolist(),
            y=published["variant"].tolist(),
            mode="markers",
            marker={"size": 20, "symbol": "circle-open", "color": GREY, "line": {"width": 2}},
            name="the article",
            hovertemplate="the article: %{x:.4f}<extra></extra>",
        )
    majority = float(comparison["majority_accuracy"].iloc[0])
    figure.add_vline(
        majority,
        line={"color": GREY, "dash": "dash", "width": 2},
        name="always the majority's answer",
        showlegend=True,
    )
    least = min(majority, *comparison["valid_accuracy_low"])
    greatest = max(majority, *comparison["valid_accuracy_high"])
    figure.update_xaxes(
        title=f"accuracy on the {int(comparison['valid_rows'].iloc[0]):,} rows that validate",
        range=[least - 0.02, greatest + 0.02],
    )
    figure.update_yaxes(autorange="reversed", title=None)
    return figure


def plot_losses(results: dict[str, Results]) -> Figure:
    """Draw how each variant's loss fell (sections 6.2 to 8).

    Args:
        results: What each variant reached.

    Returns:
        A line for each variant.
    """
    return draw_losses({variant: result.losses for variant, result in results.items()}, results)


def draw_losses(losses: dict[str, DataFrame], variants: Iterable[str]) -> Figure:
    """Draw how losses fell.

    Args:
        losses: A row for each epoch, `epoch` and `loss`, by variant.
        variants: All variants, in the order of the configuration: their colours go by it.

    Returns:
        A line for each variant in `losses`.
    """
    from plotly import graph_objects as go

    look = look_of(variants)
    figure = go.Figure(layout=_layout(height=420))
    for variant, table in losses.items():
        figure.add_scatter(
            x=table["epoch"].tolist(),
            y=table["loss"].astype("float64").round(6).tolist(),
            mode="lines",
            line={"color": look[variant]["color"], "dash": look[variant]["dash"], "width": 2.5},
            name=variant,
            hovertemplate="epoch %{x}: %{y:.3f}",
        )
    figure.update_xaxes(title="epoch (a step that looks at all rows)", rangemode="tozero")
    figure.update_yaxes(title="loss before the step<br>(mean absolute error)", rangemode="tozero")
    figure.update_layout(hovermode="x unified")
    return figure


def plot_coefficients(named_coefficients: DataFrame, results: dict[str, Results]) -> Figure:
    """Draw the coefficients of the variants that have one for each feature (section 6.2).

    Args:
        named_coefficients: A row for each feature: `feature`, and a column for each such variant.
        results: What each variant reached.

    Returns:
        A panel for each such variant, with a bar for each feature.
    """
    from plotly.subplots import make_subplots

    look = look_of(results)
    drawn = list(named_coefficients.columns[1:])
    if not drawn:
        return _nothing("no variant has one coefficient for each feature")
    figure = make_subplots(
        cols=len(drawn), shared_yaxes=True, subplot_titles=drawn, horizontal_spacing=0.03
    ).update_layout(_layout(height=130 + 26 * len(named_coefficients)))
    for column, variant in enumerate(drawn, start=1):
        figure.add_bar(
            x=named_coefficients[variant].astype("float64").round(6).tolist(),
            y=named_coefficients["feature"].tolist(),
            orientation="h",
            marker={"color": look[variant]["color"]},
            name=variant,
            showlegend=False,
            hovertemplate="%{y}: %{x:.4f}",
            row=1,
            col=column,
        )
    figure.update_xaxes(title="coefficient<br>← no · yes →", gridcolor=GRID, zerolinecolor=GREY)
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def plot_groups(groups: DataFrame, results: dict[str, Results]) -> Figure:
    """Draw what each variant predicts for a group beside what became of it.

    Args:
        groups: A row for each group, as `compare_groups` returns it.
        results: What each variant reached.

    Returns:
        A bar for each group, as long as the share whose target is 1, and a dot for each variant's share; if
        there are many groups, only of the largest.
    """
    from plotly import graph_objects as go

    look = look_of(results)
    drawn = groups.loc[sorted(groups["rows"].nlargest(LARGEST_GROUPS).index)]
    labels = [
        f"{group} ({rows:,})" for group, rows in zip(drawn["group"], drawn["rows"].tolist(), strict=True)
    ]
    places = range(len(drawn))
    figure = go.Figure(layout=_layout(height=150 + 38 * len(drawn)))
    figure.add_bar(
        x=drawn["observed"].tolist(),
        y=list(places),
        customdata=labels,
        orientation="h",
        width=0.9,
        marker={"color": "rgba(128, 128, 128, 0.4)"},
        name="observed",
        hovertemplate="%{customdata}: %{x:.0%}",
    )
    for lane, variant in enumerate(results):  # many shares are equal: without lanes, marks would hide others
        figure.add_scatter(
            x=drawn[variant].tolist(),
            y=[place + 0.7 * ((lane + 0.5) / len(results) - 0.5) for place in places],
            customdata=labels,
            mode="markers",
            marker={"size": 8, **_without_dash(look[variant])},
            name=variant,
            hovertemplate="%{customdata}: %{x:.0%}",
        )
    figure.update_xaxes(title="share of yes, observed and predicted", range=[-0.03, 1.03])
    figure.update_xaxes(tickformat=".0%")
    figure.update_yaxes(
        tickvals=list(places), ticktext=labels, range=[len(drawn) - 0.4, -0.6], showgrid=False, zeroline=False
    )
    return figure


def _layout(height: int) -> dict[str, object]:
    """What all plots have in common; heights in pixels."""
    axis = {"gridcolor": GRID, "linecolor": GRID, "zerolinecolor": GRID, "automargin": True}
    return {
        "template": "none",
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 40, "b": 10},
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "legend": {"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
        "xaxis": axis,
        "yaxis": axis,
    }


def _nothing(why: str) -> Figure:
    """Draw an empty plot that says why it is empty."""
    from plotly import graph_objects as go

    figure = go.Figure(layout=_layout(height=120))
    figure.add_annotation(text=why, showarrow=False)
    return figure.update_xaxes(visible=False).update_yaxes(visible=False)


def _without_dash(look: dict[str, str]) -> dict[str, str]:
    return {"color": look["color"], "symbol": look["symbol"]}


def _hover(row: dict[Any, Any]) -> str:
    interval = f"95 % interval: {row['valid_accuracy_low']:.3f} to {row['valid_accuracy_high']:.3f}"
    return f"{row['variant']}: %{{x:.4f}}<br>{interval}<extra></extra>"
