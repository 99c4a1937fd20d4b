"""The report's verdict: what came out, in a few sentences that are made of the numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from from_scratch.pipelines.reporting.sentences import (
    describe_reach,
    find_best,
    find_yardstick,
    join,
    with_article,
)
from from_scratch.schema.parameters import Variant
from from_scratch.scoring import Yardstick

LIKELY = 0.05
"""What chance does more often than this is no finding."""


def describe_verdict(
    comparison: pd.DataFrame, disagreements: pd.DataFrame, variants: Mapping[str, Variant]
) -> list[str]:
    """Say which variants give the same answers, whether depth gained anything, and how sure that is.

    Args:
        comparison: A row for each variant.
        disagreements: A row for each two variants.
        variants: Their parameters.
    """
    rows = int(comparison["valid_rows"].iloc[0])
    yardstick = find_yardstick(comparison)
    same = [
        f"{join(names)} give the same {rows:,} answer{'s' if rows > 1 else ''}."
        for names in _find_same(disagreements)
    ]
    values = comparison.set_index("variant")[yardstick.metric]
    depth = _describe_depth(values, yardstick, disagreements, variants, comparison)
    return [*same, *depth, describe_reach(comparison)]


def _find_same(disagreements: pd.DataFrame) -> list[list[str]]:
    """Find the sets of variants that answer every validation row alike."""
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
    """Compare the best variant with hidden layers with the best that has none; nothing if one kind lacks."""
    deep, shallow = find_best(values, variants)
    if deep is None or shallow is None:
        return []
    # As they are printed: the eighth digit of a ROC AUC gains nothing.
    gained = round(float(values[deep]), 4) - round(float(values[shallow]), 4)
    reached = f"the best net with hidden layers, {deep}, has {with_article(yardstick)} of {values[deep]:.4f}"
    if gained == 0:
        return [f"Depth gained nothing here: {reached}, and so has {shallow}, which has none."]
    both = f"{reached}, and {shallow}, which has none, {values[shallow]:.4f}"
    if gained < 0:
        return [f"Depth gained nothing here: {both}."]
    if yardstick.metric == "valid_accuracy":
        pair = _find_pair(disagreements, deep, shallow)
        is_chance = pair["chance"] > LIKELY
        why = f"they differ in {pair['disagreements']:,} answers"
    else:
        ends = comparison.set_index("variant")
        low, high = ends["valid_roc_auc_low"][deep], ends["valid_roc_auc_high"][shallow]
        is_chance = bool(low <= high)
        why = f"their 95 % intervals {'overlap' if is_chance else 'do not overlap'}"
    if is_chance:
        return [f"Depth gained nothing that chance can't explain: {both}; {why}."]
    return [f"Depth gained {100 * gained:.1f} points here: {both}; {why}."]


def _find_pair(disagreements: pd.DataFrame, variant: str, other: str) -> dict[Any, Any]:
    pairs: list[dict[Any, Any]] = disagreements.to_dict("records")
    return next(pair for pair in pairs if {pair["variant"], pair["other"]} == {variant, other})
