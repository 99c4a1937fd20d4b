"""The pipeline that compares the variants: tables, plots and the report."""

from collections.abc import Callable, Iterable
from typing import Any

from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.pipelines import training
from from_scratch.pipelines.reporting.article import compare_with_article
from from_scratch.pipelines.reporting.bundles import PreparedData, Results, collect
from from_scratch.pipelines.reporting.coefficient_plots import plot_coefficients
from from_scratch.pipelines.reporting.learning_plots import plot_epoch_accuracies, plot_losses
from from_scratch.pipelines.reporting.nodes import (
    compare,
    compare_answers,
    compare_groups,
    name_coefficients,
    trace_accuracies,
)
from from_scratch.pipelines.reporting.page import write_report
from from_scratch.pipelines.reporting.plots import plot_accuracies, plot_stability


def create_pipeline(variants: Iterable[str], study: bool = False) -> Pipeline:
    """Build the pipeline.

    Its inputs are gathered in one bundle for each box of Kedro-Viz, inside that box: with a line for each
    dataset, the graph of all pipelines would be unreadable.

    Args:
        variants: The names of the variants.
        study: Whether to include the study's results.

    Returns:
        The pipeline, from the outputs of data processing and of the variants to `comparison` and `report`.
    """
    names = list(variants)
    both = ["prepared_data", "results"]
    steps: list[tuple[Callable[..., Any], Any, str]] = [
        (collect, {name: f"{name}.results" for name in names}, "results"),
        (compare, "results", "comparison"),
        (name_coefficients, both, "named_coefficients"),
        (compare_answers, both, "disagreements"),
        (compare_groups, both, "groups"),
        (compare_with_article, both, "article_figures"),
        (plot_accuracies, "results", "accuracy_plot"),
        (plot_losses, "results", "loss_plot"),
        (trace_accuracies, both, "epoch_accuracies"),
        (plot_epoch_accuracies, ["epoch_accuracies", "results"], "epoch_accuracy_plot"),
        (plot_coefficients, ["named_coefficients", *both], "coefficient_plot"),
    ]
    page = [*both, "disagreements", "groups", "article_figures"]
    page += ["accuracy_plot", "loss_plot", "epoch_accuracy_plot", "coefficient_plot"]
    if study:
        runs = ["stability_runs", "stability_summary", "results"]
        steps.append((plot_stability, runs, "stability_plot"))
        page += ["stability_runs", "stability_summary", "stability_plot"]
    steps.append((write_report, page, "report"))
    nodes = [node(step, inputs, output, name=step.__name__) for step, inputs, output in steps]
    report = pipeline(nodes, namespace="reporting", prefix_datasets_with_namespace=False, tags="reporting")
    return sum([_gather_data(), *map(_gather_results, names)], report)


def _gather_data() -> Pipeline:
    """Gather the outputs of data processing, in its box."""
    made = (
        "source missing_values category_counts fill_values categories scales features model_input train valid"
    )
    parameters = {"columns": "features"} | {name: name for name in ("split", "threads", "precision")}
    inputs = {name: name for name in made.split()}
    inputs |= {name: f"params:{parameter}" for name, parameter in parameters.items()}
    nodes = [node(PreparedData, inputs, "prepared_data", name="gather_data")]
    return pipeline(
        nodes, namespace="data_processing", prefix_datasets_with_namespace=False, tags="reporting"
    )


def _gather_results(variant: str) -> Pipeline:
    """Gather the outputs of a variant, in its box."""
    made = "initial_coefficients coefficients coefficients_by_epoch losses predictions metrics".split()
    inputs = {"variant": "params:model"} | {name: name for name in made}
    nodes = [node(Results, inputs, "results", name="gather_results")]
    parameters = {"params:model": f"params:variants.{variant}"}
    gathering = pipeline(nodes, namespace=variant, parameters=parameters, tags="reporting")
    return training.put_into_box(variant, gathering)
