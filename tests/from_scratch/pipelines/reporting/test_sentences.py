from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from from_scratch.pipelines.reporting import sentences
from from_scratch.pipelines.reporting.drawings import Certainty
from from_scratch.schema.parameters import Variant


def comparison(*ends: tuple[float, float], majority: float = 0.6, **others: Any) -> pd.DataFrame:
    """A variant for each interval: a, b, c, …"""
    return pd.DataFrame(
        {
            "variant": list("abcdef"[: len(ends)]),
            "source": "original",
            "file": "bikes.csv",
            "target": "sold",
            "positive": "yes",
            "baseline": "no",
            "leaks": "{}",
            "model": "deep",
            "train_rows": 7000,
            "train_positives": 2800,
            "valid_rows": 1780,
            "valid_positives": 700,
            "valid_accuracy_low": [low for low, _ in ends],
            "valid_accuracy_high": [high for _, high in ends],
            "majority_accuracy": majority,
            **others,
        }
    )


@pytest.mark.parametrize(
    ("ends", "said"),
    [
        (
            [(0.7, 0.8), (0.75, 0.85)],
            ["All 95 % intervals overlap, so they alone tell no variant from another."],
        ),
        (
            [(0.5, 0.6), (0.7, 0.8), (0.55, 0.75), (0.65, 0.9)],
            ["By their 95 % intervals, b and d are better than a. All other intervals overlap."],
        ),
        ([(0.7, 0.8)], []),
    ],
)
def test_differences(ends: list[tuple[float, float]], said: list[str]) -> None:
    assert sentences.describe_differences(comparison(*ends)) == said


def test_half_of_the_widest_interval_is_how_sure_a_run_is() -> None:
    ends = [(0.5, 0.6), (0.65, 0.9)]
    assert sentences.describe_reach(comparison(*ends)) == (
        "With 1,780 validation rows, an accuracy is known to about ±12 points."
    )


def test_majority() -> None:
    always = "the baseline (always 'no') has an accuracy of 0.6000"
    assert sentences.describe_baseline(comparison((0.7, 0.8))) == (
        f"All of them learnt something: {always}, and every interval lies above that."
    )
    assert "the interval of a does not lie above that." in sentences.describe_baseline(comparison((0.6, 0.8)))
    assert sentences.describe_baseline(comparison((0.7, 0.8), (0.5, 0.7), (0.4, 0.5))) == (
        f"Not all surely learnt something: {always}, and the intervals of b and c do not lie above that."
    )


def test_a_column_that_gives_the_answer_away() -> None:
    leaking = comparison((0.99, 1.0), leaks='{"alive": "each of its values has one answer"}')
    assert sentences.describe_leaks(comparison((0.7, 0.8))) == []
    (said,) = sentences.describe_leaks(leaking)
    assert said.startswith("alive gives the answer away: each of its values has one answer. Unless new rows")
    assert "learnt something" not in sentences.describe_baseline(leaking)


@pytest.mark.parametrize(("positives", "said"), [(0.07, "'yes' in only 7.0 %"), (0.93, "'no' in only 7.0 %")])
def test_the_rare_answer_is_named(positives: float, said: str) -> None:
    counts = {"train_positives": int(7000 * positives), "valid_positives": round(1780 * positives)}
    found = comparison((0.7, 0.8), negative="no", valid_roc_auc_low=0.6, **counts)
    assert f"Accuracy decides nothing here: sold is {said} of the rows" in sentences.describe_rarity(found)[0]
    assert sentences.describe_rarity(comparison((0.7, 0.8))) == []


def test_source() -> None:
    assert sentences.describe_source(comparison((0.7, 0.8))).startswith("Kaggle's passengers")
    assert sentences.describe_source(comparison((0.7, 0.8), source="own")) == (
        "Your own file, bikes.csv: is sold 'yes'?"
    )
    mixed = comparison((0.7, 0.8), (0.7, 0.8), source=["own", "original"])
    assert sentences.describe_source(mixed).startswith("Not all variants saw the same data")


def disagreements(*counts: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "variant": one,
                "other": other,
                "disagreements": count,
                "variant_right": count // 4,
                "other_right": count - count // 4,
                "chance": 0.07,
            }
            for one, other, count in counts
        ],
        columns=["variant", "other", "disagreements", "variant_right", "other_right", "chance"],
    )


def test_disagreements_with_the_first_variant() -> None:
    counts = [("a", "b", 8), ("a", "c", 4), ("a", "d", 8), ("b", "c", 4), ("b", "d", 0), ("c", "d", 4)]
    assert sentences.describe_disagreements(disagreements(*counts), 178) == [
        "b and d differ from a in 8 of 178 answers: a is right in 2 of these, they in 6 "
        "(sign test: p = 0.07).",
        "c differs from a in 4 of 178 answers: a is right in 1 of these, it in 3 (sign test: p = 0.07).",
    ]
    same = disagreements(("a", "b", 0), ("a", "c", 0), ("b", "c", 0))
    assert sentences.describe_disagreements(same, 1780) == ["a, b and c give the same 1,780 answers."]
    assert sentences.describe_disagreements(disagreements(), 178) == []
    (surely,) = sentences.describe_disagreements(disagreements(("a", "b", 40)).assign(chance=0.001), 178)
    assert surely.endswith("(sign test: p < 0.01).")


@pytest.mark.parametrize(
    ("certain_and_wrong", "share"),
    [(31, "all"), (3, "3"), (0, "none")],
)
def test_certainty(certain_and_wrong: int, share: str) -> None:
    net = Variant(model="deep", seed=1, learning_rate=4, epochs=30, hidden=[10], loss="cross_entropy")
    counted = {"net": Certainty(rows=178, wrong=31, certain_and_wrong=certain_and_wrong)}
    assert sentences.describe_certainty(counted, {"net": net}) == [
        "net, trained with the cross entropy, is wrong on 31 of 178 validation rows, "
        f"with a score below 0.1 or above 0.9 on {share} of these."
    ]


def test_the_worst_and_the_best_are_said_to_be_certain() -> None:
    variant = Variant(model="sigmoid", seed=1, learning_rate=4, epochs=30)
    numbers = {"a": (9, 3), "b": (8, 8), "c": (7, 1)}
    counted = {name: Certainty(20, wrong, both) for name, (wrong, both) in numbers.items()}
    worst, best, why = sentences.describe_certainty(counted, dict.fromkeys(counted, variant))
    assert worst.startswith("b, trained with the absolute error, is wrong on 8 of 20")
    assert best.startswith("c, ")
    assert "no probability" in why


def test_variants_that_say_the_same_of_every_group_are_named() -> None:
    groups = pd.DataFrame({"group": ["a", "b"], "line": [0.0, 1.0], "net": [0.0, 1.0], "deep": [0.0, 0.5]})
    said = sentences.describe_alike(groups, ["line", "net", "deep"])
    assert said == ["line and net say the same of every group."]
    assert sentences.describe_alike(groups[:1], ["line", "net", "deep"]) == [], "one group tells nothing"
