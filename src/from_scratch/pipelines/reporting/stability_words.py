"""What the study says, in plain sentences."""

from __future__ import annotations

from typing import Any

import pandas as pd


def say_better(summary: pd.DataFrame) -> str:
    """Say if the deep nets are better than the reference, or each variant if there is no deep net.

    Args:
        summary: A row for each variant of the study, as `summarise` returns it.

    Returns:
        A sentence.
    """
    subjects = _find_subjects(summary)
    if not subjects:
        return f"Only {summary['variant'].iloc[0]} was trained: there is nothing to hold it against."
    said = "; ".join(map(_compare, subjects))
    first = subjects[0]
    runs = f"{first['seeds']:,} seeds and {first['splits']:,} splits"
    if len(subjects) == 1 and first["model"] == "deep" and (verdict := _judge(first)):
        return f"{'Yes' if verdict == 'better' else 'No'}: over {runs}, {said}."
    return f"Over {runs}, {said}."


def say_training(summary: pd.DataFrame) -> str:
    """Say how often those nets, or variants, train at all.

    Args:
        summary: A row for each variant of the study, as `summarise` returns it.

    Returns:
        A sentence.
    """
    subjects = _find_subjects(summary) or summary.to_dict("records")
    said = "; ".join(map(_count_trained, subjects))
    if all(row["at_majority"] == 0 for row in subjects):
        return f"{said}."
    return (
        f"{said}; runs that don't train do no better than always giving the answer that is more frequent in "
        "training."
    )


def format_points(share: float) -> str:
    """Write a difference of shares in points, with its sign.

    Args:
        share: The difference.
    """
    return f"{100 * share:+z.1f}".replace("-", "−")


def format_percent(share: float) -> str:
    """Write a share in percent; one that is neither none nor all doesn't look like it.

    Args:
        share: A share between 0 and 1.
    """
    if 0 < share < 0.0005:
        return "less than 0.1 %"
    if 0.9995 <= share < 1:
        return "more than 99.9 %"
    return f"{100 * share:.1f} %" if 0 < share < 1 else f"{100 * share:.0f} %"


def _find_subjects(summary: pd.DataFrame) -> list[dict[Any, Any]]:
    others = [row for row in summary.to_dict("records") if row["variant"] != row["reference"]]
    deep = [row for row in others if row["model"] == "deep"]
    return deep or others


def _judge(row: dict[Any, Any]) -> str | None:
    """Say what the whole interval of the difference says: better, worse, or nothing."""
    if row["difference_low"] == row["difference_high"]:
        return None  # all pairs are alike, so nothing tells how another would differ
    if row["difference_low"] > 0:
        return "better"
    return "worse" if row["difference_high"] < 0 else None


def _compare(row: dict[Any, Any]) -> str:
    variant, reference = row["variant"], row["reference"]
    if row["equal"] == 1:
        return f"{variant} is as often right as {reference} in every pair of runs"
    ends = (row["difference"], row["difference_low"], row["difference_high"])
    mean, low, high = map(format_points, ends)
    interval = f"{mean} points of accuracy on average (95 % interval {low} to {high})"
    if verdict := _judge(row):
        return f"{variant} is {verdict} than {reference}: {interval}"
    return f"{variant} can't be told apart from {reference}: {interval}"


def _count_trained(row: dict[Any, Any]) -> str:
    at_majority, difference = row["at_majority"], row["trained_difference"]
    runs = f"its {row['runs']:,} runs"
    if at_majority in (0, 1):
        return f"{row['variant']} trains in {'none' if at_majority else 'all'} of {runs}"
    low, high = (format_percent(1 - row[f"at_majority_{end}"]) for end in ("high", "low"))
    said = f"{row['variant']} trains in {format_percent(1 - at_majority)} of {runs}"
    said += f" (95 % interval {low} to {high})"
    if difference == difference:  # is no nan
        said += f", which differ from {row['reference']} by {format_points(difference)} points"
    low, high = row["trained_difference_low"], row["trained_difference_high"]
    return said if low != low else f"{said} ({format_points(low)} to {format_points(high)})"
