"""The plots of losses and accuracies over epochs, with each line's name at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from from_scratch.pipelines.reporting.bundles import Results
from from_scratch.pipelines.reporting.nodes import compare
from from_scratch.pipelines.reporting.plots import GLYPHS, GREY, draw_empty, make_figure
from from_scratch.pipelines.reporting.sentences import name_baseline
from from_scratch.schema.validation import shorten
from kedro_ledger.styles import assign_styles

PANEL_HEIGHT = 240
"""Height of a panel, in pixels."""
LABEL_HEIGHT = 14
"""Minimum distance between the names of two lines, in pixels."""
MIN_PLATEAU = 5
"""Minimum number of epochs at the baseline that are labelled as a plateau."""


def plot_losses(results: dict[str, Results]) -> go.Figure:
    """Draw each variant's loss over the epochs, with a panel for each kind of loss (sections 6.2 to 8)."""
    losses = {variant: result.losses for variant, result in results.items()}
    kind_of = _loss_kinds(results)
    lines = {
        # A loss is computed before the step, so it is that of the epoch before.
        variant: ((table["epoch"] - 1).tolist(), table["loss"].astype("float64").round(6).tolist())
        for variant, table in losses.items()
    }
    titles = {kind: f"mean {kind.replace('_', ' ')}" for kind in kind_of.values()}
    tops = {
        kind: 1.05 * max(max(lines[variant][1]) for variant in lines if kind_of[variant] == kind)
        for kind in titles
    }
    ranges = {kind: (0.0, top or 1.0) for kind, top in tops.items()}
    return _draw_lines(
        lines, assign_styles(results), kind_of, titles, ranges, "%{meta}: %{y:.3f}<extra></extra>"
    )


def plot_epoch_accuracies(epoch_accuracies: pd.DataFrame, results: dict[str, Results]) -> go.Figure:
    """Draw the accuracy on the validation rows after each epoch, in the same panels as the losses.

    A dashed line is the baseline. The longest plateau of a variant on it is labelled.
    """
    if epoch_accuracies.empty:
        return draw_empty("the coefficients after each epoch were not kept")
    comparison = compare(results)
    baseline = float(comparison["majority_accuracy"].iloc[0])
    kinds = _loss_kinds(results)
    lines = {
        str(variant): (table["epoch"].tolist(), table["valid_accuracy"].round(6).tolist())
        for variant, table in epoch_accuracies.groupby("variant", sort=False)
    }
    kind_of = {variant: kinds[variant] for variant in lines}
    values = [baseline, *epoch_accuracies["valid_accuracy"]]
    span = (min(values) - 0.03, max(values) + 0.03)
    titles = {kind: "validation accuracy" for kind in kind_of.values()}
    styles = assign_styles(results)
    extra: dict[str, Any] = {"shapes": [], "annotations": []}
    for number, kind in enumerate(titles, start=1):
        axis = str(number) if number > 1 else ""
        line = {"color": GREY, "dash": "dash", "width": 2}
        ends = {"x0": 0, "x1": 1, "y0": baseline, "y1": baseline}
        named = {"name": name_baseline(comparison), "showlegend": number == 1}
        extra["shapes"].append(
            {"type": "line", "xref": f"x{axis} domain", "yref": f"y{axis}", "line": line, **ends, **named}
        )
        here = {variant: line for variant, line in lines.items() if kind_of[variant] == kind}
        if plateau := _find_plateau(here, baseline):
            variant, start, length = plateau
            position = {"x": start + (length - 1) / 2, "y": baseline, "xref": f"x{axis}", "yref": f"y{axis}"}
            # A glyph instead of the name, which may be too long for the plot.
            words = f"{GLYPHS[styles[variant]['symbol']]} flat for {length} epochs"
            pointer = {"ax": 0, "ay": 24, "arrowcolor": GREY, "font": {"size": 12}}
            extra["annotations"].append({"text": words, **position, **pointer})
    spans = dict.fromkeys(titles, span)
    return _draw_lines(lines, styles, kind_of, titles, spans, "%{meta}: %{y:.4f}<extra></extra>", **extra)


def _find_plateau(
    lines: Mapping[str, tuple[list[int], list[float]]], baseline: float
) -> tuple[str, int, int] | None:
    """Find the longest plateau at the baseline that a variant leaves again.

    Returns:
        The variant, the plateau's first epoch and its length in epochs; None if no plateau is long enough.
    """
    plateaus: list[tuple[int, int, str]] = []
    for variant, (_, values) in lines.items():
        start = 0
        for is_at_baseline, run in groupby(abs(value - baseline) < 1e-6 for value in values):
            length = len(list(run))
            if is_at_baseline and length >= MIN_PLATEAU and start + length < len(values):
                plateaus.append((length, start, variant))
            start += length
    if not plateaus:
        return None
    length, start, variant = max(plateaus, key=lambda plateau: plateau[0])
    return variant, start, length


def _loss_kinds(results: Mapping[str, Results]) -> dict[str, str]:
    return {variant: result.variant.loss for variant, result in results.items()}


def _draw_lines(
    lines: Mapping[str, tuple[list[int], list[float]]],
    styles: Mapping[str, Mapping[str, str]],
    kind_of: Mapping[str, str],
    titles: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
    hover: str,
    annotations: Sequence[dict[str, Any]] = (),
    shapes: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Draw a line for each variant, with a panel for each kind of loss, one below the other."""
    panels = list(dict.fromkeys(kind_of.values()))
    share = 1 / len(panels)
    names = [_shorten_name(variant) for variant in lines]
    traces: list[go.Scatter] = []
    axes: dict[str, Any] = {}
    labels: list[dict[str, Any]] = []
    for position, kind in enumerate(panels):
        number = "" if position == 0 else str(position + 1)
        top = 1 - position * share
        bottom = top - share * (1 if position == len(panels) - 1 else 0.85)
        last = max(lines[variant][0][-1] for variant in lines if kind_of[variant] == kind)
        axes[f"xaxis{number}"] = {"range": [0, 1.03 * max(last, 1)], "anchor": f"y{number}"}
        is_last = position == len(panels) - 1
        axes[f"xaxis{number}"] |= {"title": {"text": "epochs"}} if is_last else {}
        axes[f"yaxis{number}"] = {
            "title": {"text": titles[kind]},
            "range": list(ranges[kind]),
            "domain": [max(bottom, 0), top],
        }
        drawn = [variant for variant in lines if kind_of[variant] == kind]
        traces += [
            go.Scatter(
                mode="lines",
                x=lines[variant][0],
                y=lines[variant][1],
                xaxis=f"x{number}",
                yaxis=f"y{number}",
                line={"color": styles[variant]["color"], "dash": styles[variant]["dash"], "width": 2.5},
                name=variant,
                meta=variant,
                showlegend=False,
                hovertemplate=hover,
            )
            for variant in drawn
        ]
        low, high = ranges[kind]
        pixels = PANEL_HEIGHT * len(panels) * (top - max(bottom, 0)) / (high - low)
        ends = {variant: lines[variant][1][-1] for variant in drawn}
        for variant, shift in _separate_labels(ends, pixels).items():
            where: dict[str, Any] = {
                "xref": "paper",
                "x": 1,
                "xanchor": "left",
                "yref": f"y{number}",
                "y": ends[variant],
            }
            where |= {"yshift": round(shift, 1), "showarrow": False}
            style = styles[variant]
            glyph = {"text": GLYPHS[style["symbol"]], "font": {"color": style["color"], "size": 12}}
            labels.append(where | glyph)
            labels.append(
                where | {"text": _shorten_name(variant), "xshift": 14, "font": {"color": GREY, "size": 12}}
            )
    figure = make_figure(
        traces,
        height=60 + PANEL_HEIGHT * len(panels),
        hovermode="x unified",
        annotations=[*labels, *annotations],
        shapes=list(shapes),
        **axes,
    )
    return figure.update_layout(margin={"r": 26 + round(6.5 * max(map(len, names)))})


def _separate_labels(ends: Mapping[str, float], pixels: float) -> dict[str, float]:
    """Compute by how many pixels each name at a line's end moves up, so that names do not overlap."""
    wanted = {variant: end * pixels for variant, end in ends.items()}
    order = sorted(wanted, key=lambda variant: -wanted[variant])
    positions = dict(wanted)
    for _ in range(200):
        for above, below in pairwise(order):
            if (overlap := LABEL_HEIGHT - (positions[above] - positions[below])) > 0:
                positions[above] += overlap / 2
                positions[below] -= overlap / 2
    return {variant: positions[variant] - wanted[variant] for variant in ends}


def _shorten_name(variant: str) -> str:
    return shorten(variant, 18)
