"""Small SVG drawings for the page. They need no script, and scale to phones and paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from markupsafe import Markup
from torch import Tensor

BINS = 10
"""Number of bins of scores, from 0 to 1, in a calibration drawing."""
CELL_SIZE = 12
MAX_CELLS = 2000
"""Maximum number of weights in a first layer that is drawn."""
CERTAIN_MARGIN = 0.1
"""Distance from 0 or 1 below which a score counts as certain."""


def draw_sparkline(values: Sequence[float], color: str) -> Markup:
    """Draw a line of values, from 0 to their maximum."""
    top = max(*values, 0.0) or 1.0
    width = max(len(values) - 1, 1)
    points = " ".join(f"{100 * i / width:.1f},{28 - 26 * value / top:.1f}" for i, value in enumerate(values))
    return Markup(
        '<svg class="spark" viewBox="0 0 100 30" preserveAspectRatio="none" aria-hidden="true">'
        '<polyline points="{}" fill="none" stroke="{}" stroke-width="2" vector-effect="non-scaling-stroke"/>'
        "</svg>"
    ).format(points, color)


def draw_calibration(scores: Tensor, truth: Tensor, color: str, label: str, min_rows: int = 1) -> Markup:
    """Draw the share of positive rows against the scores [rows].

    Each bin of scores is a disc at its mean score, whose area grows with its number of rows. If scores are
    probabilities, the discs lie on the diagonal. Bins with fewer than `min_rows` rows are left out.
    """
    kept = scores.double().clamp(0, 1)
    bins = (kept * BINS).long().clamp(max=BINS - 1)
    rows = bins.bincount(minlength=BINS)
    means = bins.bincount(kept, minlength=BINS) / rows
    shares = bins.bincount(truth.double(), minlength=BINS) / rows
    discs = [
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:.1f}" fill="{}" fill-opacity="0.75"/>').format(
            10 + 80 * mean, 90 - 80 * share, 2 + 9 * (count / len(scores)) ** 0.5, color
        )
        for mean, share, count in zip(means.tolist(), shares.tolist(), rows.tolist(), strict=True)
        if count >= min_rows
    ]
    return Markup(
        '<svg class="calibration" viewBox="0 0 100 100" role="img" aria-label="{}">'
        '<rect x="10" y="10" width="80" height="80" class="frame"/><path d="M10 90 L90 10" class="diagonal"/>'
        '<text x="10" y="99">0</text><text x="86" y="99">1</text>'
        '<text x="3" y="90">0</text><text x="3" y="17">1</text>'
        "{}</svg>"
    ).format(label, Markup("").join(discs))


@dataclass(frozen=True)
class Certainty:
    """Counts of wrong answers, and of wrong answers with a score near 0 or 1."""

    rows: int
    wrong: int
    certain_and_wrong: int


def count_errors(scores: Tensor, truth: Tensor, threshold: float) -> Certainty:
    """Count the wrong answers, and those with scores [rows] below 0.1 or above 0.9."""
    certain = (scores < CERTAIN_MARGIN) | (scores > 1 - CERTAIN_MARGIN)
    wrong = (scores > threshold) != truth.bool()
    return Certainty(len(scores), int(wrong.sum()), int((certain & wrong).sum()))


def find_dead_units(weights: Tensor, constants: Tensor, x: Tensor) -> list[bool]:
    """Return whether each hidden unit is 0 for every row.

    Args:
        weights: The weights of the first layer [features, units].
        constants: Its constants, [units] or [].
        x: The features [rows, features].
    """
    dead = torch.ones(weights.shape[1], dtype=torch.bool)
    for rows in torch.split(x, 2**14):
        dead &= (rows @ weights + constants <= 0).all(dim=0)
    return dead.tolist()


def draw_units(weights: Tensor, dead: Sequence[bool], features: Sequence[str], label: str) -> Markup:
    """Draw the weights [features, units] of a hidden layer: a column for each unit, grey if it is dead."""
    scale = float(weights.abs().max()) or 1.0
    rows, units = weights.shape
    cells = []
    for unit in range(units):
        for row in range(rows):
            share = float(weights[row, unit]) / scale
            kind = "dead" if dead[unit] else "no" if share < 0 else "yes"
            opacity = 1 if dead[unit] else abs(share)
            cells.append(
                Markup(
                    '<rect x="{}" y="{}" width="{}" height="{}" class="{}" fill-opacity="{:.2f}"/>'
                ).format(100 + CELL_SIZE * unit, CELL_SIZE * row, CELL_SIZE - 1, CELL_SIZE - 1, kind, opacity)
            )
    labels = [
        Markup('<text x="96" y="{:.0f}">{}</text>').format(CELL_SIZE * (row + 0.75), name[:18])
        for row, name in enumerate(features)
    ]
    width = 100 + CELL_SIZE * units
    return Markup(
        '<svg class="units" viewBox="0 0 {} {}" style="width:{}px" role="img" aria-label="{}">{}</svg>'
    ).format(width, CELL_SIZE * rows, width, label, Markup("").join([*labels, *cells]))
