"""The plot of the coefficients of the variants without a hidden layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from plotly import graph_objects as go

from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.plots import (
    FAINT,
    GREY,
    draw_empty,
    make_figure,
    mark,
    name_in_title,
    name_lanes,
)
from from_scratch.pipelines.reporting.words import name_answers, name_column, name_value
from kedro_ledger.styles import assign_styles

MAX_EFFECTS = 40
"""Maximum number of effects in the plot."""


def plot_coefficients(
    named_coefficients: pd.DataFrame, data: PreparedData, results: dict[str, Results]
) -> go.Figure:
    """Draw the effects in each variant that has one coefficient for each feature (section 6.2).

    The effect of a category is the difference from the coefficient of the column's first category, since each
    row has exactly one category. The effect of a number is its coefficient: a change by the number's scale.
    All are shares of the variant's largest effect, since a sigmoid's coefficients are on another scale than a
    linear model's.
    """
    styles = assign_styles(results)
    drawn = list(named_coefficients.columns[1:])
    effects = _compute_effects(named_coefficients, data)
    if not drawn or effects.empty:
        return draw_empty("no variant has one coefficient for each feature")
    largest = effects.abs().max().replace(0, 1)
    shares = effects / largest
    count = len(shares)
    if count > MAX_EFFECTS:
        kept = shares.abs().max(axis=1).nlargest(MAX_EFFECTS).index
        shares = shares[shares.index.isin(kept)]
    some = f"; the {MAX_EFFECTS} largest of {count:,}" if count > MAX_EFFECTS else ""
    labels = shares.index.tolist()
    marks = [
        go.Scatter(
            mode="markers",
            x=shares[variant].round(6).tolist(),
            # Each variant has its own lane, or marks would hide each other.
            y=[position + 0.7 * ((lane + 0.5) / len(drawn) - 0.5) for position in range(len(labels))],
            marker=mark(styles[variant], size=9),
            name=variant,
            meta=variant,
            customdata=labels,
            hovertemplate="%{meta}, %{customdata}: %{x:.3f}<extra></extra>",
        )
        for lane, variant in enumerate(drawn)
    ]
    no, yes = map(name_in_title, name_answers(data))
    faint = {"color": FAINT, "width": 1}
    axis: dict[str, Any] = {
        "title": {"text": f"effect, as a share of the<br>variant's largest{some}<br>← {no} · {yes} →"}
    }
    return make_figure(
        marks,
        height=150 + 34 * len(labels),
        xaxis=axis | {"range": [-1.08, 1.08], "zerolinecolor": GREY, "zerolinewidth": 2},
        yaxis=name_lanes(labels) | {"range": [len(labels) - 0.4, -0.6]},
        shapes=[
            {"type": "line", "xref": "paper", "x0": 0, "x1": 1, "y0": edge, "y1": edge, "line": faint}
            for edge in np.arange(0.5, len(labels) - 1).tolist()
        ],
    )


def _compute_effects(coefficients: pd.DataFrame, data: PreparedData) -> pd.DataFrame:
    """Compute the effects [effects, variants]; the index holds their labels."""
    effects: dict[str, Any] = {}
    columns = data.columns
    numbers = coefficients.drop(columns="feature").to_numpy("float64")
    by_feature = dict(zip(coefficients["feature"], numbers, strict=True))
    scales = data.scales.set_index("feature")["scale"]
    for column in (*columns.continuous, *columns.log):
        is_log = column in columns.log
        feature = f"Log{column.column}" if is_log else column.column
        scale = float(scales[feature])
        if columns.normalisation == "maximum":
            change = f"0 → {np.expm1(scale) if is_log else scale:.4g}"
        else:
            change = "+1 SD"
        effects[f"{name_column(data, column.column)}: {change}"] = by_feature[feature]
    for categorical in columns.categorical:
        name = categorical.column
        first, *others = data.categories[name]
        for category in others:
            change = " → ".join(name_value(data, name, value) for value in (first, category))
            label = f"{name_column(data, name)}: {change}"
            effects[label] = by_feature[f"{name}_{category}"] - by_feature[f"{name}_{first}"]
    return pd.DataFrame.from_dict(effects, orient="index", columns=coefficients.columns[1:])
