"""What a run prints of its boxes, and at its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline

from from_scratch.article import VARIANTS as ARTICLE_VARIANTS
from from_scratch.pipelines.reporting.nodes import compare_metrics
from from_scratch.pipelines.reporting.sentences import (
    ask,
    describe_leaks,
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
MIXED = "source: MIXED (not all of these saw the same data: run everything again)"
NONE = "-"


def describe_box(
    box: str, made: Iterable[str], catalog: CatalogProtocol[Any, Any], parameters: Parameters
) -> list[str]:
    """Describe what a box of the pipeline made, from the small ones of these datasets.

    Returns:
        Phrases: the rows, if it read the file; a variant's loss in the first and the last epoch, and what
        decides between variants, its accuracy or where positive rows are rare its ROC AUC; how large a study
        was.
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
    """Write what a run, in an environment, reached.

    Returns:
        A text for each of these that the pipeline has: predictions for new rows, the comparison of variants
        that were scored, the study, and the report.
    """
    outputs = pipeline.all_outputs()
    option = f" --env {env}" if env else ""
    texts = []
    if "submission" in outputs:
        texts.append(_render_answers(catalog, parameters.inference.variant, option))
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
        texts.append(f"The report: `{make}` opens it, `kedro runs path report{option}` says where it is.\n")
    return texts


def _render_answers(catalog: CatalogProtocol[Any, Any], variant: str, option: str) -> str:
    """Count how often each answer was given, and say where they are."""
    answers = catalog.load("submission").iloc[:, -1]
    file = catalog.load(f"{variant}.metrics")["file"]
    rows = "row" if len(answers) == 1 else "rows"
    counts = " and ".join(f"{value} in {count:,}" for value, count in answers.value_counts().items())
    return (
        f"\n{variant}, trained on {file}, answers {len(answers):,} {rows}:\n{answers.name} is {counts}.\n"
        f"The answers: `kedro runs path submission{option}`; "
        f"the scores: `kedro runs path new_predictions{option}`.\n"
    )


def render_comparison(
    comparison: pd.DataFrame, losses: Mapping[str, pd.DataFrame], variants: Mapping[str, Variant]
) -> str:
    """Write the comparison, as `compare` returns it, as a table headed by where the rows come from.

    The article's variants come first, and the baseline last. Below it stands why accuracy decides nothing,
    where that is so, what is not defined, which variants may have learnt nothing, and what helps.
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
        columns["article"] = [*_format(comparison["article_accuracy"]), NONE]
    columns["last loss"] = [*comparison["last_loss"].map("{:.3f}".format), NONE]
    columns["epochs"] = [*comparison["epochs"].map(str), NONE]
    if comparison["loss"].nunique() > 1:
        columns["loss"] = [*comparison["loss"].str.replace("_", " "), NONE]
    if len(sources) > 1:
        columns["source"] = [*comparison["source"], NONE]
    table = _render_apart(pd.DataFrame(columns), "original" in sources, has_baseline=True)
    below = [
        *describe_leaks(comparison),
        *describe_rarity(comparison),
        *describe_undefined(comparison, ["roc_auc"]),
        *describe_untrained(comparison, losses, variants),
    ]
    said = "\n".join(["", *below]) + "\n" if below else ""
    return f"\n{_head(comparison)}\n\n{table}\n{said}"


def _head(comparison: pd.DataFrame) -> str:
    sources = comparison["source"].unique().tolist()
    if len(sources) > 1:
        return MIXED
    return ORIGINAL if sources == ["original"] else f"source: own ({ask(comparison)})"


def _format(shares: Iterable[float]) -> list[str]:
    return [NONE if pd.isna(share) else f"{share:.4f}" for share in shares]


def _format_interval(comparison: pd.DataFrame, metric: str) -> list[str]:
    """Write each variant's interval; the baseline, which is last, has none."""
    ends = comparison[[f"{metric}_low", f"{metric}_high"]].itertuples(index=False)
    return [*(f"{low:.3f} to {high:.3f}" for low, high in ends), NONE]


def _render_apart(table: pd.DataFrame, is_original: bool, has_baseline: bool = False) -> str:
    """Write a table of variants; on the article's data, those beyond the article stand apart from its own."""
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
    """Write the study's summary as a table, and what it says in a few sentences.

    The comparison of the same run says whose data it is of, and whether positive rows are rare.
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
    said = "\n".join([*caveat, *describe_study(summary, runs, variants)])
    return f"\n{heading}\n\n{_render_apart(table, is_original)}\n\n{said}\n"
