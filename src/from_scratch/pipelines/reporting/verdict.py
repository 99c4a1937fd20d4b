"""The report's verdict on one run: a few sentences, computed from the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from from_scratch.pipelines.reporting.sentences import (
    describe_same_answers,
    describe_uncertainty,
    find_best,
    find_yardstick,
    with_indefinite_article,
)
from from_scratch.schema.parameters import Variant
from from_scratch.scoring import Yardstick

SIGNIFICANCE = 0.05
"""p-value above which a difference may be chance."""


def describe_verdict(
    comparison: pd.DataFrame, disagreements: pd.DataFrame, variants: Mapping[str, Variant]
) -> list[str]:
    """Describe which variants give the same answers, what depth gained, and how uncertain the results are.

    Args:
        comparison: A row for each variant.
        disagreements: A row for each pair of variants.
        variants: The parameters of each variant.
    """
    rows = int(comparison["valid_rows"].iloc[0])
    yardstick = find_yardstick(comparison)
    same = [describe_same_answers(names, rows) for names in _find_same_answers(disagreements)]
    values = comparison.set_index("variant")[yardstick.metric]
    depth = _describe_depth(values, yardstick, disagreements, variants, comparison)
    return [*same, *depth, describe_uncertainty(comparison)]


def _find_same_answers(disagreements: pd.DataFrame) -> list[list[str]]:
    """Return the sets of variants that give the same answer for every validation row."""
    sets: list[list[str]] = []
    for pair in disagreements[disagreements["disagreements"] == 0].to_dict("records"):
        found = next((names for names in sets if pair["variant"] in names), None)
        if found is None:
            sets.append([pair["variant"], pair["other"]])
        elif pair["other"] not in found:
            found.append(pair["other"])
    return sets


def _describe_depth(
    values: pd.Series,
    yardstick: Yardstick,
    disagreements: pd.DataFrame,
    variants: Mapping[str, Variant],
    comparison: pd.DataFrame,
) -> list[str]:
    """Compare the best variant with hidden layers with the best one without, if there are both."""
    deep, shallow = find_best(values, variants)
    if deep is None or shallow is None:
        return []
    # The difference of the printed values: the eighth digit of a ROC AUC gains nothing.
    gained = round(float(values[deep]), 4) - round(float(values[shallow]), 4)
    best_deep, best_shallow = (
        f"the best net with hidden layers ({deep})",
        f"the best model without ({shallow})",
    )
    an = with_indefinite_article(yardstick)
    if gained == 0:
        equal = f"{best_deep} and {best_shallow} both have {an} of {values[deep]:.4f}"
        return [f"Depth made no difference here: {equal}."]
    both = f"{best_deep} has {an} of {values[deep]:.4f}, {best_shallow} {values[shallow]:.4f}"
    if gained < 0:
        return [f"Depth did not help here: {both}."]
    if yardstick.metric == "valid_accuracy":
        pair = _find_pair(disagreements, deep, shallow)
        may_be_chance = pair["chance"] > SIGNIFICANCE
        count = pair["disagreements"]
        reason = f"they disagree on {count:,} row{'s' if count > 1 else ''}"
    else:
        ends = comparison.set_index("variant")
        low, high = ends["valid_roc_auc_low"][deep], ends["valid_roc_auc_high"][shallow]
        may_be_chance = bool(low <= high)
        reason = f"their 95 % intervals {'overlap' if may_be_chance else 'do not overlap'}"
    if may_be_chance:
        return [f"Depth gained no more than chance could explain: {both}; {reason}."]
    return [f"Depth gained {100 * gained:.1f} points here: {both}; {reason}."]


def _find_pair(disagreements: pd.DataFrame, variant: str, other: str) -> dict[Any, Any]:
    pairs: list[dict[Any, Any]] = disagreements.to_dict("records")
    return next(pair for pair in pairs if {pair["variant"], pair["other"]} == {variant, other})
