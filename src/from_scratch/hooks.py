"""The project's hooks: they check the parameters before a run, show its progress, and print its results."""

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
from from_scratch.cli.progress import BoxLines, SlowNodes, StudyBar
from from_scratch.kedro_internals import CompletedNodes, list_requested_pipelines
from from_scratch.schema.parameters import Parameters, read
from kedro_ledger import errors

log = logging.getLogger(__name__)
nodes = logging.getLogger("from_scratch.nodes")
"""Logs a line for each node; conf/logging.yml sends these lines to the log file."""
results = logging.getLogger("from_scratch.results")
"""Logs the results of a run; conf/logging.yml sends them to standard output."""


@dataclass
class Session:
    """State that the hooks and the pipeline registry share, since Kedro passes nothing between them."""

    parameters: Parameters | None = None
    """The parameters of the running session, including `--env`, `--conf-source` and `--params`."""
    env: str | None = None
    """The session's environment, if `--env` names one."""
    render_results: (
        Callable[[Pipeline, CatalogProtocol[Any, Any], Parameters, str | None], list[str]] | None
    ) = None
    """(pipeline, catalog, parameters, environment) -> the texts to print at the end of a run. The registry
    sets it: importing the function here would load pandas and PyTorch in every command."""
    describe_box: Callable[[str, list[str], CatalogProtocol[Any, Any], Parameters], list[str]] | None = None
    """(box, names of its outputs, catalog, parameters) -> phrases for its line; the registry sets it too."""


session = Session()


class ProjectHooks:
    """Hooks that check parameters, show progress and print results."""

    def __init__(self) -> None:
        """Start with placeholders; each run replaces them."""
        self._bar = StudyBar(Pipeline([]))
        self._slow_nodes = SlowNodes()
        self._lines = BoxLines(Pipeline([]), [], lambda box, made: [])
        self._completed = CompletedNodes(self._lines.complete)

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Configure logging for the environment, and check all parameters.

        The registry uses the parameters to build a pipeline for each variant.

        Raises:
            InputError: If a parameter is wrong, or a requested pipeline does not exist.
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
        """Prepare the display of progress, and warn about variants that need unit biases."""
        self._bar = StudyBar(pipeline)
        parameters, describe = session.parameters, session.describe_box
        if not parameters or not describe:
            return
        self._completed.detach()  # in case an earlier run was interrupted
        self._lines = BoxLines(
            pipeline, parameters.variants, lambda box, made: describe(box, made, catalog, parameters)
        )
        self._completed = CompletedNodes(self._lines.complete)
        self._completed.attach()
        trained = {node.namespace.split(".")[-1] for node in pipeline.nodes if node.namespace}
        if names := [name for name in parameters.without_constants if name in trained]:
            log.warning(
                "%s: no column is categorical, so no dummies can act as a constant; expected "
                "`constants: unit`. Without it, the accuracy may end far below the baseline",
                ", ".join(names),
            )

    @hook_impl
    def before_node_run(self, node: Node) -> None:
        """Log the node that runs, and show it on the console if it takes long."""
        nodes.info("%-36s -> %s", node.name, ", ".join(node.outputs))
        if not self._bar.begin(node):
            self._slow_nodes.begin(node)

    @hook_impl
    def after_node_run(self, node: Node) -> None:
        """Update the progress bar of a study."""
        self._slow_nodes.end(node)
        self._bar.end(node)

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Print the boxes that were completed, and remove the progress bar."""
        self._end(has_failed=True)

    @hook_impl
    def on_node_error(self, error: Exception, node: Node) -> None:
        """Add the node to the error's message, and for a bug the line of code, even from a worker."""
        self._slow_nodes.end(node)
        line = None if errors.is_user_error(error) else errors.find_code_line(error)
        error.add_note(f"in {node.name}, {line}" if line else f"in {node.name}")

    @hook_impl
    def after_pipeline_run(self, pipeline: Pipeline, catalog: CatalogProtocol[Any, Any]) -> None:
        """Print the results of a run."""
        self._end()
        if session.render_results and session.parameters:
            for text in session.render_results(pipeline, catalog, session.parameters, session.env):
                results.info(text)

    def _end(self, has_failed: bool = False) -> None:
        self._completed.detach()
        self._bar.close()
        self._lines.close(has_failed)
