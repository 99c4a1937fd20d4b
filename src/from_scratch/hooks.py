"""What happens around a run: the parameters are checked before it, and a table closes it."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from from_scratch import errors, logs, parameters, pipeline_registry
from from_scratch.progress import StudyBar

log = logging.getLogger(__name__)
results = logging.getLogger("from_scratch.results")
"""What a run is about: by conf/logging.yml, on standard output."""


class ProjectHooks:
    """The hooks of this project."""

    def __init__(self) -> None:
        """Knows of no study yet."""
        self._bar = StudyBar(Pipeline([]))

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Log as the environment says, and check all parameters.

        The registry gets them, to build a pipeline for each variant.

        Raises:
            InputError: If a parameter is wrong.
        """
        if context.env:
            conf = Path(context.project_path, context.config_loader.conf_source)
            if logs.configure(conf / context.env, context.project_path):
                logs.log_line_by_line()
        raw = parameters.read(context.config_loader)
        if "stability" not in raw:  # in a folder of parameters that is older than the study
            raw = {**raw, "stability": parameters.Stability().model_dump()}
            context.config_loader["parameters"] = raw
        pipeline_registry.parameters_of_session = raw

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline) -> None:
        """Get ready to show how far a study is."""
        self._bar = StudyBar(pipeline)

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which node runs."""
        if not self._bar.begin(node):
            with self._bar.aside():
                log.info("%-36s -> %s", node.name, ", ".join(node.outputs))

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Show how far a study is."""
        self._bar.end(node)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Take the bar away."""
        self._bar.close()

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Let the error say in which node it was raised; a bug, in which line too, even from a worker."""
        place = None if errors.is_of_input(error) else errors.find_place(error)
        error.add_note(f"in {node.name}, {place}" if place else f"in {node.name}")

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Close a run which scored something with a table, and one which answered with the answers' count."""
        self._bar.close()
        outputs = pipeline.all_outputs()
        if "submission" in outputs:
            self._print_answers(catalog)
        variants = parameters.variants(pipeline_registry.parameters_of_session)
        scored = [variant for variant in variants if f"{variant}.metrics" in outputs]
        if not scored and "comparison" not in outputs:
            return

        from from_scratch.pipelines.reporting.nodes import compare_metrics
        from from_scratch.pipelines.reporting.table import render

        if "comparison" in outputs:
            comparison = catalog.load("comparison")
        else:
            comparison = compare_metrics({variant: catalog.load(f"{variant}.metrics") for variant in scored})
        results.info(render(comparison))
        if "stability_summary" in outputs:
            from from_scratch.pipelines.reporting import stability_table

            results.info(stability_table.render(catalog.load("stability_summary")))
        if "report" in outputs:
            results.info("The report: `make report` opens it, `kedro runs path report` says where it is.\n")

    def _print_answers(self, catalog: CatalogProtocol[Any, Any]) -> None:
        """Say how often each answer was given, and where they are."""
        answers = catalog.load("submission").iloc[:, -1]
        variant = pipeline_registry.parameters_of_session["inference"]["variant"]
        rows = "row" if len(answers) == 1 else "rows"
        counts = " and ".join(f"{value} in {count:,}" for value, count in answers.value_counts().items())
        results.info(
            "\n%s, trained on %s, answers %s %s:\n%s is %s.\n"
            "The answers: `kedro runs path submission`; how sure: `kedro runs path predicted_survival`.\n",
            variant,
            catalog.load(f"{variant}.metrics")["file"],
            f"{len(answers):,}",
            rows,
            answers.name,
            counts,
        )
