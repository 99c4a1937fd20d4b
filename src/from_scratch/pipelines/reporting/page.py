"""The report: one page that holds all it needs."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
import pandas as pd
from plotly.graph_objects import Figure

from from_scratch.article import VARIANTS
from from_scratch.pipelines.reporting import sentences
from from_scratch.pipelines.reporting.bundles import PreparedData, Results
from from_scratch.pipelines.reporting.nodes import GROUPING, SMALLEST_GROUP, compare
from from_scratch.pipelines.reporting.plots import find_largest, look_of
from from_scratch.schema.parameters import Variant

CATEGORIES = 8
"""Of how many categories of a column the report counts the rows."""


def write_report(
    data: PreparedData,
    results: dict[str, Results],
    disagreements: pd.DataFrame,
    groups: pd.DataFrame,
    article_figures: pd.DataFrame,
    accuracy_plot: Figure,
    loss_plot: Figure,
    coefficient_plot: Figure,
    group_plot: Figure,
    stability_summary: pd.DataFrame | None = None,
    stability_plot: Figure | None = None,
) -> str:
    """Write what came out as a page of HTML.

    It is made from what the nodes of this pipeline return, and from the study's summary, if there was one.
    The same inputs give the same page: neither the run nor the time stands in it. It asks no host for
    anything: styles, plots and plotly.js are in it.
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
    largest = find_largest(groups)
    hidden = data.source["rows"] - int(groups["rows"].sum())
    same = article_figures["same"]
    rounded = same & (article_figures["article"] != article_figures["ours"])
    plots = {
        "accuracies": accuracy_plot,
        "losses": loss_plot,
        "coefficients": coefficient_plot,
        "groups": group_plot,
        "stability": stability_plot,
    }
    return environment.get_template("report.html").render(
        data=data,
        results=results,
        look=look_of(results),
        practice={name: sentences.describe_practice(variant) for name, variant in variants.items()},
        first_beyond=_find_first_beyond(list(results)) if data.is_original else None,
        comparison=_list_rows(comparison),
        source=sentences.describe_source(comparison),
        baseline=sentences.name_baseline(comparison),
        is_rare=is_rare,
        undefined=sentences.describe_undefined(comparison),
        sentences=[
            *sentences.describe_leaks(comparison),
            *sentences.describe_rarity(comparison),
            sentences.describe_differences(comparison),
            sentences.describe_baseline(comparison),
            *sentences.describe_untrained(comparison, losses, variants),
            # Of answers, as accuracy is.
            *(
                []
                if is_rare
                else sentences.describe_disagreements(disagreements, len(data.valid["dependent"]))
            ),
        ],
        disagreements=_square(disagreements, list(results)),
        groups=largest.to_dict("records"),
        hidden_groups=len(groups) - len(largest),
        grouping=[column.column for column in data.columns.categorical[:GROUPING]],
        counts=_list_largest_categories(data),
        preparation=sentences.describe_preparation(data.columns),
        filling=sentences.describe_filling(data.columns),
        hidden_rows=hidden,
        learnt=[] if len(groups) > len(largest) else sentences.describe_groups(groups, list(results), hidden),
        article=_by_title(article_figures),
        article_same=int(same.sum()),
        article_rounded=int(rounded.sum()),
        article_count=len(article_figures),
        study=None if stability_summary is None else _describe_study(stability_summary, variants),
        caveat=sentences.describe_study_of_rare(comparison),
        percent=sentences.format_percent,
        points=sentences.format_points,
        plots={name: _to_json(figure) for name, figure in plots.items() if figure is not None},
        plotly_js=(files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"),
    )


def _find_first_beyond(variants: list[str]) -> str | None:
    """Find the variant from which on all are beyond the article, where some before it are the article's."""
    beyond = [variant for variant in variants if variant not in VARIANTS]
    split = len(variants) - len(beyond)
    return beyond[0] if split > 0 and beyond and variants[split:] == beyond else None


def _describe_study(summary: pd.DataFrame, variants: Mapping[str, Variant]) -> dict[str, Any]:
    """Put the study's sentences and its table's rows together."""
    return {"sentences": sentences.describe_study(summary, variants), "rows": _list_rows(summary)}


def _list_rows(table: pd.DataFrame) -> list[dict[Any, Any]]:
    """List a table's rows, with None where there is no value."""
    return table.astype(object).where(table.notna(), None).to_dict("records")


def _to_json(figure: Figure) -> dict[str, Any]:
    """Take a figure apart for plotly.js, which needs no empty template."""
    plot: dict[str, Any] = figure.to_dict()
    plot["layout"].pop("template", None)
    return plot


def _square(disagreements: pd.DataFrame, variants: list[str]) -> dict[str, dict[str, int | None]]:
    """Arrange the numbers of disagreements as a square table, empty where a variant would meet itself."""
    square: dict[str, dict[str, int | None]] = {variant: dict.fromkeys(variants) for variant in variants}
    for pair in disagreements.to_dict("records"):
        square[pair["variant"]][pair["other"]] = pair["disagreements"]
        square[pair["other"]][pair["variant"]] = pair["disagreements"]
    return square


def _list_largest_categories(data: PreparedData) -> list[tuple[str, str, int]]:
    """List of each column the largest categories with their rows; none that is nearly a person."""
    listed = []
    for column, counts in data.category_counts.items():
        least = sorted(counts.values(), reverse=True)[:CATEGORIES][-1] if counts else 0
        least = least if data.is_original else max(least, SMALLEST_GROUP)
        shown = [(column, category, rows) for category, rows in counts.items() if rows >= least]
        listed += shown[:CATEGORIES]
    return listed


def _by_title(article_figures: pd.DataFrame) -> list[dict[str, Any]]:
    """Put the article's figures under their titles, in their order."""
    titled = groupby(article_figures.to_dict("records"), lambda figure: (figure["section"], figure["title"]))
    groups = [(place, list(figures)) for place, figures in titled]
    return [
        {
            "section": section,
            "title": title,
            "figures": figures,
            "same": sum(figure["same"] for figure in figures),
        }
        for (section, title), figures in groups
    ]
