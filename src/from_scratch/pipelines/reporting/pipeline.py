"""The report: what the variants reached, what they learnt, how they differ, as tables, plots and a page."""

from collections.abc import Iterable

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines.reporting.article import compare_with_article
from from_scratch.pipelines.reporting.gathering import collect, gather_data, gather_results
from from_scratch.pipelines.reporting.nodes import compare, compare_answers, compare_groups, name_coefficients
from from_scratch.pipelines.reporting.page import write_report
from from_scratch.pipelines.reporting.plots import (
    plot_accuracies,
    plot_coefficients,
    plot_groups,
    plot_losses,
)
from from_scratch.pipelines.reporting.stability_plot import plot_stability


def create_pipeline(variants: Iterable[str], study: bool = False) -> Pipeline:
    """Build the report.

    What it reads is gathered in one bundle for each box of Kedro-Viz, inside that box: with a line for each
    dataset the graph of all pipelines could not be read.

    Args:
        variants: The variants' names.
        study: Whether the study of stability is in the report.

    Returns:
        The pipeline, from what data processing and the variants made to `comparison` and `report`.
    """
    names = list(variants)
    page = [
        "prepared_data",
        "results",
        "disagreements",
        "groups",
        "article_figures",
        "accuracy_plot",
        "loss_plot",
        "coefficient_plot",
        "group_plot",
    ]
    nodes = [
        node(collect, {name: f"{name}.results" for name in names}, "results", name="collect"),
        node(compare, "results", "comparison", name="compare"),
        node(name_coefficients, ["prepared_data", "results"], "named_coefficients", name="name_coefficients"),
        node(compare_answers, ["prepared_data", "results"], "disagreements", name="compare_answers"),
        node(compare_groups, ["prepared_data", "results"], "groups", name="compare_groups"),
        node(
            compare_with_article, ["prepared_data", "results"], "article_figures", name="compare_with_article"
        ),
        node(plot_accuracies, "results", "accuracy_plot", name="plot_accuracies"),
        node(plot_losses, "results", "loss_plot", name="plot_losses"),
        node(
            plot_coefficients, ["named_coefficients", "results"], "coefficient_plot", name="plot_coefficients"
        ),
        node(plot_groups, ["groups", "results"], "group_plot", name="plot_groups"),
    ]
    if study:
        runs = ["stability_runs", "stability_summary"]
        nodes.append(node(plot_stability, [*runs, "results"], "stability_plot", name="plot_stability"))
        page += ["stability_summary", "stability_plot"]
    nodes.append(node(write_report, page, "report", name="write_report"))
    report = pipeline(nodes, namespace="reporting", prefix_datasets_with_namespace=False, tags="reporting")
    return sum([_gather_data(), *map(_gather_results, names)], report)


def _gather_data() -> Pipeline:
    """Gather what data processing made, in its box."""
    counts = ["source", "missing_values", "category_counts"]
    inputs = [*counts, *"fill_values categories features model_input train valid".split()]
    parameters = [f"params:{name}" for name in ("features", "split", "threads", "precision")]
    nodes = [node(gather_data, inputs + parameters, "prepared_data", name="gather_data")]
    return pipeline(
        nodes, namespace="data_processing", prefix_datasets_with_namespace=False, tags="reporting"
    )


def _gather_results(variant: str) -> Pipeline:
    """Gather what a variant reached, in its box."""
    outputs = "initial_coefficients coefficients losses predictions metrics".split()
    nodes = [node(gather_results, ["params:model", *outputs], "results", name="gather_results")]
    return pipeline(
        nodes, namespace=variant, parameters={"params:model": f"params:variants.{variant}"}, tags="reporting"
    )
