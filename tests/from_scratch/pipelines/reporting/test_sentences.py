from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from from_scratch.pipelines.reporting import sentences
from from_scratch.pipelines.reporting.drawings import Certainty
from from_scratch.schema.parameters import Variant


def comparison(*ends: tuple[float, float], majority: float = 0.6, **others: Any) -> pd.DataFrame:
    """Return a comparison with a variant for each interval: a, b, c, …"""
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
    ("ends", "expected"),
    [
        (
            [(0.7, 0.8), (0.75, 0.85)],
            ["All 95 % intervals overlap."],
        ),
        (
            [(0.5, 0.6), (0.7, 0.8), (0.55, 0.75), (0.65, 0.9)],
            ["By their 95 % intervals, b and d are better than a. All other intervals overlap."],
        ),
        ([(0.7, 0.8)], []),
    ],
)
def test_differences(ends: list[tuple[float, float]], expected: list[str]) -> None:
    assert sentences.describe_differences(comparison(*ends)) == expected


def test_uncertainty_is_half_of_the_widest_interval() -> None:
    apart, overlapping = [(0.5, 0.6), (0.65, 0.9)], [(0.5, 0.6), (0.55, 0.57)]
    assert sentences.describe_uncertainty(comparison(*apart, source="own")) == (
        "With 1,780 validation rows, each accuracy is uncertain by about 12 points."
    )
    few = comparison(*overlapping, valid_rows=178, valid_positives=70)
    assert sentences.describe_uncertainty(few) == (
        "With only 178 passengers to check on, each accuracy is uncertain by about 5 points, so these "
        "numbers alone cannot rank the models."
    )
    assert "by less than 1 point." in sentences.describe_uncertainty(comparison((0.7, 0.705)))
    assert "by about 1 point." in sentences.describe_uncertainty(comparison((0.7, 0.72)))


def test_baseline() -> None:
    baseline = "the baseline (always 'no', accuracy 0.6000)"
    assert sentences.describe_baseline(comparison((0.7, 0.8))) == (
        f"a learnt something: its 95 % interval lies above {baseline}."
    )
    assert sentences.describe_baseline(comparison((0.7, 0.8), (0.65, 0.9))) == (
        f"All variants learnt something: their 95 % intervals lie above {baseline}."
    )
    assert sentences.describe_baseline(comparison((0.6, 0.8))) == (
        f"a is not clearly better than {baseline}: its 95 % interval does not lie above it."
    )
    assert sentences.describe_baseline(comparison((0.7, 0.8), (0.5, 0.7), (0.4, 0.5))) == (
        f"b and c are not clearly better than {baseline}: their 95 % intervals do not lie above it."
    )


def test_the_baseline_of_the_articles_passengers_is_named_in_words() -> None:
    answer: dict[str, Any] = {"target": "Survived", "baseline": "0"}
    assert sentences.name_baseline(comparison((0.7, 0.8), **answer)) == "baseline (always 'died')"
    assert sentences.name_baseline(comparison((0.7, 0.8), **answer, source="own")) == "baseline (always '0')"


def test_a_column_that_gives_the_answer_away() -> None:
    leaking = comparison((0.99, 1.0), leaks='{"alive": "each of its values has one answer"}')
    assert sentences.describe_leaks(comparison((0.7, 0.8))) == []
    (warning,) = sentences.describe_leaks(leaking)
    assert warning == (
        "alive gives the answer away: each of its values has one answer. If new rows will not have this "
        "column, "
        ""
        "add it to features.ignore and run again: these results do not show how good the variants are "
        "without it."
    )
    assert "learnt something" not in sentences.describe_baseline(leaking)


@pytest.mark.parametrize(
    ("positives", "share"), [(0.07, "'yes' in only 7.0 %"), (0.93, "'no' in only 7.0 %")]
)
def test_the_rare_answer_is_named(positives: float, share: str) -> None:
    counts = {"train_positives": int(7000 * positives), "valid_positives": round(1780 * positives)}
    found = comparison((0.7, 0.8), negative="no", valid_roc_auc_low=0.6, **counts)
    assert f"Accuracy is misleading here: sold is {share} of the rows" in sentences.describe_rarity(found)[0]
    assert sentences.describe_rarity(comparison((0.7, 0.8))) == []


def test_source() -> None:
    assert sentences.describe_source(comparison((0.7, 0.8))).startswith("Kaggle's passengers")
    assert sentences.describe_source(comparison((0.7, 0.8), source="own")) == (
        "Your own file, bikes.csv: is sold 'yes'?"
    )
    mixed = comparison((0.7, 0.8), (0.7, 0.8), source=["own", "original"])
    assert sentences.describe_source(mixed).startswith("The variants were trained on different data.")


def disagreements(*counts: tuple[str, str, int]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "variant": variant,
                "other": other,
                "disagreements": count,
                "variant_right": count // 4,
                "other_right": count - count // 4,
                "chance": 0.07,
            }
            for variant, other, count in counts
        ],
        columns=["variant", "other", "disagreements", "variant_right", "other_right", "chance"],
    )


def test_disagreements_with_the_first_variant() -> None:
    counts = [("a", "b", 8), ("a", "c", 4), ("a", "d", 8), ("b", "c", 4), ("b", "d", 0), ("c", "d", 4)]
    assert sentences.describe_disagreements(disagreements(*counts), 178) == [
        "b and d disagree with a on 8 of 178 rows: a gets 2 of these right, the others 6 "
        "(sign test, p = 0.07).",
        "c disagrees with a on 4 of 178 rows: a gets 1 of these right, c 3 (sign test, p = 0.07).",
    ]
    same = disagreements(("a", "b", 0), ("a", "c", 0), ("b", "c", 0))
    assert sentences.describe_disagreements(same, 1780) == [
        "a, b and c give the same answers for all 1,780 validation rows."
    ]
    assert sentences.describe_disagreements(disagreements(), 178) == []
    (significant,) = sentences.describe_disagreements(disagreements(("a", "b", 40)).assign(chance=0.001), 178)
    assert significant.endswith("(sign test, p < 0.01).")


@pytest.mark.parametrize(
    ("certain_and_wrong", "share"),
    [(31, "all"), (3, "3"), (0, "none")],
)
def test_certainty(certain_and_wrong: int, share: str) -> None:
    net = Variant(model="deep", seed=1, learning_rate=4, epochs=30, hidden=[10], loss="cross_entropy")
    counted = {"net": Certainty(rows=178, wrong=31, certain_and_wrong=certain_and_wrong)}
    assert sentences.describe_certainty(counted, {"net": net}) == [
        "net, trained with cross-entropy, is wrong on 31 of 178 validation rows; "
        f"its score is below 0.1 or above 0.9 on {share} of these."
    ]


def test_certainty_is_described_for_the_worst_and_the_best() -> None:
    variant = Variant(model="sigmoid", seed=1, learning_rate=4, epochs=30)
    numbers = {"a": (9, 3), "b": (8, 8), "c": (7, 1)}
    counted = {name: Certainty(20, wrong, both) for name, (wrong, both) in numbers.items()}
    worst, best, reason = sentences.describe_certainty(counted, dict.fromkeys(counted, variant))
    assert worst.startswith("b, trained with the absolute error, is wrong on 8 of 20")
    assert best.startswith("c, ")
    assert "does not mean a probability" in reason


def test_variants_that_predict_the_same_for_every_group_are_named() -> None:
    groups = pd.DataFrame({"group": ["a", "b"], "line": [0.0, 1.0], "net": [0.0, 1.0], "deep": [0.0, 0.5]})
    same = sentences.describe_same_groups(groups, ["line", "net", "deep"])
    assert same == ["line and net predict the same for every group."]
    assert sentences.describe_same_groups(groups[:1], ["line", "net", "deep"]) == [], (
        "one group shows nothing"
    )
