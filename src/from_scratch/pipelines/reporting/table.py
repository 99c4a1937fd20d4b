"""The comparison as a table for the console."""

from __future__ import annotations

import pandas as pd


def render(comparison: pd.DataFrame) -> str:
    """Write the comparison as text.

    Args:
        comparison: A row for each variant, as `compare` returns it.

    Returns:
        A table of several lines, headed by the passengers' source.
    """
    table = pd.DataFrame(
        {
            "variant": comparison["variant"],
            "valid accuracy": comparison["valid_accuracy"].map("{:.4f}".format),
            "95 % interval": [
                f"{low:.3f} to {high:.3f}"
                for low, high in zip(
                    comparison["valid_accuracy_low"], comparison["valid_accuracy_high"], strict=True
                )
            ],
            "article": comparison["article_accuracy"].map(
                lambda share: "–" if pd.isna(share) else f"{share:.4f}"
            ),
            "last loss": comparison["last_loss"].map("{:.3f}".format),
            "epochs": comparison["epochs"],
        }
    )
    source = comparison["source"].iloc[0]
    if source != "original":
        table = table.drop(columns="article")
    majority = f"always the more frequent answer: {comparison['majority_accuracy'].iloc[0]:.4f}"
    return f"\n{HEADINGS[source]}\n\n{table.to_string(index=False)}\n\n{majority}\n"


HEADINGS = {
    "original": "source: original (Kaggle's passengers)",
    "own": "source: own (your file, not Kaggle's passengers)",
    "sample": "source: SAMPLE (invented passengers: these are not the Titanic's results)",
}
