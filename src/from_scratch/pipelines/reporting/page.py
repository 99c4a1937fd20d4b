"""The report: one page that holds all it needs."""

from __future__ import annotations

from importlib.resources import files
from itertools import groupby
from typing import Any

import jinja2
import pandas as pd

from from_scratch.pipelines.reporting import stability_words, words
from from_scratch.pipelines.reporting.gathering import PreparedData, Results
from from_scratch.pipelines.reporting.nodes import GROUPING, SMALLEST_GROUP, compare
from from_scratch.pipelines.reporting.plots import Plot, find_largest, look_of

CATEGORIES = 8
"""Of how many categories of a column the report counts the rows."""


def write_report(
    data: PreparedData,
    results: dict[str, Results],
    disagreements: pd.DataFrame,
    groups: pd.DataFrame,
    article_figures: pd.DataFrame,
    accuracy_plot: Plot,
    loss_plot: Plot,
    coefficient_plot: Plot,
    group_plot: Plot,
    stability_summary: pd.DataFrame | None = None,
    stability_plot: Plot | None = None,
) -> str:
    """Write what came out as a page of HTML.

    The same inputs give the same page: neither the run nor the time stands in it.

    Args:
        data: The prepared data.
        results: What each variant reached.
        disagreements: A row for each two variants.
        groups: A row for each group.
        article_figures: A row for each figure of the article; none if the passengers are not the article's.
        accuracy_plot: Each variant's accuracy with its interval.
        loss_plot: How the losses fell.
        coefficient_plot: The coefficients of the simplest variants.
        group_plot: What the variants predict for each group.
        stability_summary: What the study says of each variant, if there was one.
        stability_plot: How the accuracies of the study's runs are spread.

    Returns:
        The page. It asks no host for anything: styles, plots and plotly.js are in it.
    """
    comparison = compare(results)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("from_scratch.pipelines.reporting", "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    largest = find_largest(groups)
    hidden = data.source["rows"] - int(groups["rows"].sum())
    rows, same = len(data.valid["dependent"]), article_figures["same"]
    return environment.get_template("report.html").render(
        data=data,
        results=results,
        look=look_of(results),
        comparison=comparison.astype(object).where(comparison.notna(), None).to_dict("records"),
        source=words.say_source(comparison),
        sentences=[
            words.say_differences(comparison),
            words.say_majority(comparison),
            *words.say_disagreements(disagreements, rows),
        ],
        disagreements=_square(disagreements, list(results)),
        groups=largest.to_dict("records"),
        hidden_groups=len(groups) - len(largest),
        grouping=[one.column for one in data.columns.categorical[:GROUPING]],
        counts=_list_largest_categories(data),
        preparation=words.say_preparation(data.columns),
        filling=words.say_filling(data.columns),
        hidden_rows=hidden,
        learnt=[] if len(groups) > len(largest) else words.say_groups(groups, list(results), hidden),
        article=_by_title(article_figures),
        article_same=int(same.sum()),
        article_rounded=int(
            (article_figures["same"] & (article_figures["article"] != article_figures["ours"])).sum()
        ),
        article_count=len(article_figures),
        study=None if stability_summary is None else _tell_study(stability_summary),
        plots={
            "accuracies": accuracy_plot,
            "losses": loss_plot,
            "coefficients": coefficient_plot,
            "groups": group_plot,
            **({} if stability_plot is None else {"stability": stability_plot}),
        },
        plotly_js=(files("plotly") / "package_data" / "plotly.min.js").read_text(encoding="utf-8"),
    )


def _tell_study(summary: pd.DataFrame) -> dict[str, Any]:
    """Put the study's sentences and its table's rows together."""
    return {
        "sentences": [stability_words.say_better(summary), stability_words.say_training(summary)],
        "rows": summary.astype(object).where(summary.notna(), None).to_dict("records"),
        "percent": stability_words.format_percent,
        "points": stability_words.format_points,
    }


def _square(disagreements: pd.DataFrame, variants: list[str]) -> dict[str, dict[str, int | None]]:
    """Arrange the numbers of disagreements as a square table, empty where a variant would meet itself."""
    square: dict[str, dict[str, int | None]] = {one: dict.fromkeys(variants) for one in variants}
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
