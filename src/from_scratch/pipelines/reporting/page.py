"""The report: one self-contained HTML page."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
import pandas as pd
import torch
from plotly.graph_objects import Figure

from from_scratch.article import VARIANTS
from from_scratch.models import MODELS
from from_scratch.pipelines.reporting import sentences
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.drawings import (
    MAX_CELLS,
    count_errors,
    draw_calibration,
    draw_sparkline,
    draw_units,
    find_dead_units,
)
from from_scratch.pipelines.reporting.nodes import GROUPING_COLUMNS, MIN_GROUP_ROWS, compare
from from_scratch.pipelines.reporting.playground import make_playground
from from_scratch.pipelines.reporting.plots import GLYPHS
from from_scratch.pipelines.reporting.study_sentences import (
    describe_changes,
    describe_depth,
    describe_luck,
    describe_study,
    describe_training,
)
from from_scratch.pipelines.reporting.verdict import describe_verdict
from from_scratch.pipelines.reporting.words import name_answers, name_column
from from_scratch.scoring import THRESHOLD
from kedro_ledger.styles import assign_styles

MAX_CATEGORIES = 8
"""Maximum number of categories of a column in the table of categories."""
MAX_GROUPS = 24


def write_report(
    data: PreparedData,
    results: dict[str, Results],
    disagreements: pd.DataFrame,
    groups: pd.DataFrame,
    article_figures: pd.DataFrame,
    accuracy_plot: Figure,
    loss_plot: Figure,
    epoch_accuracy_plot: Figure,
    coefficient_plot: Figure,
    stability_runs: pd.DataFrame | None = None,
    stability_summary: pd.DataFrame | None = None,
    stability_plot: Figure | None = None,
) -> str:
    """Render the report as an HTML page.

    The page is made from the outputs of this pipeline's nodes, and of the study's, if it was run. The same
    inputs give the same bytes: the page contains neither the run's id nor a time. Styles, scripts, plots and
    plotly.js are embedded, so the page loads nothing.
    """
    comparison = compare(results)
    is_rare = sentences.find_yardstick(comparison).metric == "valid_roc_auc"
    losses = {variant: result.losses for variant, result in results.items()}
    variants = {variant: result.variant for variant, result in results.items()}
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("from_scratch.pipelines.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    largest = groups.loc[sorted(groups["rows"].nlargest(MAX_GROUPS).index)]
    is_small = largest["rows"] < MIN_GROUP_ROWS
    styles = assign_styles(results)
    certainties = {
        variant: count_errors(result.predictions["valid"], data.valid["dependent"], THRESHOLD)
        for variant, result in results.items()
    }
    plots = {
        "accuracies": accuracy_plot,
        "losses": loss_plot,
        "epoch_accuracies": epoch_accuracy_plot,
        "coefficients": coefficient_plot,
        "stability": stability_plot,
    }
    study, study_verdict = None, []
    if stability_summary is not None and stability_runs is not None:
        changes = list(describe_changes(stability_summary, variants))
        study_verdict = sentences.describe_study_of_rare(comparison) or [
            *describe_depth(stability_summary, stability_runs, variants),
            *(changes or [describe_training(stability_summary)]),
            *describe_luck(stability_summary, comparison),
        ]
        study = {
            "sentences": describe_study(stability_summary, stability_runs, variants),
            "rows": _list_rows(stability_summary),
        }
    return environment.get_template("report.html").render(
        data=data,
        results=results,
        styles=styles,
        glyphs=GLYPHS,
        answers=name_answers(data),
        playground=make_playground(data, results),
        cards={
            variant: _describe_card(result, styles[variant]["color"]) for variant, result in results.items()
        },
        practice={name: sentences.describe_practice(variant) for name, variant in variants.items()},
        first_beyond=_find_first_beyond(list(results)) if data.is_original else None,
        comparison=_list_rows(comparison),
        source=sentences.describe_source(comparison),
        baseline=sentences.name_baseline(comparison),
        is_rare=is_rare,
        undefined=sentences.describe_undefined(comparison),
        warnings=[*sentences.describe_leaks(comparison), *sentences.describe_rarity(comparison)],
        study_verdict=study_verdict,
        verdict=describe_verdict(comparison, disagreements, variants),
        learnt=[
            sentences.describe_baseline(comparison),
            *sentences.describe_untrained(comparison, losses, variants, name_unsure=False),
        ],
        differences=sentences.describe_differences(comparison),
        # The sign test compares answers, as accuracy does.
        sign_tests=[]
        if is_rare
        else sentences.describe_disagreements(disagreements, len(data.valid["dependent"])),
        certainty=sentences.describe_certainty(certainties, variants),
        certainties=certainties,
        calibrations={
            variant: draw_calibration(
                result.predictions["valid"],
                data.valid["dependent"],
                styles[variant]["color"],
                f"{variant}: the share of positive rows against their scores",
                min_rows=1 if data.is_original else MIN_GROUP_ROWS,
            )
            for variant, result in results.items()
        },
        units=_draw_hidden_units(data, results),
        disagreements=_square(disagreements, list(results)),
        same_groups=sentences.describe_same_groups(groups, list(results)),
        groups=largest[~is_small].to_dict("records"),
        small_groups=largest[is_small].to_dict("records"),
        hidden_groups=len(groups) - len(largest),
        grouping=[name_column(data, column.column) for column in data.columns.categorical[:GROUPING_COLUMNS]],
        counts=_list_largest_categories(data),
        preparation=sentences.describe_preparation(data.columns),
        filling=sentences.describe_filling(data.columns),
        hidden_rows=data.source["rows"] - int(groups["rows"].sum()),
        article=_by_title(article_figures),
        article_verdict=_count_figures(article_figures),
        study=study,
        caveat=sentences.describe_study_of_rare(comparison),
        percent=sentences.format_percent,
        points=sentences.format_points,
        join=sentences.join,
        plots={name: _to_json(figure) for name, figure in plots.items() if figure is not None},
        plotly_js=(files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"),
    )


def _describe_card(result: Results, color: str) -> dict[str, Any]:
    """Return the contents of a variant's card: formula, idea, number of coefficients, and losses."""
    # The first line of a model's docstring is its formula, a colon, and its idea.
    words = MODELS[result.variant.model].predict.__doc__ or ""
    formula, _, idea = words.partition("\n")[0].partition(": ")
    return {
        "formula": formula if "=" in formula else "",
        "idea": idea,
        "numbers": sum(tensor.numel() for tensor in result.coefficients.values()),
        "losses": draw_sparkline(result.losses["loss"].astype("float64").tolist(), color),
    }


def _draw_hidden_units(data: PreparedData, results: dict[str, Results]) -> dict[str, dict[str, Any]]:
    """Draw the first hidden layer of each variant that has one, unless it is too large."""
    drawn = {}
    features = data.features.columns.tolist()
    for variant, result in results.items():
        weights = result.coefficients.get("layer1")
        if weights is None or weights.numel() > MAX_CELLS or len(weights) != len(features):
            continue
        kept = result.coefficients
        constants = kept.get("bias1", kept.get("constant1", torch.zeros(())))
        dead = find_dead_units(weights, constants, data.model_input["independent"])
        words = f"{variant}: the weights of each hidden unit, {sum(dead)} of {len(dead)} of which are dead"
        drawn[variant] = {
            "drawing": draw_units(weights, dead, features, words),
            "dead": sum(dead),
            "units": len(dead),
        }
    return drawn


def _count_figures(article_figures: pd.DataFrame) -> str:
    """Describe how many of the article's figures this run reproduces; an empty text if there are none."""
    if article_figures.empty:
        return ""
    same = article_figures["same"]
    rounded = int((same & (article_figures["article"] != article_figures["ours"])).sum())
    count, exact = len(article_figures), int(same.sum()) - rounded
    if exact == count:
        return (
            f"This run reproduces all {count:,} figures that the article prints, to the last printed digit."
        )
    sentence = f"Of {count:,} figures that the article prints, this run reproduces {exact:,}"
    sentence += " to the last printed digit"
    sentence += (
        f"; {rounded:,} {'differs' if rounded == 1 else 'differ'} by one in that digit" if rounded else ""
    )
    different = count - exact - rounded
    return (
        f"{sentence}; {different:,} {'is' if different == 1 else 'are'} different."
        if different
        else f"{sentence}."
    )


def _find_first_beyond(variants: list[str]) -> str | None:
    """Return the first variant beyond the article, if the article's variants all come before it."""
    beyond = [variant for variant in variants if variant not in VARIANTS]
    split = len(variants) - len(beyond)
    return beyond[0] if split > 0 and beyond and variants[split:] == beyond else None


def _list_rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """Return a table's rows, with None for missing values."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _to_json(figure: Figure) -> dict[str, Any]:
    """Return a figure as plotly.js reads it, without the empty template."""
    plot: dict[str, Any] = figure.to_dict()
    plot["layout"].pop("template", None)
    return plot


def _square(disagreements: pd.DataFrame, variants: list[str]) -> dict[str, dict[str, int | None]]:
    """Arrange the numbers of disagreements as a square table, with None on the diagonal."""
    square: dict[str, dict[str, int | None]] = {variant: dict.fromkeys(variants) for variant in variants}
    for pair in disagreements.to_dict("records"):
        square[pair["variant"]][pair["other"]] = pair["disagreements"]
        square[pair["other"]][pair["variant"]] = pair["disagreements"]
    return square


def _list_largest_categories(data: PreparedData) -> list[tuple[str, str, int]]:
    """List the largest categories of each column with their rows, without small ones of private data."""
    listed = []
    for column, counts in data.category_counts.items():
        least = sorted(counts.values(), reverse=True)[:MAX_CATEGORIES][-1] if counts else 0
        least = least if data.is_original else max(least, MIN_GROUP_ROWS)
        shown = [(column, category, rows) for category, rows in counts.items() if rows >= least]
        listed += shown[:MAX_CATEGORIES]
    return listed


def _by_title(article_figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Group the article's figures by their titles, in the article's order."""
    titled = groupby(article_figures.to_dict("records"), lambda figure: (figure["section"], figure["title"]))
    groups = [(heading, list(figures)) for heading, figures in titled]
    return [
        {
            "section": section,
            "title": title,
            "figures": figures,
            "same": sum(figure["same"] for figure in figures),
            "is_same": all(figure["same"] for figure in figures),
            "is_rounded": any(figure["same"] and figure["article"] != figure["ours"] for figure in figures),
        }
        for (section, title), figures in groups
    ]
