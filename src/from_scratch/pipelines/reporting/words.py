"""What the numbers say, in plain sentences."""

from __future__ import annotations

from itertools import permutations

from from_scratch.node_types import DataFrame

SOURCES = {
    "original": "Kaggle's passengers, those of the article.",
    "own": "Your own file; the article's figures do not apply to it.",
    "sample": "A SAMPLE of invented passengers: nothing here is the Titanic's. README.md says how to get the "
    "real data.",
}
MIXED = "Not all variants saw the same data: run everything again."


def say_source(comparison: DataFrame) -> str:
    """Say where the data comes from.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A sentence.
    """
    sources = comparison["source"].unique().tolist()
    return SOURCES[sources[0]] if len(sources) == 1 else MIXED


def say_differences(comparison: DataFrame) -> str:
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


def say_majority(comparison: DataFrame) -> str:
    """Say which variants are better than always giving the answer that is more frequent in training.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A sentence.
    """
    majority = comparison["majority_accuracy"]
    always = f"always giving the answer that is more frequent in training reaches {majority.iloc[0]:.4f}"
    unsure = comparison["variant"][comparison["valid_accuracy_low"] <= majority].tolist()
    if not unsure:
        return f"All of them learnt something: {always}, and every interval lies above that."
    intervals = "the interval of" if len(unsure) == 1 else "the intervals of"
    lie = "does not lie" if len(unsure) == 1 else "do not lie"
    return f"Not all surely learnt something: {always}, and {intervals} {_list(unsure)} {lie} above that."


def say_disagreements(disagreements: DataFrame, rows: int) -> str:
    """Say whether the last variant decides anything differently from the first.

    Args:
        disagreements: A row for each two variants, as `compare_answers` returns it.
        rows: How many rows validate.

    Returns:
        A sentence or two; none if there is only one variant.
    """
    if disagreements.empty:
        return ""
    first, last = disagreements["variant"].iloc[0], disagreements["other"].iloc[-1]
    pair = disagreements.query("variant == @first and other == @last").iloc[0]
    said = []
    if pair["disagreements"]:
        said = [
            f"{first} and {last} disagree on {pair['disagreements']} of {rows:,}; there {first} is right "
            f"{pair['variant_right']} times and {last} {pair['other_right']} times. If neither were better, "
            f"a split at least as uneven would come up by chance {_times(pair['chance'])} in 100."
        ]
    same = [f"{_list(variants)} give the same {rows:,} answers." for variants in _find_equals(disagreements)]
    return " ".join(said + same)


def say_groups(groups: DataFrame, variants: list[str]) -> list[str]:
    """Say what each variant learnt, as far as groups tell it.

    Args:
        groups: A row for each group, as `compare_groups` returns it.
        variants: The variants' names.

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
        said = [f"yes to all of {'; '.join(_shorten(all_of, labels))}"] if all_of else []
        said += [f"yes to some of {'; '.join(some_of)}"] if some_of else []
        said += ["no to everyone else" if said else "no to everyone"]
        alike.setdefault("yes to everyone" if all_of == labels else ", ".join(said), []).append(variant)
    return [f"{_list(same)}: {said}." for said, same in alike.items()]


def _shorten(chosen: list[str], labels: list[str]) -> list[str]:
    """Name groups by as few words as tell them from all others: "female" if all women are chosen."""
    shortened: list[str] = []
    for label in chosen:
        words = label.split(", ")
        beginnings = [", ".join(words[:count]) for count in range(1, len(words) + 1)]
        short = next(
            beginning
            for beginning in beginnings
            if all(other in chosen for other in labels if f"{other}, ".startswith(f"{beginning}, "))
        )
        if short not in shortened:
            shortened.append(short)
    return shortened


def _find_equals(disagreements: DataFrame) -> list[list[str]]:
    """Find the variants that disagree on no row, each set of two or more once."""
    equals: dict[str, list[str]] = {}
    same = disagreements[disagreements["disagreements"] == 0]
    for variant, other in same[["variant", "other"]].to_numpy().tolist():
        leader = next((one for one, others in equals.items() if variant in others), variant)
        if other not in equals.setdefault(leader, []):
            equals[leader].append(other)
    return [[leader, *others] for leader, others in equals.items()]


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _be(words: list[str]) -> str:
    return "is" if len(words) == 1 else "are"


def _times(share: float) -> str:
    return "less than once" if share < 0.01 else f"{100 * share:.0f} times"
