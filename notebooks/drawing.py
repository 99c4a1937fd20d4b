"""The notebook's displays: source code of the package, and pictures.

Pictures are PNG, grey on a transparent background, so that they are readable in light and dark mode and
without scripts.
"""

from __future__ import annotations

import ast
import difflib
import inspect
from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import matplotlib
import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from torch import Tensor

from from_scratch.pipelines.reporting.plots import GREY
from kedro_ledger.styles import COLOURS, assign_styles

DASHES = {
    "dash": "--",
    "dot": ":",
    "dashdot": "-.",
    "longdash": (0, (9, 3)),
    "longdashdot": (0, (9, 3, 2, 3)),
}
"""Matplotlib's dashes by plotly's names, which the report uses."""
MARKERS = {"circle": "o", "square": "s", "diamond": "D", "cross": "P", "triangle-up": "^", "star": "*"}
WIDTH = 7.2
"""Width of a picture, in inches."""
DISPLAY_DPI, FILE_DPI = 100, 200
"""Pixels per inch on the page, and in the file for high-resolution screens."""

matplotlib.rcParams.update(
    {
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "axes.edgecolor": GREY,
        "axes.labelcolor": GREY,
        "axes.titlesize": "medium",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "text.color": GREY,
        "xtick.color": GREY,
        "ytick.color": GREY,
        "legend.frameon": False,
        "lines.linewidth": 2,
    }
)


@dataclass
class Shown:
    """The output of a cell by media type, with plain text as a fallback."""

    data: dict[str, str]
    metadata: dict[str, Any] = field(default_factory=dict)

    def _repr_mimebundle_(
        self, include: Any = None, exclude: Any = None
    ) -> tuple[dict[str, str], dict[str, Any]]:
        return self.data, self.metadata


# --- Code


def show_source(*functions: Callable[..., Any]) -> Shown:
    """Show the source of functions of the package."""
    return _show_code(python="\n\n".join(map(inspect.getsource, functions)))


def show_model(predict: Callable[..., Any], before: Callable[..., Any]) -> Shown:
    """Show the source of a model, and below it how its body differs from that of the model before."""
    diff = difflib.unified_diff(_find_body(before), _find_body(predict), n=99, lineterm="")
    lines = [*diff][3:]  # without the head
    return _show_code(python=inspect.getsource(predict), diff="\n".join(lines) + "\n")


def _show_code(**codes: str) -> Shown:
    """Show code in several languages."""
    blocks = [f"```{language}\n{code}```\n" for language, code in codes.items()]
    return Shown({"text/markdown": "\n".join(blocks), "text/plain": "\n".join(codes.values())})


def _find_body(function: Callable[..., Any]) -> list[str]:
    """Return the lines below a function's docstring."""
    source = inspect.getsource(function)
    (definition,) = ast.parse(source).body
    assert isinstance(definition, ast.FunctionDef)
    return source.splitlines()[definition.body[0].end_lineno :]


# --- Pictures


def draw_histograms(columns: Mapping[str, pd.Series]) -> Shown:
    """Draw a histogram of each column."""
    figure, panels = _make_panels(len(columns), height=2.4)
    for panel, (name, values) in zip(panels, columns.items(), strict=True):
        panel.hist(values, bins=40, color=COLOURS[0])
        panel.set_xlabel(name)
    panels[0].set_ylabel("passengers")
    return _finish(figure, f"histograms of {', '.join(columns)}")


def draw_steps(
    loss_at: Callable[[float], float], start: float, gradient: float, rates: Sequence[float]
) -> Shown:
    """Draw the loss along one coefficient, its tangent, and a step at each learning rate.

    Args:
        loss_at: Returns the loss for a value of the coefficient.
        start: The coefficient before the step.
        gradient: The gradient of the loss there.
        rates: The learning rates, with a panel for each.
    """
    figure, panels = _make_panels(len(rates), height=3)
    before = loss_at(start)
    for panel, rate in zip(panels, rates, strict=True):
        end = start - rate * gradient
        after, reach = loss_at(end), 0.6 * abs(end - start)
        places = torch.linspace(min(start, end) - reach, max(start, end) + reach, 201).tolist()
        losses = [loss_at(place) for place in places]
        tangent = [before + gradient * (place - start) for place in places]
        panel.plot(places, losses, color=COLOURS[0], label="loss")
        panel.plot(places, tangent, color=GREY, linewidth=1, linestyle="--", label="tangent")
        panel.plot([start], [before], "o", color=GREY, label="before the step")
        panel.plot([end], [after], "o", color=COLOURS[4], label="after it")
        arrow = {
            "arrowstyle": "->",
            "connectionstyle": "arc3,rad=-0.3",
            "color": COLOURS[4],
            "linewidth": 1.5,
        }
        panel.annotate("", (end, after), (start, before), arrowprops=arrow)
        lowest, highest = min(losses), max(losses)
        panel.set_ylim(lowest - 0.15 * (highest - lowest), highest + 0.1 * (highest - lowest))
        panel.set_title(f"rate {rate:g}: {before:.3f} → {after:.3f}")
        panel.set_xlabel("coefficient")
        panel.locator_params(axis="x", nbins=3)
        panel.locator_params(axis="y", nbins=5)
    panels[0].set_ylabel("loss")
    _add_legend(figure, panels[0])
    return _finish(figure, f"a step at the learning rates {', '.join(f'{rate:g}' for rate in rates)}")


def draw_losses(
    losses: Mapping[str, Sequence[float]], variants: Iterable[str], baseline: float | None = None
) -> Shown:
    """Draw losses over the epochs.

    Args:
        losses: The loss of each epoch, by variant.
        variants: All variants in the order of the parameters, which determines their colours as in the
            report.
        baseline: The loss of always giving one answer.
    """
    figure, (panel,) = _make_panels(1, height=3.2)
    styles = assign_styles(variants)
    for variant, curve in losses.items():
        dash: Any = DASHES.get(styles[variant]["dash"], "-")
        panel.plot(
            range(1, len(curve) + 1), curve, color=styles[variant]["color"], linestyle=dash, label=variant
        )
    _frame_losses(panel, baseline)
    _add_legend(figure, panel)
    return _finish(figure, f"the losses of {', '.join(losses)} by epoch")


def draw_seeds(losses: Mapping[str, Sequence[Sequence[float]]], baseline: float) -> Shown:
    """Draw the losses from each seed, in blue if they end clearly below the baseline.

    Args:
        losses: The losses of each seed, [seeds][epochs], by the title of their panel.
        baseline: The loss of always giving one answer.
    """
    figure, panels = _make_panels(len(losses), height=3.2, sharey=True)
    for panel, (title, seeds) in zip(panels, losses.items(), strict=True):
        learnt = [curve[-1] < 0.95 * baseline for curve in seeds]
        for curve, learns in zip(seeds, learnt, strict=True):
            panel.plot(
                range(1, len(curve) + 1), curve, linewidth=1.5, color=COLOURS[0] if learns else COLOURS[4]
            )
        _frame_losses(panel, baseline)
        panel.set_title(f"{title}: {sum(learnt)} of {len(seeds)} learn")
        panel.label_outer()
    panels[0].legend(loc="lower left")
    return _finish(figure, f"the losses from each seed: {', '.join(losses)}")


def draw_moves(coefficients: Tensor, features: Sequence[str]) -> Shown:
    """Draw coefficients [epochs, features]: a panel for each categorical column, and one for the numbers."""
    figure = Figure(figsize=(WIDTH, 5), layout="constrained")
    groups: dict[str, list[int]] = {}
    for place, feature in enumerate(features):
        word, _, category = feature.rpartition("_")
        groups.setdefault(word if category else "", []).append(place)
    panels = figure.subplots(-(-len(groups) // 2), 2, sharex=True, sharey=True, squeeze=False).flatten()
    for panel, places in zip(panels, groups.values(), strict=False):
        for colour, place in zip(COLOURS, places, strict=False):
            panel.plot(coefficients[:, place].tolist(), color=colour, label=features[place])
        panel.axhline(0, color=GREY, linewidth=0.5)
        panel.legend(loc="upper left", ncols=2, fontsize="small")
    for panel in panels[-2:]:
        panel.set_xlabel("steps")
    panels[0].margins(y=0.3)
    return _finish(figure, "how the coefficients of " + ", ".join(features) + " moved")


def draw_coefficients(
    coefficients: Mapping[str, Tensor], features: Sequence[str], variants: Iterable[str]
) -> Shown:
    """Draw the coefficients [features] or [features, 1] of each variant as bars."""
    figure, panels = _make_panels(len(coefficients), height=0.25 * len(features) + 0.8, sharey=True)
    styles = assign_styles(variants)
    for panel, (variant, weights) in zip(panels, coefficients.items(), strict=True):
        panel.barh(list(features), weights.flatten().tolist(), color=styles[variant]["color"])
        panel.axvline(0, color=GREY, linewidth=1)
        panel.set_title(variant)
        panel.set_xlabel("no ← → yes")
    panels[0].invert_yaxis()
    return _finish(figure, f"the coefficients of {', '.join(coefficients)}")


def draw_units(weights: Tensor, output: Tensor, features: Sequence[str]) -> Shown:
    """Draw the weights [features, units] of hidden units, sorted by `output`, their weights in the sum."""
    figure, (panel,) = _make_panels(1, height=0.25 * len(features) + 1)
    order = output.flatten().argsort()
    reach = float(weights.abs().max())
    colours = LinearSegmentedColormap.from_list("signs", [COLOURS[0], f"{GREY}00", COLOURS[4]])
    drawn = panel.imshow(weights[:, order].tolist(), cmap=colours, vmin=-reach, vmax=reach, aspect="auto")
    panel.set_yticks(range(len(features)), list(features))
    panel.set_xticks([])
    panel.set_xlabel("no ← hidden units → yes")
    figure.colorbar(drawn, label="weight")
    return _finish(figure, "the weights of each hidden unit")


def draw_function(function: Callable[[Tensor], Tensor], label: str) -> Shown:
    """Draw a function from -8 to 8."""
    figure, (panel,) = _make_panels(1, height=2.2)
    numbers = torch.linspace(-8, 8, 161)
    panel.plot(numbers.tolist(), function(numbers).tolist(), color=COLOURS[0])
    panel.set_xlabel("sum")
    panel.set_ylabel(label)
    return _finish(figure, f"{label} of the numbers from -8 to 8")


def draw_accuracies(comparison: pd.DataFrame, variants: Iterable[str]) -> Shown:
    """Draw each variant's accuracy with its 95 % interval, and the baseline."""
    figure, (panel,) = _make_panels(1, height=0.4 * len(comparison) + 1)
    styles = assign_styles(variants)
    for row in comparison.to_dict("records"):
        style, accuracy = styles[row["variant"]], row["valid_accuracy"]
        ends = [[accuracy - row["valid_accuracy_low"]], [row["valid_accuracy_high"] - accuracy]]
        marker = MARKERS[style["symbol"]]
        panel.errorbar(
            [accuracy], [row["variant"]], xerr=ends, color=style["color"], marker=marker, markersize=8
        )
    panel.axvline(comparison["majority_accuracy"].iloc[0], color=GREY, linestyle="--", label="baseline")
    panel.invert_yaxis()
    panel.set_xlabel("accuracy on the validation rows")
    _add_legend(figure, panel)
    return _finish(figure, "the accuracy of each variant, and its 95 % interval")


def _make_panels(number: int, height: float, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """Make a figure with panels side by side."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, list(figure.subplots(1, number, sharey=sharey, squeeze=False).flatten())


def _frame_losses(panel: Axes, baseline: float | None) -> None:
    if baseline is not None:
        panel.axhline(baseline, color=GREY, linestyle=":", label="baseline")
    panel.set_ylim(bottom=0)
    panel.locator_params(axis="x", integer=True)
    panel.set_xlabel("epoch")
    panel.set_ylabel("loss before the step")


def _add_legend(figure: Figure, panel: Axes) -> None:
    figure.legend(*panel.get_legend_handles_labels(), loc="outside upper left", ncols=4)


def _finish(figure: Figure, text: str) -> Shown:
    """Render a figure as a picture with an alternative text."""
    file = BytesIO()
    figure.savefig(file, format="png", dpi=FILE_DPI)
    data = {"image/png": b64encode(file.getvalue()).decode(), "text/plain": text}
    return Shown(data, {"image/png": {"width": round(WIDTH * DISPLAY_DPI), "alt": text}})
