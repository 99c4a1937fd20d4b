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
                lambda share: "-" if pd.isna(share) else f"{share:.4f}"
            ),
            "last loss": comparison["last_loss"].map("{:.3f}".format),
            "epochs": comparison["epochs"],
        }
    )
    sources = comparison["source"].unique().tolist()
    if "original" not in sources:
        table = table.drop(columns="article")
    if len(sources) > 1:
        table["source"] = comparison["source"]
    heading = HEADINGS[sources[0]] if len(sources) == 1 else MIXED
    return f"\n{heading}\n\n{table.to_string(index=False)}\n\n{_say_what_majority_reaches(comparison)}\n"


def _say_what_majority_reaches(comparison: pd.DataFrame) -> str:
    from from_scratch.models.scoring import is_no_better

    majority = comparison["majority_accuracy"]
    said = f"always the answer that is more frequent in training: {majority.iloc[0]:.4f}"
    no_better = comparison["variant"][is_no_better(comparison["valid_accuracy_low"], majority)]
    if no_better.empty:
        return said
    names = ", ".join(no_better)
    return f"{said}\nnot surely better than that: {names} (another seed or learning_rate may train it)"


MIXED = "source: MIXED (not all of these saw the same passengers: run everything again)"
HEADINGS = {
    "original": "source: original (Kaggle's passengers)",
    "own": "source: own (your file, not Kaggle's passengers)",
}
