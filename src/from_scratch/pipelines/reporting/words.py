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
    apart = [
        f"{better} is better than {worse}"
        for (better, low, _), (worse, _, high) in permutations(ends, 2)
        if low > high
    ]
    if not apart:
        return f"{known}: all intervals overlap, so they tell no variant from another."
    return f"{known}: {_list(apart)}. All other intervals overlap, and tell nothing apart."


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
    return f"Not all surely learnt something: {always}; not above that is the interval of {_list(unsure)}."


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
    if pair["disagreements"] == 0:
        return f"{first} and {last} give the same {rows:,} answers."
    said = (
        f"{first} and {last} disagree on {pair['disagreements']} of {rows:,}; there {first} is right "
        f"{pair['variant_right']} times and {last} {pair['other_right']} times. If neither were better, a "
        f"split at least as uneven would come up by chance {100 * pair['chance']:.0f} times in 100."
    )
    same = disagreements[disagreements["disagreements"] == 0]
    if len(same):
        pairs = [f"{one} and {other}" for one, other in same[["variant", "other"]].itertuples(index=False)]
        said += f" No answer differs between {_list(pairs)}."
    return said


def _list(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
