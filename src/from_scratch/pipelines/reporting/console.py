"""What a run prints at its end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from from_scratch.article import VARIANTS as ARTICLE_VARIANTS
from from_scratch.pipelines.reporting.nodes import compare_metrics
from from_scratch.pipelines.reporting.sentences import (
    describe_study,
    describe_untrained,
    format_percent,
    format_points,
)
from from_scratch.schema.parameters import Parameters, Variant

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
    comparison = None
    if "comparison" in outputs:
        comparison = catalog.load("comparison")
    elif scored:
        metrics = {variant: catalog.load(f"{variant}.metrics") for variant in scored}
        comparison = compare_metrics(metrics, parameters.variants)
    if comparison is not None:
        losses = {variant: catalog.load(f"{variant}.losses") for variant in comparison["variant"]}
        texts.append(render_comparison(comparison, losses, parameters.variants))
    if "stability_summary" in outputs:
        texts.append(render_study(catalog.load("stability_summary"), parameters.variants))
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


def render_comparison(
    comparison: pd.DataFrame, losses: Mapping[str, pd.DataFrame], variants: Mapping[str, Variant]
) -> str:
    """Write the comparison, as `compare` returns it, as a table headed by the passengers' source.

    The article's variants come first. Below it stands which variants may have learnt nothing, and what helps.
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
    if comparison["loss"].nunique() > 1:
        table["loss"] = comparison["loss"].str.replace("_", " ")
    sources = comparison["source"].unique().tolist()
    if "original" not in sources:
        table = table.drop(columns="article")
    if len(sources) > 1:
        table["source"] = comparison["source"]
    heading = HEADINGS[sources[0]] if len(sources) == 1 else MIXED
    below = [
        f"always the answer that is more frequent in training: {comparison['majority_accuracy'].iloc[0]:.4f}",
        *describe_untrained(comparison, losses, variants),
    ]
    return f"\n{heading}\n\n{_render_apart(table)}\n\n" + "\n".join(below) + "\n"


def _render_apart(table: pd.DataFrame) -> str:
    """Write a table of variants, those beyond the article apart from its own."""
    is_the_articles = table["variant"].isin(ARTICLE_VARIANTS)
    heads_and_rows = table.to_string(index=False).splitlines()
    heads, rows = heads_and_rows[0], heads_and_rows[1:]
    articles, others = (
        [row for row, is_its in zip(rows, is_the_articles, strict=True) if is_its == kind]
        for kind in (True, False)
    )
    apart = ["", "beyond the article:"] if articles and others else []
    return "\n".join([heads, *articles, *apart, *others])


def render_study(summary: pd.DataFrame, variants: Mapping[str, Variant]) -> str:
    """Write the study's summary as a table, and what it says in a few sentences."""
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
    said = "\n".join(describe_study(summary, variants))
    return f"\n{heading}\n\n{_render_apart(table)}\n\n{said}\n"
