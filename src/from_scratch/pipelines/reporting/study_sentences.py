"""Sentences about the study; `summary` is the table that `summarise` returns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pandas as pd

from from_scratch.pipelines.reporting.sentences import find_best, format_percent, format_points, join
from from_scratch.pipelines.stability.summary import summarise
from from_scratch.schema.parameters import Stability, Variant

DEEP = "deep"
"""The model that the report asks about: is deep learning any better here?"""


def describe_study(summary: pd.DataFrame, runs: pd.DataFrame, variants: Mapping[str, Variant]) -> list[str]:
    """Describe what the study shows.

    Args:
        summary: A row for each variant.
        runs: A row for each run.
        variants: The parameters of each variant.

    Returns:
        What depth gains; which single change makes a net train, if there is one; which variants are better
        than the reference, unless depth is the only comparison; and how often the deep nets train,
        or each variant if there is no deep net.
    """
    depth = describe_depth(summary, runs, variants)
    is_only_comparison = bool(depth) and len(_list_others(summary)) == 1
    return [
        *depth,
        *describe_changes(summary, variants),
        *([] if is_only_comparison else [_compare_with_reference(summary)]),
        describe_training(summary),
    ]


def describe_depth(summary: pd.DataFrame, runs: pd.DataFrame, variants: Mapping[str, Variant]) -> list[str]:
    """Compare the best variant with hidden layers with the best that has none, by pairs of their runs.

    Returns:
        One sentence or two; an empty list unless there are variants of both kinds.
    """
    means = summary.set_index("variant")["mean"]
    deep, shallow = find_best(means, variants)
    if deep is None or shallow is None:
        return []
    of_two = summarise(runs[runs["variant"].isin([deep, shallow])], Stability(reference=shallow))
    row: dict[Any, Any] = of_two[of_two["variant"] == deep].to_dict("records")[0]
    verdict = _judge(row)
    judged = f"is {verdict} than" if verdict else "does not differ measurably from"
    gained = "Depth does not help here" if verdict == "worse" else "Depth brings no measurable gain here"
    gained = f"Depth gains {100 * row['difference']:.1f} points here" if verdict == "better" else gained
    mean, low, high = (
        format_points(row[name]) for name in ("difference", "difference_low", "difference_high")
    )
    return [
        f"{gained}. Over {row['seeds']:,} seeds and {row['splits']:,} splits, the best net with hidden "
        f"layers ({deep}) {judged} the best model without ({shallow}): {mean} points of accuracy on average "
        f"(95 % interval {low} to {high})."
    ]


def describe_luck(summary: pd.DataFrame, comparison: pd.DataFrame) -> list[str]:
    """Name the variants that trained in this run, although most of their runs in the study do not train."""
    accuracies = comparison.set_index("variant")["valid_accuracy"]
    baseline = float(comparison["majority_accuracy"].iloc[0])
    return [
        f"The accuracy of {row['variant']} in this run, {accuracies[row['variant']]:.4f}, is luck: from most "
        "seeds it does not train."
        for row in summary.to_dict("records")
        if row["at_majority"] > 0.5 and accuracies.get(row["variant"], 0) > baseline
    ]


def describe_changes(summary: pd.DataFrame, variants: Mapping[str, Variant]) -> Iterator[str]:
    """Describe each change of a single parameter that takes a net from rarely training to nearly always."""
    described: set[str] = set()
    for before, after in product(summary.to_dict("records"), repeat=2):
        is_sure = before["at_majority_low"] > after["at_majority_high"]
        if not is_sure or before["at_majority"] < 0.5 or after["at_majority"] > 0.05:
            continue
        old, new = (variants[row["variant"]].model_dump(exclude={"seed"}) for row in (before, after))
        changed = [name for name in old if old[name] != new[name]]
        # Another model or more epochs do not change how a net is trained.
        if len(changed) == 1 and (name := changed[0]) not in ("model", "hidden", "epochs", *described):
            described.add(name)
            without, with_it = (format_percent(1 - row["at_majority"]) for row in (before, after))
            yield (
                f"A single change, {name}: {new[name]}, makes {before['variant']} train. With it (variant "
                f"{after['variant']}), {with_it} of the runs end above the baseline; without it, {without}."
            )


def _compare_with_reference(summary: pd.DataFrame) -> str:
    subjects = _list_others(summary)
    if not subjects:
        return f"Only {summary['variant'].iloc[0]} was trained, so there is nothing to compare it with."
    first = subjects[0]
    runs = f"{first['seeds']:,} seeds and {first['splits']:,} splits"
    if len(subjects) > 1:
        compared = (
            f"Compared with {_name_reference(first)} over {runs}, in points of accuracy (95 % interval)"
        )
        return f"{compared}: {_compare_all(subjects)}."
    if first["model"] == DEEP and (verdict := _judge(first)):
        return f"{'Yes' if verdict == 'better' else 'No'}: over {runs}, {_compare(first)}."
    return f"Over {runs}, {_compare(first)}."


def describe_training(summary: pd.DataFrame) -> str:
    """Describe how often the deep nets train, or each variant if there is no deep net."""
    subjects = _find_subjects(summary) or summary.to_dict("records")
    if len(subjects) == 1:
        sentence = _describe_trained(subjects[0])
    else:
        first, *others = (f"in {_format_trained(row)}" for row in subjects)
        names = [row["variant"] for row in subjects]
        shares = [f"{names[0]} trains {first}", *map(" ".join, zip(names[1:], others, strict=True))]
        sentence = f"Of {subjects[0]['runs']:,} runs each, {join(shares)}."
    if all(row["at_majority"] == 0 for row in subjects):
        return sentence
    return f"{sentence} Runs that do not train are no better than the baseline."


def _list_others(summary: pd.DataFrame) -> list[dict[Any, Any]]:
    return [row for row in summary.to_dict("records") if row["variant"] != row["reference"]]


def _find_subjects(summary: pd.DataFrame) -> list[dict[Any, Any]]:
    others = _list_others(summary)
    return [row for row in others if row["model"] == DEEP] or others


def _judge(row: dict[Any, Any]) -> str | None:
    """Judge by the whole interval of the difference: better, worse, or neither."""
    if row["difference_low"] == row["difference_high"]:
        return None  # all pairs differ by the same amount, so their spread is unknown
    if row["difference_low"] > 0:
        return "better"
    return "worse" if row["difference_high"] < 0 else None


def _compare(row: dict[Any, Any]) -> str:
    variant, reference = row["variant"], _name_reference(row)
    if row["equal"] == 1:
        return f"{variant} is right exactly as often as {reference} in every pair of runs"
    ends = (row["difference"], row["difference_low"], row["difference_high"])
    mean, low, high = map(format_points, ends)
    interval = f"{mean} points of accuracy on average (95 % interval {low} to {high})"
    if verdict := _judge(row):
        return f"{variant} is {verdict} than {reference}: {interval}"
    return f"{variant} does not differ measurably from {reference}: {interval}"


def _compare_all(rows: list[dict[Any, Any]]) -> str:
    """List the variants that are better than the reference, worse, and not measurably different."""
    clauses = []
    for verdict, judged in (("better", "better"), ("worse", "worse"), (None, "not measurably different")):
        names = [
            f"{row['variant']} {format_points(row['difference'])} "
            f"({format_points(row['difference_low'])} to {format_points(row['difference_high'])})"
            for row in rows
            if _judge(row) == verdict
        ]
        if names:
            clauses.append(f"{join(names)} {'is' if len(names) == 1 else 'are'} {judged}")
    return "; ".join(clauses)


def _format_trained(row: dict[Any, Any], of_runs: str = "") -> str:
    """Format the share of its runs in which a variant trained."""
    if row["at_majority"] in (0, 1):
        return ("none" if row["at_majority"] else "all") + of_runs
    low, high = (format_percent(1 - row[f"at_majority_{end}"]) for end in ("high", "low"))
    return f"{format_percent(1 - row['at_majority'])}{of_runs} (95 % interval {low} to {high})"


def _name_reference(row: dict[Any, Any]) -> str:
    return "the baseline" if row["reference"] == "baseline" else str(row["reference"])


def _describe_trained(row: dict[Any, Any]) -> str:
    at_majority, difference = row["at_majority"], row["trained_difference"]
    share = _format_trained(row, f" of its {row['runs']:,} runs")
    sentence = f"{row['variant']} trains in {share}"
    if at_majority in (0, 1) or pd.isna(difference):
        return f"{sentence}."
    sentence += f"; these differ from {_name_reference(row)} by {format_points(difference)} points"
    low, high = row["trained_difference_low"], row["trained_difference_high"]
    return f"{sentence}." if pd.isna(low) else f"{sentence} ({format_points(low)} to {format_points(high)})."
