"""What is private in Kedro's packages and used here; test_kedro_internals.py fails where it changes.

What Kedro-Viz keeps private and `kedro viz build` and `deploy` are patched with is in cli/site.py.
"""

import logging
from collections.abc import Callable

from kedro.framework.project import pipelines
from kedro_datasets._typing import HTMLPreview, PlotlyPreview, TablePreview

__all__ = ["HTMLPreview", "PlotlyPreview", "TablePreview"]


def list_requested_pipelines() -> list[str]:
    """List the pipelines that a session is asked to run, by name; none where it is the default."""
    return sorted(pipelines._requested_pipelines or [])


class CompletedNodes(logging.Handler):
    """Calls a function with the name of each node that is done: with its outputs saved, in the run's process.

    Hooks can't: nodes run in other processes with some runners, and hooks there. But every runner logs that.
    """

    LOGGER = "kedro.runner"
    MESSAGE = "Completed node: %s"

    def __init__(self, on_completed: Callable[[str], None]) -> None:
        """Listen to nothing yet."""
        super().__init__()
        self._on_completed = on_completed

    def attach(self) -> None:
        """Listen to the runners, as far as conf/logging.yml lets them log."""
        logging.getLogger(self.LOGGER).addHandler(self)

    def detach(self) -> None:
        """Stop listening."""
        logging.getLogger(self.LOGGER).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Take what a runner logs."""
        if record.msg == self.MESSAGE and isinstance(record.args, tuple):
            self._on_completed(str(record.args[0]))
