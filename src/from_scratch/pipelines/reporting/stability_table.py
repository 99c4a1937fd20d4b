"""The study as a table for the console."""

from __future__ import annotations

import pandas as pd

from from_scratch.pipelines.reporting.stability_words import (
    format_percent,
    format_points,
    say_better,
    say_training,
)


def render(summary: pd.DataFrame) -> str:
    """Write the study as text.

    Args:
        summary: A row for each variant of the study, as `summarise` returns it.

    Returns:
        A table of several lines, and what it says in two sentences.
    """
    rows = summary.to_dict("records")
    reference = rows[0]["reference"]
    table = pd.DataFrame(
        {
            "variant": [row["variant"] for row in rows],
            "mean accuracy": [f"{row['mean']:.4f}" for row in rows],
            "95 % interval": [f"{row['mean_low']:.3f} to {row['mean_high']:.3f}" for row in rows],
            "at majority": [format_percent(row["at_majority"]) for row in rows],
            f"points against {reference}": [
                "-" if pd.isna(row["difference"]) else format_points(row["difference"]) for row in rows
            ],
            "95 % interval ": [
                "-"
                if pd.isna(row["difference"])
                else f"{format_points(row['difference_low'])} to {format_points(row['difference_high'])}"
                for row in rows
            ],
        }
    )
    heading = f"stability: {rows[0]['seeds']:,} seeds on {rows[0]['splits']:,} splits"
    said = f"{say_better(summary)}\n{say_training(summary)}"
    return f"\n{heading}\n\n{table.to_string(index=False)}\n\n{said}\n"
