"""The plots of how the variants learnt: a value after each epoch, and each line's name at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import pandas as pd
from plotly import graph_objects as go

from from_scratch.pipelines.reporting.bundles import Results
from from_scratch.pipelines.reporting.nodes import compare
from from_scratch.pipelines.reporting.plots import GLYPHS, GREY, draw_nothing, make_figure
from from_scratch.pipelines.reporting.sentences import name_baseline
from from_scratch.schema.validation import shorten
from kedro_ledger.looks import look_of

PANEL = 240
"""How high a panel is, in pixels."""
LABEL = 14
"""How high a name is, and how many pixels are between two of them."""
PLATEAU = 5
"""From so many epochs at the baseline on, a plateau gets a name."""


def plot_losses(results: dict[str, Results]) -> go.Figure:
    """Draw how each variant's loss fell, with a panel for each kind of loss (sections 6.2 to 8)."""
    losses = {variant: result.losses for variant, result in results.items()}
    kind_of = _kinds(results)
    lines = {
        # A loss is that of the coefficients before the step, so after one epoch less.
        variant: ((table["epoch"] - 1).tolist(), table["loss"].astype("float64").round(6).tolist())
        for variant, table in losses.items()
    }
    titles = {kind: f"mean {kind.replace('_', ' ')}" for kind in kind_of.values()}
    tops = {
        kind: 1.05 * max(max(lines[variant][1]) for variant in lines if kind_of[variant] == kind)
        for kind in titles
    }
    ranges = {kind: (0.0, top or 1.0) for kind, top in tops.items()}
    return _draw_lines(lines, look_of(results), kind_of, titles, ranges, "%{meta}: %{y:.3f}<extra></extra>")


def plot_epoch_accuracies(epoch_accuracies: pd.DataFrame, results: dict[str, Results]) -> go.Figure:
    """Draw the accuracy on the validation rows after each epoch, in the same panels as the losses.

    A dashed line is at what the baseline reaches; where a variant stays on it for long, that is named.
    """
    if epoch_accuracies.empty:
        return draw_nothing("the coefficients after each epoch were not kept")
    comparison = compare(results)
    baseline = float(comparison["majority_accuracy"].iloc[0])
    kinds = _kinds(results)
    lines = {
        str(variant): (table["epoch"].tolist(), table["valid_accuracy"].round(6).tolist())
        for variant, table in epoch_accuracies.groupby("variant", sort=False)
    }
    kind_of = {variant: kinds[variant] for variant in lines}
    values = [baseline, *epoch_accuracies["valid_accuracy"]]
    span = (min(values) - 0.03, max(values) + 0.03)
    titles = {kind: "validation accuracy" for kind in kind_of.values()}
    look = look_of(results)
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
            place = {"x": start + (length - 1) / 2, "y": baseline, "xref": f"x{axis}", "yref": f"y{axis}"}
            # The names of plots are cut where they are too long for a label: the glyph has room.
            words = f"{GLYPHS[look[variant]['symbol']]} flat for {length} epochs"
            pointer = {"ax": 0, "ay": 24, "arrowcolor": GREY, "font": {"size": 12}}
            extra["annotations"].append({"text": words, **place, **pointer})
    spans = dict.fromkeys(titles, span)
    return _draw_lines(lines, look, kind_of, titles, spans, "%{meta}: %{y:.4f}<extra></extra>", **extra)


def _find_plateau(
    lines: Mapping[str, tuple[list[int], list[float]]], baseline: float
) -> tuple[str, int, int] | None:
    """Find the variant that stays at the baseline for most epochs before it leaves it.

    Returns:
        Its name, the epoch that it comes there, and for how many epochs it stays; None if none does for long.
    """
    plateaus: list[tuple[int, int, str]] = []
    for variant, (_, values) in lines.items():
        start = 0
        for is_there, run in groupby(abs(value - baseline) < 1e-6 for value in values):
            length = len(list(run))
            if is_there and length >= PLATEAU and start + length < len(values):
                plateaus.append((length, start, variant))
            start += length
    if not plateaus:
        return None
    length, start, variant = max(plateaus, key=lambda plateau: plateau[0])
    return variant, start, length


def _kinds(results: Mapping[str, Results]) -> dict[str, str]:
    return {variant: result.variant.loss for variant, result in results.items()}


def _draw_lines(
    lines: Mapping[str, tuple[list[int], list[float]]],
    look: Mapping[str, Mapping[str, str]],
    kind_of: Mapping[str, str],
    titles: Mapping[str, str],
    ranges: Mapping[str, tuple[float, float]],
    hover: str,
    annotations: Sequence[dict[str, Any]] = (),
    shapes: Sequence[dict[str, Any]] = (),
) -> go.Figure:
    """Draw a line for each variant, with a panel for each kind, one below the other."""
    panels = list(dict.fromkeys(kind_of.values()))
    share = 1 / len(panels)
    names = [_cut(variant) for variant in lines]
    traces: list[go.Scatter] = []
    axes: dict[str, Any] = {}
    labels: list[dict[str, Any]] = []
    for place, kind in enumerate(panels):
        number = "" if place == 0 else str(place + 1)
        top = 1 - place * share
        bottom = top - share * (1 if place == len(panels) - 1 else 0.85)
        last = max(lines[variant][0][-1] for variant in lines if kind_of[variant] == kind)
        axes[f"xaxis{number}"] = {"range": [0, 1.03 * max(last, 1)], "anchor": f"y{number}"}
        is_last = place == len(panels) - 1
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
                line={"color": look[variant]["color"], "dash": look[variant]["dash"], "width": 2.5},
                name=variant,
                meta=variant,
                showlegend=False,
                hovertemplate=hover,
            )
            for variant in drawn
        ]
        low, high = ranges[kind]
        pixels = PANEL * len(panels) * (top - max(bottom, 0)) / (high - low)
        ends = {variant: lines[variant][1][-1] for variant in drawn}
        for variant, shift in _spread(ends, pixels).items():
            where: dict[str, Any] = {
                "xref": "paper",
                "x": 1,
                "xanchor": "left",
                "yref": f"y{number}",
                "y": ends[variant],
            }
            where |= {"yshift": round(shift, 1), "showarrow": False}
            drawn_as = look[variant]
            glyph = {"text": GLYPHS[drawn_as["symbol"]], "font": {"color": drawn_as["color"], "size": 12}}
            labels.append(where | glyph)
            labels.append(where | {"text": _cut(variant), "xshift": 14, "font": {"color": GREY, "size": 12}})
    figure = make_figure(
        traces,
        height=60 + PANEL * len(panels),
        hovermode="x unified",
        annotations=[*labels, *annotations],
        shapes=list(shapes),
        **axes,
    )
    return figure.update_layout(margin={"r": 26 + round(6.5 * max(map(len, names)))})


def _spread(ends: Mapping[str, float], pixels: float) -> dict[str, float]:
    """Find by how many pixels up the names at the ends of lines must move so that none covers another."""
    wanted = {variant: end * pixels for variant, end in ends.items()}
    order = sorted(wanted, key=lambda variant: -wanted[variant])
    places = dict(wanted)
    for _ in range(200):
        for above, below in pairwise(order):
            if (lacking := LABEL - (places[above] - places[below])) > 0:
                places[above] += lacking / 2
                places[below] -= lacking / 2
    return {variant: places[variant] - wanted[variant] for variant in ends}


def _cut(variant: str) -> str:
    return shorten(variant, 18)
