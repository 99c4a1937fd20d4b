"""The private parts of Kedro's packages that the project uses; test_kedro_internals.py fails if they change.

The private functions of Kedro-Viz that `kedro viz build` and `deploy` need are in cli/site.py.
"""

import logging
from collections.abc import Callable

from kedro.framework.project import pipelines
from kedro_datasets._typing import HTMLPreview, PlotlyPreview, TablePreview

__all__ = ["HTMLPreview", "PlotlyPreview", "TablePreview"]


def list_requested_pipelines() -> list[str]:
    """List the names of the pipelines that a session is to run; empty for the default pipeline."""
    return sorted(pipelines._requested_pipelines or [])


class CompletedNodes(logging.Handler):
    """Handler that calls a function, in the run's process, with each node whose outputs are saved.

    Hooks cannot do this: some runners call them in other processes. But every runner logs completed nodes.
    """

    LOGGER = "kedro.runner"
    MESSAGE = "Completed node: %s"

    def __init__(self, on_completed: Callable[[str], None]) -> None:
        """Store the function to call; `attach` starts listening."""
        super().__init__()
        self._on_completed = on_completed

    def attach(self) -> None:
        """Start listening to the runners, which must log at level INFO (conf/logging.yml)."""
        logging.getLogger(self.LOGGER).addHandler(self)

    def detach(self) -> None:
        """Stop listening."""
        logging.getLogger(self.LOGGER).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Call the function if a runner logs a completed node."""
        if record.msg == self.MESSAGE and isinstance(record.args, tuple):
            self._on_completed(str(record.args[0]))
