from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
import torch

from from_scratch.parameters import Reporting
from from_scratch.pipelines.reporting.nodes import compare, name_coefficients
from from_scratch.pipelines.reporting.table import render

PUBLISHED = Reporting(article_accuracy={"deep": 0.8258})


def metrics(source: str) -> dict[str, Any]:
    return {
        "source": source,
        "valid_accuracy": 0.75,
        "valid_accuracy_low": 0.7,
        "valid_accuracy_high": 0.8,
        "majority_accuracy": 0.5955,
        "last_loss": 0.195,
        "epochs": 30,
    }


def test_article_stands_beside_the_original_passengers() -> None:
    comparison = compare(PUBLISHED, deep=metrics("original"), wide=metrics("original"))
    assert comparison["variant"].tolist() == ["deep", "wide"]
    assert comparison["article_accuracy"].fillna(0).tolist() == [0.8258, 0]
    table = render(comparison)
    assert "source: original" in table
    assert table.rstrip().endswith("always the answer that is more frequent in training: 0.5955")
    row = next(line for line in table.splitlines() if "deep" in line)
    assert row.split() == ["deep", "0.7500", "0.700", "to", "0.800", "0.8258", "0.195", "30"]
    assert next(line for line in table.splitlines() if "wide" in line).split()[-3] == "-"
    assert table.isascii(), "a console may know no other letters"


@pytest.mark.parametrize(("source", "words"), [("sample", "source: SAMPLE"), ("own", "source: own")])
def test_article_does_not_stand_beside_other_passengers(source: str, words: str) -> None:
    comparison = compare(PUBLISHED, deep=metrics(source))
    assert comparison["article_accuracy"].isna().all()
    table = render(comparison)
    assert words in table
    assert "article" not in table


def test_a_net_that_learnt_nothing_is_told() -> None:
    unlucky = metrics("original") | {"valid_accuracy": 0.5955}
    table = render(compare(PUBLISHED, linear=metrics("original"), deep=unlucky))
    assert "no better than that: deep (another seed or learning_rate may train it)" in table


def test_mixed_sources_are_told() -> None:
    table = render(compare(PUBLISHED, linear=metrics("original"), deep=metrics("sample")))
    assert "source: MIXED" in table
    assert next(line for line in table.splitlines() if "deep" in line).split()[-1] == "sample"


def test_name_coefficients() -> None:
    features = pd.DataFrame(columns=["Age", "Fare"])
    named = name_coefficients(
        features,
        linear={"weights": torch.tensor([1.0, 2.0])},
        matmul={"weights": torch.tensor([[3.0], [4.0]])},
    )
    assert named.to_dict("list") == {"feature": ["Age", "Fare"], "linear": [1.0, 2.0], "matmul": [3.0, 4.0]}
