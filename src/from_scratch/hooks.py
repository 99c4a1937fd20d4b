"""What happens around a run: the parameters are checked before it, and a table closes it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from from_scratch.cli import logs
from from_scratch.cli.pipelines import require_pipelines
from from_scratch.cli.progress import BoxLines, SlowSteps, StudyBar
from from_scratch.kedro_internals import CompletedNodes, list_requested_pipelines
from from_scratch.schema.parameters import Parameters, read
from kedro_ledger import errors

log = logging.getLogger(__name__)
steps = logging.getLogger("from_scratch.steps")
"""A line for each step: by conf/logging.yml, in the file."""
results = logging.getLogger("from_scratch.results")
"""What a run is about: by conf/logging.yml, on standard output."""


@dataclass
class Session:
    """What the hooks and the pipeline registry hand each other, as Kedro passes nothing between them."""

    parameters: Parameters | None = None
    """What the running session reads, `--env`, `--conf-source` and `--params` included."""
    env: str | None = None
    """Its environment, if it was named."""
    render_results: (
        Callable[[Pipeline, CatalogProtocol[Any, Any], Parameters, str | None], list[str]] | None
    ) = None
    """(pipeline, catalog, parameters, environment) -> the texts that close a run. It is handed over, since
    every command loads the hooks, and would load pandas and PyTorch with what renders."""
    describe_box: Callable[[str, list[str], CatalogProtocol[Any, Any], Parameters], list[str]] | None = None
    """(box, names of what it made, catalog, parameters) -> phrases for its line; handed over likewise."""


session = Session()


class ProjectHooks:
    """The hooks of this project."""

    def __init__(self) -> None:
        """Start without a run."""
        self._bar = StudyBar(Pipeline([]))
        self._slow_steps = SlowSteps()
        self._lines = BoxLines(Pipeline([]), [], lambda box, made: [])
        self._completed = CompletedNodes(self._lines.complete)

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Log as the environment says, and check all parameters.

        The registry gets them, to build a pipeline for each variant.

        Raises:
            InputError: If a parameter is wrong, or no pipeline has the name that is asked for.
        """
        if context.env:
            conf = Path(context.project_path, context.config_loader.conf_source)
            if logs.configure(conf / context.env, context.project_path):
                logs.log_line_by_line()
        session.parameters, session.env = read(context.config_loader), context.env
        if names := list_requested_pipelines():
            require_pipelines(names, context.config_loader["parameters"])

    @hook_impl
    def before_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Warn of variants that need constants, and get ready to show how far the run is."""
        self._bar = StudyBar(pipeline)
        parameters, describe = session.parameters, session.describe_box
        if not parameters or not describe:
            return
        self._completed.detach()  # from a run that was interrupted
        self._lines = BoxLines(
            pipeline, parameters.variants, lambda box, made: describe(box, made, catalog, parameters)
        )
        self._completed = CompletedNodes(self._lines.complete)
        self._completed.attach()
        trained = {node.namespace.split(".")[-1] for node in pipeline.nodes if node.namespace}
        if names := [name for name in parameters.without_constants if name in trained]:
            log.warning(
                "%s: no column is categorical, so no features sum to one and stand in for a constant; "
                "expected `constants: unit`, or these may end far below the baseline",
                ", ".join(names),
            )

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Say which step runs: in the log, and on the console if it takes long."""
        steps.info("%-36s -> %s", node.name, ", ".join(node.outputs))
        if not self._bar.begin(node):
            self._slow_steps.begin(node)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Show how far a study is."""
        self._slow_steps.end(node)
        self._bar.end(node)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Print the boxes that were done, and take the bar away."""
        self._end(has_failed=True)

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Let the error say in which node it was raised; a bug, in which line too, even from a worker."""
        self._slow_steps.end(node)
        place = None if errors.is_of_input(error) else errors.find_place(error)
        error.add_note(f"in {node.name}, {place}" if place else f"in {node.name}")

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Close a run with what it reached."""
        self._end()
        if session.render_results and session.parameters:
            for text in session.render_results(pipeline, catalog, session.parameters, session.env):
                results.info(text)

    def _end(self, has_failed: bool = False) -> None:
        self._completed.detach()
        self._bar.close()
        self._lines.close(has_failed)
