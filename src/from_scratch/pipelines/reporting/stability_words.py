"""What the study says, in plain sentences."""

from __future__ import annotations

from typing import Any

from from_scratch.node_types import DataFrame


def say_better(summary: DataFrame) -> str:
    """Say if the deep net is better than the reference, or each variant if there is no deep net.

    Args:
        summary: A row for each variant of the study, as `summarise` returns it.

    Returns:
        A sentence.
    """
    subjects = _find_subjects(summary)
    if not subjects:
        return f"Only {summary['variant'].iloc[0]} was trained: there is nothing to hold it against."
    said = [_compare(row) for row in subjects]
    if len(said) > 1 or subjects[0]["model"] != "deep":
        return f"{'; '.join(said)}."
    return f"{_answer(subjects[0])}: {said[0]}."


def say_training(summary: DataFrame) -> str:
    """Say how often that net, or those variants, train at all.

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
        f"{said}; a run that doesn't does no better than always giving the answer that is more frequent in "
        "training."
    )


def format_points(share: float) -> str:
    """Write a difference of shares in points, with its sign.

    Args:
        share: The difference.
    """
    return f"{100 * share:+.1f}".replace("-", "−")


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


def _find_subjects(summary: DataFrame) -> list[dict[Any, Any]]:
    others = [row for row in summary.to_dict("records") if row["variant"] != row["reference"]]
    deep = [row for row in others if row["model"] == "deep"]
    return deep[-1:] or others


def _answer(row: dict[Any, Any]) -> str:
    if row["difference_low"] > 0:
        return "Yes"
    return "No" if row["difference_high"] < 0 else "That can't be told"


def _compare(row: dict[Any, Any]) -> str:
    variant, reference = row["variant"], row["reference"]
    told = {"Yes": "is better than", "No": "is worse than"}.get(_answer(row), "can't be told apart from")
    return (
        f"over {row['seeds']:,} seeds and {row['splits']:,} splits, {variant} {told} {reference}, with "
        f"{format_points(row['difference'])} points of accuracy on average (95 % interval "
        f"{format_points(row['difference_low'])} to {format_points(row['difference_high'])})"
    )


def _count_trained(row: dict[Any, Any]) -> str:
    at_majority, difference = row["at_majority"], row["trained_difference"]
    runs = f"its {row['runs']:,} runs"
    if at_majority in (0, 1):
        return f"{row['variant']} trains in {'none' if at_majority else 'all'} of {runs}"
    low, high = (100 * (1 - row[f"at_majority_{end}"]) for end in ("high", "low"))
    said = f"{row['variant']} trains in {format_percent(1 - at_majority)} of {runs}"
    said += f" (95 % interval {low:.1f} to {high:.1f} %)"
    if difference == difference:  # is no nan
        said += f", and there has {format_points(difference)} points against {row['reference']}"
    low, high = row["trained_difference_low"], row["trained_difference_high"]
    return said if low != low else f"{said} ({format_points(low)} to {format_points(high)})"
