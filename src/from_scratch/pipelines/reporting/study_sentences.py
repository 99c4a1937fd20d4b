"""What the study says, in plain sentences: `summary` is the table of `summarise`."""

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
    """Say what the study shows.

    Args:
        summary: A row for each variant.
        runs: A row for each run.
        variants: Their parameters.

    Returns:
        What depth gains; which single change makes a net train, if there is one; which variants are better
        than the reference; and how often the deep nets train, or each variant if there is no deep net.
    """
    return [
        *describe_depth(summary, runs, variants),
        *describe_changes(summary, variants),
        _describe_verdict(summary),
        describe_training(summary),
    ]


def describe_depth(summary: pd.DataFrame, runs: pd.DataFrame, variants: Mapping[str, Variant]) -> list[str]:
    """Compare the best variant with hidden layers with the best that has none, by pairs of their runs.

    Returns:
        A sentence, or nothing without variants of both kinds.
    """
    means = summary.set_index("variant")["mean"]
    deep, shallow = find_best(means, variants)
    if deep is None or shallow is None:
        return []
    of_two = summarise(runs[runs["variant"].isin([deep, shallow])], Stability(reference=shallow))
    row: dict[Any, Any] = of_two[of_two["variant"] == deep].to_dict("records")[0]
    verdict = _judge(row)
    judged = f"is {verdict} than" if verdict else "can't be told apart from"
    gained = "nothing" if verdict == "worse" else "nothing that could be measured"
    gained = f"{format_points(row['difference'])} points" if verdict == "better" else gained
    mean, low, high = (
        format_points(row[name]) for name in ("difference", "difference_low", "difference_high")
    )
    return [
        f"Depth gains {gained} here: over {row['seeds']:,} seeds and {row['splits']:,} splits, the best net "
        f"with hidden layers, {deep}, {judged} the best without, {shallow}: {mean} points of accuracy on "
        f"average (95 % interval {low} to {high})."
    ]


def describe_luck(summary: pd.DataFrame, comparison: pd.DataFrame) -> list[str]:
    """Say of which variants the accuracy of this run is luck, since most of their runs don't train."""
    accuracies = comparison.set_index("variant")["valid_accuracy"]
    baseline = float(comparison["majority_accuracy"].iloc[0])
    return [
        f"The {accuracies[row['variant']]:.4f} of {row['variant']} in this run is luck: most seeds do not "
        "train it."
        for row in summary.to_dict("records")
        if row["at_majority"] > 0.5 and accuracies.get(row["variant"], 0) > baseline
    ]


def describe_changes(summary: pd.DataFrame, variants: Mapping[str, Variant]) -> Iterator[str]:
    """Say which single change of parameters takes a net from hardly ever training to nearly always."""
    said: set[str] = set()
    for before, after in product(summary.to_dict("records"), repeat=2):
        is_sure = before["at_majority_low"] > after["at_majority_high"]
        if not is_sure or before["at_majority"] < 0.5 or after["at_majority"] > 0.05:
            continue
        old, new = (variants[row["variant"]].model_dump(exclude={"seed"}) for row in (before, after))
        changed = [name for name in old if old[name] != new[name]]
        # A change is told once, and none of the model itself or of how long it trains.
        if len(changed) == 1 and (name := changed[0]) not in ("model", "hidden", "epochs", *said):
            said.add(name)
            without, with_it = (format_percent(1 - row["at_majority"]) for row in (before, after))
            yield (
                f"One change makes {before['variant']} train, {name} = {new[name]}: with it, {with_it} of "
                f"its runs end above the baseline ({after['variant']}); without it, {without}."
            )


def _describe_verdict(summary: pd.DataFrame) -> str:
    subjects = _list_others(summary)
    if not subjects:
        return f"Only {summary['variant'].iloc[0]} was trained: there is nothing to hold it against."
    first = subjects[0]
    runs = f"{first['seeds']:,} seeds and {first['splits']:,} splits"
    if len(subjects) > 1:
        return f"Over {runs}, in points of accuracy with 95 % intervals, {_compare_all(subjects)}."
    if first["model"] == DEEP and (verdict := _judge(first)):
        return f"{'Yes' if verdict == 'better' else 'No'}: over {runs}, {_compare(first)}."
    return f"Over {runs}, {_compare(first)}."


def describe_training(summary: pd.DataFrame) -> str:
    """Say how often the deep nets train, or each variant if there is no deep net."""
    subjects = _find_subjects(summary) or summary.to_dict("records")
    if len(subjects) == 1:
        said = _count_trained(subjects[0])
    else:
        shares = [f"{row['variant']} in {_format_trained(row)}" for row in subjects]
        said = f"Of {subjects[0]['runs']:,} runs each, these trained: {', '.join(shares)}"
    if all(row["at_majority"] == 0 for row in subjects):
        return f"{said}."
    return (
        f"{said}; runs that don't train do no better than always giving the answer that is more frequent "
        "in training."
    )


def _list_others(summary: pd.DataFrame) -> list[dict[Any, Any]]:
    return [row for row in summary.to_dict("records") if row["variant"] != row["reference"]]


def _find_subjects(summary: pd.DataFrame) -> list[dict[Any, Any]]:
    others = _list_others(summary)
    return [row for row in others if row["model"] == DEEP] or others


def _judge(row: dict[Any, Any]) -> str | None:
    """Judge by the whole interval of the difference: better, worse, or neither."""
    if row["difference_low"] == row["difference_high"]:
        return None  # all pairs are alike, so nothing shows how another would differ
    if row["difference_low"] > 0:
        return "better"
    return "worse" if row["difference_high"] < 0 else None


def _compare(row: dict[Any, Any]) -> str:
    variant, reference = row["variant"], _name_reference(row)
    if row["equal"] == 1:
        return f"{variant} is as often right as {reference} in every pair of runs"
    ends = (row["difference"], row["difference_low"], row["difference_high"])
    mean, low, high = map(format_points, ends)
    interval = f"{mean} points of accuracy on average (95 % interval {low} to {high})"
    if verdict := _judge(row):
        return f"{variant} is {verdict} than {reference}: {interval}"
    return f"{variant} can't be told apart from {reference}: {interval}"


def _compare_all(rows: list[dict[Any, Any]]) -> str:
    """Say which variants are better than the reference, which are worse, and which can't be told from it."""
    reference = _name_reference(rows[0])
    clauses = []
    for verdict, words in (
        ("better", f"better than {reference}"),
        ("worse", f"worse than {reference}"),
        (None, f"not to be told apart from {reference}"),
    ):
        names = [
            f"{row['variant']} ({format_points(row['difference'])}; "
            f"{format_points(row['difference_low'])} to {format_points(row['difference_high'])})"
            for row in rows
            if _judge(row) == verdict
        ]
        if names:
            clauses.append(f"{join(names)} {'is' if len(names) == 1 else 'are'} {words}")
    return "; ".join(clauses)


def _format_trained(row: dict[Any, Any]) -> str:
    """Write in which share of its runs a variant trained."""
    if row["at_majority"] in (0, 1):
        return "none" if row["at_majority"] else "all"
    low, high = (format_percent(1 - row[f"at_majority_{end}"]) for end in ("high", "low"))
    return f"{format_percent(1 - row['at_majority'])} ({low} to {high})"


def _name_reference(row: dict[Any, Any]) -> str:
    return "the baseline" if row["reference"] == "baseline" else str(row["reference"])


def _count_trained(row: dict[Any, Any]) -> str:
    at_majority, difference = row["at_majority"], row["trained_difference"]
    runs = f"its {row['runs']:,} runs"
    if at_majority in (0, 1):
        return f"{row['variant']} trains in {'none' if at_majority else 'all'} of {runs}"
    low, high = (format_percent(1 - row[f"at_majority_{end}"]) for end in ("high", "low"))
    clause = f"{row['variant']} trains in {format_percent(1 - at_majority)} of {runs}"
    clause += f" (95 % interval {low} to {high})"
    if pd.notna(difference):
        clause += f", which differ from {_name_reference(row)} by {format_points(difference)} points"
    low, high = row["trained_difference_low"], row["trained_difference_high"]
    return clause if pd.isna(low) else f"{clause} ({format_points(low)} to {format_points(high)})"
