"""What the numbers say, in plain sentences."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pandas as pd

from from_scratch.schema.features import Features
from from_scratch.scoring import is_no_better

SOURCES = {
    "original": "Kaggle's passengers, those of the article.",
    "own": "Your own file; the article's figures do not apply to it.",
}
MIXED = "Not all variants saw the same data: run everything again."


def say_source(comparison: pd.DataFrame) -> str:
    """Say where the data comes from.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A sentence.
    """
    sources = comparison["source"].unique().tolist()
    return SOURCES[sources[0]] if len(sources) == 1 else MIXED


def say_differences(comparison: pd.DataFrame) -> str:
    """Say which differences between the variants mean anything, by their intervals.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A sentence.
    """
    rows = int(comparison["valid_rows"].iloc[0])
    reach = float((comparison["valid_accuracy_high"] - comparison["valid_accuracy_low"]).max() / 2)
    known = f"With {rows:,} rows to validate on, an accuracy is known to about ±{100 * reach:.0f} points"
    if len(comparison) == 1:
        return f"{known}."
    ends = list(comparison[["variant", "valid_accuracy_low", "valid_accuracy_high"]].itertuples(index=False))
    apart: dict[str, list[str]] = {}
    for (better, low, _), (worse, _, high) in permutations(ends, 2):
        if low > high:
            apart.setdefault(worse, []).append(better)
    if not apart:
        return f"{known}: all intervals overlap, so they tell no variant from another."
    said = [f"{_list(better)} {_be(better)} better than {worse}" for worse, better in apart.items()]
    return f"{known}: {'; '.join(said)}. All other intervals overlap, and tell nothing apart."


def say_majority(comparison: pd.DataFrame) -> str:
    """Say which variants are better than always giving the answer that is more frequent in training.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A sentence.
    """
    majority = comparison["majority_accuracy"]
    always = f"always giving the answer that is more frequent in training reaches {majority.iloc[0]:.4f}"
    unsure = comparison["variant"][is_no_better(comparison["valid_accuracy_low"], majority)].tolist()
    if not unsure:
        return f"All of them learnt something: {always}, and every interval lies above that."
    intervals = "the interval of" if len(unsure) == 1 else "the intervals of"
    lie = "does not lie" if len(unsure) == 1 else "do not lie"
    return f"Not all surely learnt something: {always}, and {intervals} {_list(unsure)} {lie} above that."


def say_disagreements(disagreements: pd.DataFrame, rows: int) -> list[str]:
    """Say who decides differently from the first variant, and whether that is for better or worse.

    Args:
        disagreements: A row for each two variants, as `compare_answers` returns it.
        rows: How many rows validate.

    Returns:
        A sentence for all others that give the same answers; none if there is only one variant.
    """
    sentences = []
    for others, pair in _find_answers(disagreements):
        first, count, right = pair["variant"], pair["disagreements"], pair["variant_right"]
        if count == 0:
            sentences.append(f"{_list([first, *others])} give the same {rows:,} answers.")
            continue
        differ, they = ("differs", "it") if len(others) == 1 else ("differ", "they")
        sentences.append(
            f"{_list(others)} {differ} from {first} in {count:,} of {rows:,} answers: {first} is right in "
            f"{right:,} of these, {they} in {count - right:,}. If neither were better, a split at least as "
            f"uneven would come up by chance {_times(pair['chance'])} in 100."
        )
    return sentences


def _find_answers(disagreements: pd.DataFrame) -> list[tuple[list[str], dict[Any, Any]]]:
    """Put variants of the same answers together, each set with how it disagrees with the first variant."""
    pairs = {(pair["variant"], pair["other"]): pair for pair in disagreements.to_dict("records")}
    sets: list[tuple[list[str], dict[Any, Any]]] = []
    for (variant, other), pair in pairs.items():
        if variant != disagreements["variant"].iloc[0]:
            break
        alike = (variants for variants, _ in sets if not pairs[variants[0], other]["disagreements"])
        if variants := next(alike, None):
            variants.append(other)
        else:
            sets.append(([other], pair))
    return sets


def say_filling(features: Features) -> dict[str, str]:
    """Say how missing values are filled.

    Args:
        features: What each column is.

    Returns:
        A word or two for each column that the models see.
    """
    return {
        one.column: "never missing" if one.required else one.fill if one.constant is None else "a constant"
        for one in features.columns
    }


def say_preparation(features: Features) -> str:
    """Say how numbers were brought to one scale, and what was learnt from which rows.

    Args:
        features: What each column is.

    Returns:
        Two sentences.
    """
    scaled = {
        "maximum": "divided by their greatest magnitude",
        "deviation": "reduced by their mean and divided by their standard deviation",
    }[features.normalisation]
    rows = {"all": "all rows", "train": "the rows that train alone"}[features.fit_on]
    return f"Numbers are {scaled}. What fills missing values and what scales numbers comes from {rows}."


def say_groups(groups: pd.DataFrame, variants: list[str], hidden: int = 0) -> list[str]:
    """Say what each variant learnt, as far as groups tell it.

    Args:
        groups: A row for each group, as `compare_groups` returns it.
        variants: The variants' names.
        hidden: How many rows are in none of the groups; nothing is said of these.

    Returns:
        A sentence for all variants that answer every group alike; none if there is no group.
    """
    if groups.empty:
        return []
    labels = groups["group"].tolist()
    alike: dict[str, list[str]] = {}
    for variant in variants:
        all_of = groups["group"][groups[variant] == 1].tolist()
        some_of = groups["group"][groups[variant].between(0, 1, inclusive="neither")].tolist()
        said = [f"yes to all of {_list(_shorten(all_of, labels))}"] if all_of else []
        said += (
            [f"yes to some of {'every group' if some_of == labels else _list(some_of)}"] if some_of else []
        )
        everyone, others = (
            ("all these groups", "the others of these groups") if hidden else ("everyone", "everyone else")
        )
        if len(all_of) + len(some_of) < len(labels):
            said += [f"no to {others if said else everyone}"]
        alike.setdefault(f"yes to {everyone}" if all_of == labels else "; ".join(said), []).append(variant)
    return [f"{_list(same)}: {said}." for said, same in alike.items()]


def _shorten(chosen: list[str], labels: list[str]) -> list[str]:
    """Name groups by as few words as tell them from all others: "female" if all women are chosen."""
    shortened: list[str] = []
    for label in chosen:
        words = label.split(" · ")
        beginnings = [" · ".join(words[:count]) for count in range(1, len(words) + 1)]
        short = next(
            beginning
            for beginning in beginnings
            if all(other in chosen for other in labels if f"{other} · ".startswith(f"{beginning} · "))
            or beginning == label
        )
        if short not in shortened:
            shortened.append(short)
    return shortened


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _be(words: list[str]) -> str:
    return "is" if len(words) == 1 else "are"


def _times(share: float) -> str:
    return "less than once" if share < 0.01 else f"{100 * share:.0f} times"
