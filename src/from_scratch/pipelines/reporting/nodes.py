"""What the variants reached, and what the simplest of them learnt."""

from __future__ import annotations

from typing import Any

from from_scratch.node_types import DataFrame, Tensors
from from_scratch.parameters import Reporting


def compare(reporting: Reporting, **metrics: dict[str, Any]) -> DataFrame:
    """Put the variants side by side.

    Args:
        reporting: The accuracies that the article prints.
        **metrics: The metrics by variant.

    Returns:
        A row for each variant: its name, `article_accuracy` (only on the original passengers, and where the
        article prints one), and all its metrics.
    """
    import pandas as pd

    rows = []
    for variant, values in metrics.items():
        published = reporting.article_accuracy.get(variant) if values["source"] == "original" else None
        rows.append({"variant": variant, "article_accuracy": published, **values})
    return pd.DataFrame(rows).astype({"article_accuracy": "float64"})


def name_coefficients(features: DataFrame, **coefficients: Tensors) -> DataFrame:
    """Say which coefficient belongs to which feature.

    Args:
        features: A column for each feature.
        **coefficients: `weights` [features] or [features, 1], by variant.

    Returns:
        A row for each feature: `feature`, and a column for each variant.
    """
    import pandas as pd

    columns = {variant: tensors["weights"].flatten().numpy() for variant, tensors in coefficients.items()}
    return pd.DataFrame({"feature": features.columns, **columns})
