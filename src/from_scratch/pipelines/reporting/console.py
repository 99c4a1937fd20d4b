"""What a run prints after each part of the pipeline, and at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from from_scratch.article import VARIANTS as ARTICLE_VARIANTS
from from_scratch.pipelines.reporting.nodes import compare_metrics
from from_scratch.pipelines.reporting.sentences import (
    describe_leaks,
    describe_question,
    describe_rarity,
    describe_study_of_rare,
    describe_undefined,
    describe_untrained,
    find_yardstick,
    format_percent,
    format_points,
    name_baseline,
)
from from_scratch.pipelines.reporting.study_sentences import describe_study
from from_scratch.schema.parameters import Parameters, Variant
from from_scratch.schema.validation import shorten
from from_scratch.scoring import choose_yardstick

ORIGINAL = "source: original (Kaggle's passengers)"
MIXED = "source: MIXED (these variants were trained on different data; train all of them again)"
NO_VALUE = "-"


def describe_box(
    box: str, made: Iterable[str], catalog: CatalogProtocol[Any, Any], parameters: Parameters
) -> list[str]:
    """Describe the outputs of one part of the pipeline, a box in Kedro-Viz.

    Args:
        box: The part's name.
        made: Its outputs. Only small ones are loaded.
        catalog: The run's catalog.
        parameters: The run's parameters.

    Returns:
        Phrases: the number of rows, if it read the file; for a variant, the loss in the first and the last
        epoch, and its accuracy (ROC AUC, if one answer is rare); for the study, its number of trainings.
    """
    phrases = []
    if "source" in made:
        source = catalog.load("source")
        phrases.append(f"{source['rows']:,} rows of {shorten(source['file'])}")
    if f"{box}.losses" in made:
        losses = catalog.load(f"{box}.losses")["loss"]
        phrases.append(f"loss {losses.iloc[0]:.3f} → {losses.iloc[-1]:.3f}")
    if f"{box}.metrics" in made:
        metrics = catalog.load(f"{box}.metrics")
        yardstick = choose_yardstick(metrics)
        phrases.append(f"{yardstick.name} {metrics[yardstick.metric]:.4f}")
    if "stability_runs" in made:
        trainings = len(parameters.studied) * parameters.stability.seeds * parameters.stability.splits
        phrases.append(f"{trainings:,} trainings")
    return phrases


def render_results(
    pipeline: Pipeline, catalog: CatalogProtocol[Any, Any], parameters: Parameters, env: str | None = None
) -> list[str]:
    """Describe the results of a run in an environment.

    Returns:
        A text for each of these outputs of the pipeline: predictions for new rows, the comparison of the
        scored variants, the study, and the report.
    """
    outputs = pipeline.all_outputs()
    option = f" --env {env}" if env else ""
    texts = []
    if "submission" in outputs:
        texts.append(_render_predictions(catalog, parameters.inference.variant, option))
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
        texts.append(
            render_study(
                catalog.load("stability_summary"),
                catalog.load("stability_runs"),
                parameters.variants,
                comparison,
            )
        )
    if "report" in outputs:
        make = f"KEDRO_ENV={env} make report" if env else "make report"
        texts.append(f"Open the report with `{make}`; `kedro runs path report{option}` prints its path.\n")
    return texts


def _render_predictions(catalog: CatalogProtocol[Any, Any], variant: str, option: str) -> str:
    """Count how often each answer is predicted, and name the commands that print where they are."""
    answers = catalog.load("submission").iloc[:, -1]
    file = catalog.load(f"{variant}.metrics")["file"]
    rows = "row" if len(answers) == 1 else "rows"
    counts = " and ".join(f"{value} for {count:,}" for value, count in answers.value_counts().items())
    return (
        f"\n{variant}, trained on {file}, predicts {len(answers):,} {rows}:\n{answers.name} is {counts}.\n"
        f"Predictions: `kedro runs path submission{option}`; "
        f"scores: `kedro runs path new_predictions{option}`.\n"
    )


def render_comparison(
    comparison: pd.DataFrame, losses: Mapping[str, pd.DataFrame], variants: Mapping[str, Variant]
) -> str:
    """Render the comparison that `compare` returns as a table, below the source of the rows.

    The article's variants come first, and the baseline last. Warnings follow: columns that give the answer
    away, an answer that is too rare for accuracy, measures that are not defined, and variants that may have
    learnt nothing.
    """
    first = comparison.iloc[0]
    accuracy = {
        "valid accuracy": [*_format(comparison["valid_accuracy"]), f"{first['majority_accuracy']:.4f}"],
        "95 % interval": _format_interval(comparison, "valid_accuracy"),
    }
    ranks = {"ROC AUC": [*_format(comparison["valid_roc_auc"]), "0.5000"]}
    if is_rare := find_yardstick(comparison).metric == "valid_roc_auc":
        accuracy.pop("95 % interval")
        ranks |= {
            "95 % interval": _format_interval(comparison, "valid_roc_auc"),
            "average precision": [
                *_format(comparison["valid_average_precision"]),
                f"{first['valid_positives'] / first['valid_rows']:.4f}",
            ],
        }
    columns = {"variant": [*comparison["variant"], name_baseline(comparison)]}
    columns |= ranks | accuracy if is_rare else accuracy | ranks
    sources = comparison["source"].unique().tolist()
    if "original" in sources:
        columns["article"] = [*_format(comparison["article_accuracy"]), NO_VALUE]
    columns["last loss"] = [*comparison["last_loss"].map("{:.3f}".format), NO_VALUE]
    columns["epochs"] = [*comparison["epochs"].map(str), NO_VALUE]
    if comparison["loss"].nunique() > 1:
        columns["loss"] = [*comparison["loss"].str.replace("_", " "), NO_VALUE]
    if len(sources) > 1:
        columns["source"] = [*comparison["source"], NO_VALUE]
    table = _render_table(pd.DataFrame(columns), "original" in sources, has_baseline=True)
    warnings = [
        *describe_leaks(comparison),
        *describe_rarity(comparison),
        *describe_undefined(comparison, ["roc_auc"]),
        *describe_untrained(comparison, losses, variants),
    ]
    text = "\n".join(["", *warnings]) + "\n" if warnings else ""
    return f"\n{_describe_source(comparison)}\n\n{table}\n{text}"


def _describe_source(comparison: pd.DataFrame) -> str:
    sources = comparison["source"].unique().tolist()
    if len(sources) > 1:
        return MIXED
    return ORIGINAL if sources == ["original"] else f"source: own ({describe_question(comparison)})"


def _format(shares: Iterable[float]) -> list[str]:
    return [NO_VALUE if pd.isna(share) else f"{share:.4f}" for share in shares]


def _format_interval(comparison: pd.DataFrame, metric: str) -> list[str]:
    """Format each variant's interval; the last row, the baseline, has none."""
    ends = comparison[[f"{metric}_low", f"{metric}_high"]].itertuples(index=False)
    return [*(f"{low:.3f} to {high:.3f}" for low, high in ends), NO_VALUE]


def _render_table(table: pd.DataFrame, is_original: bool, has_baseline: bool = False) -> str:
    """Render a table of variants; on the article's data, those beyond the article follow below a heading."""
    heads, *rows = table.to_string(index=False).splitlines()
    last = [rows.pop()] if has_baseline else []
    articles: list[str] = []
    others: list[str] = []
    for row, variant in zip(rows, table["variant"], strict=False):
        (articles if variant in ARTICLE_VARIANTS else others).append(row)
    if is_original and articles and others:
        rows = [*articles, "", "beyond the article:", *others, *[""] * has_baseline]
    return "\n".join([heads, *rows, *last])


def render_study(
    summary: pd.DataFrame,
    runs: pd.DataFrame,
    variants: Mapping[str, Variant],
    comparison: pd.DataFrame | None = None,
) -> str:
    """Render the study's summary as a table, with a few sentences below it.

    The comparison of the same run shows whether the data is the article's, and whether one answer is rare.
    """
    is_original = comparison is None or "original" in comparison["source"].tolist()
    caveat = [] if comparison is None else describe_study_of_rare(comparison)
    rows = summary.to_dict("records")
    reference = rows[0]["reference"]
    table = pd.DataFrame(
        {
            "variant": [row["variant"] for row in rows],
            "mean accuracy": [f"{row['mean']:.4f}" for row in rows],
            "95 % interval": [f"{row['mean_low']:.3f} to {row['mean_high']:.3f}" for row in rows],
            "at baseline": [format_percent(row["at_majority"]) for row in rows],
            f"points against {reference}": [
                NO_VALUE if pd.isna(row["difference"]) else format_points(row["difference"]) for row in rows
            ],
            "95 % interval ": [
                NO_VALUE
                if pd.isna(row["difference"])
                else f"{format_points(row['difference_low'])} to {format_points(row['difference_high'])}"
                for row in rows
            ],
        }
    )
    heading = f"stability: {rows[0]['seeds']:,} seeds on {rows[0]['splits']:,} splits"
    sentences = "\n".join([*caveat, *describe_study(summary, runs, variants)])
    return f"\n{heading}\n\n{_render_table(table, is_original)}\n\n{sentences}\n"
