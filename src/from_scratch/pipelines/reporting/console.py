"""What a run prints at its end."""

from __future__ import annotations

from typing import Any

import pandas as pd
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from from_scratch.pipelines.reporting.nodes import compare_metrics
from from_scratch.pipelines.reporting.sentences import (
    describe_study,
    describe_training,
    format_percent,
    format_points,
)
from from_scratch.schema.parameters import Parameters
from from_scratch.scoring import is_no_better

MIXED = "source: MIXED (not all of these saw the same passengers: run everything again)"
HEADINGS = {
    "original": "source: original (Kaggle's passengers)",
    "own": "source: own (your file, not Kaggle's passengers)",
}


def render_results(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], parameters: Parameters
) -> list[str]:
    """Write what a run reached.

    Returns:
        A text for each of these that the pipeline has: predictions for new rows, the comparison of variants
        that were scored, the study, and the report.
    """
    outputs = pipeline.all_outputs()
    texts = []
    if "submission" in outputs:
        texts.append(_render_answers(catalog, parameters.inference.variant))
    scored = [variant for variant in parameters.variants if f"{variant}.metrics" in outputs]
    if "comparison" in outputs:
        texts.append(render_comparison(catalog.load("comparison")))
    elif scored:
        metrics = {variant: catalog.load(f"{variant}.metrics") for variant in scored}
        texts.append(render_comparison(compare_metrics(metrics)))
    if "stability_summary" in outputs:
        texts.append(render_study(catalog.load("stability_summary")))
    if "report" in outputs:
        texts.append("The report: `make report` opens it, `kedro runs path report` says where it is.\n")
    return texts


def _render_answers(catalog: CatalogProtocol[Any, Any], variant: str) -> str:
    """Count how often each answer was given, and say where they are."""
    answers = catalog.load("submission").iloc[:, -1]
    file = catalog.load(f"{variant}.metrics")["file"]
    rows = "row" if len(answers) == 1 else "rows"
    counts = " and ".join(f"{value} in {count:,}" for value, count in answers.value_counts().items())
    return (
        f"\n{variant}, trained on {file}, answers {len(answers):,} {rows}:\n{answers.name} is {counts}.\n"
        "The answers: `kedro runs path submission`; how sure: `kedro runs path new_predictions`.\n"
    )


def render_comparison(comparison: pd.DataFrame) -> str:
    """Write the comparison, as `compare` returns it, as a table headed by the passengers' source."""
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
    return f"\n{heading}\n\n{table.to_string(index=False)}\n\n{_render_baseline(comparison)}\n"


def _render_baseline(comparison: pd.DataFrame) -> str:
    majority = comparison["majority_accuracy"]
    said = f"always the answer that is more frequent in training: {majority.iloc[0]:.4f}"
    no_better = comparison["variant"][is_no_better(comparison["valid_accuracy_low"], majority)]
    if no_better.empty:
        return said
    names = ", ".join(no_better)
    return f"{said}\nnot surely better than that: {names} (another seed or learning_rate may train it)"


def render_study(summary: pd.DataFrame) -> str:
    """Write the study's summary as a table, and what it says in two sentences."""
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
    said = f"{describe_study(summary)}\n{describe_training(summary)}"
    return f"\n{heading}\n\n{table.to_string(index=False)}\n\n{said}\n"
