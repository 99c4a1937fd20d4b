from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from from_scratch.pipelines.reporting.verdict import describe_verdict
from from_scratch.schema.parameters import Variant

LINE = Variant(model="linear", seed=1, learning_rate=1, epochs=9)
NET = Variant(model="deep", seed=1, learning_rate=1, epochs=9, hidden=[4])
VARIANTS = {"line": LINE, "curve": LINE, "net": NET, "deep": NET}
UNCERTAIN = "With only 178 validation rows, each accuracy is uncertain by about 6 points"
NO_RANKING = f"{UNCERTAIN}, so these numbers alone cannot rank the models."


def comparison(*accuracies: float, **others: Any) -> pd.DataFrame:
    """Return a comparison of variants with these accuracies."""
    table = pd.DataFrame(
        {
            "variant": list(VARIANTS)[: len(accuracies)],
            "source": "own",
            "valid_accuracy": accuracies,
            "train_rows": 713,
            "train_positives": 270,
            "valid_rows": 178,
            "valid_positives": 72,
            "majority_accuracy": 0.6,
            **others,
        }
    )
    return table.assign(
        valid_accuracy_low=table["valid_accuracy"] - 0.06, valid_accuracy_high=table["valid_accuracy"] + 0.06
    )


def disagreements(*counts: tuple[str, str, int], chance: float = 0.5) -> pd.DataFrame:
    """Return a table of the numbers of rows on which two variants disagree."""
    rows = [(variant, other, count, chance) for variant, other, count in counts]
    return pd.DataFrame(rows, columns=["variant", "other", "disagreements", "chance"])


APART = [("line", "curve", 7), ("line", "net", 7), ("curve", "net", 9)]


def test_variants_with_the_same_answers_are_named() -> None:
    pairs = [("line", "curve", 8), ("line", "net", 8), ("line", "deep", 8)]
    pairs += [("curve", "net", 0), ("curve", "deep", 0), ("net", "deep", 0)]
    assert describe_verdict(comparison(0.78, 0.82, 0.82, 0.82), disagreements(*pairs), VARIANTS) == [
        "curve, net and deep give the same answers for all 178 validation rows.",
        "Depth made no difference here: the best net with hidden layers (net) and the best model without "
        "(curve) both have an accuracy of 0.8200.",
        NO_RANKING,
    ]


@pytest.mark.parametrize(
    ("net", "chance", "expected"),
    [
        (0.80, 0.5, "Depth did not help here: "),
        (0.84, 0.5, "Depth gained no more than chance could explain: "),
        (0.84, 0.01, "Depth gained 2.0 points here: "),
    ],
)
def test_what_depth_gained_depends_on_the_answers(net: float, chance: float, expected: str) -> None:
    depth, _ = describe_verdict(comparison(0.78, 0.82, net), disagreements(*APART, chance=chance), VARIANTS)
    assert depth.startswith(expected)
    assert f"(net) has an accuracy of {net:.4f}, the best model without (curve) 0.8200" in depth
    assert ("they disagree on 9 rows" in depth) == (net > 0.82)


def test_where_an_answer_is_rare_the_intervals_of_roc_auc_decide() -> None:
    areas = {"valid_roc_auc": [0.7, 0.8, 0.9], "train_positives": 30, "valid_positives": 9}
    low, high = [0.6, 0.75, 0.86], [0.8, 0.85, 0.95]
    rare = comparison(0.9, 0.9, 0.9, valid_roc_auc_low=low, valid_roc_auc_high=high, **areas)
    depth, uncertain = describe_verdict(rare, disagreements(*APART), VARIANTS)
    assert depth.startswith("Depth gained 10.0 points here: ")
    assert depth.endswith("their 95 % intervals do not overlap.")
    assert "each ROC AUC is uncertain by" in uncertain


def test_variants_of_one_kind_have_no_depth_to_judge() -> None:
    assert describe_verdict(comparison(0.8), disagreements(), VARIANTS) == [f"{UNCERTAIN}."]
    assert describe_verdict(comparison(0.8, 0.7), disagreements(APART[0]), VARIANTS) == [NO_RANKING]
