"""A bar over the study of stability, with the time left."""

from __future__ import annotations

import os
import sys
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from from_scratch.pipelines.stability.pipeline import NAMESPACE, TRAINING

if TYPE_CHECKING:
    from tqdm import tqdm


def is_watched() -> bool:
    """Say whether standard error is a terminal that has room for a bar."""
    try:
        return all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # it is a file, closed, or a notebook's
        return False


class StudyBar:
    """Shows how far the study is, where someone watches and its steps run in this process."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Counts the trainings of a pipeline; there is no bar before its study begins.

        Args:
            pipeline: What is to run.
        """
        self._total = sum(node.name.startswith(TRAINING) for node in pipeline.nodes)
        self._process = os.getpid()
        self._lock = Lock()  # a runner may run steps in threads
        self._bar: tqdm[Any] | None = None

    def begin(self, node: Node) -> bool:
        """See a step begin.

        Args:
            node: The step.

        Returns:
            Whether the bar speaks for it: then nobody else need say that it runs.
        """
        if node.namespace != NAMESPACE or not self._total or os.getpid() != self._process:
            return False
        with self._lock:
            if self._bar is None:
                from tqdm import tqdm

                bar = tqdm(
                    total=self._total, desc=NAMESPACE, unit="training", leave=False, disable=not is_watched()
                )
                self._bar = bar
            return not self._bar.disable

    def end(self, node: Node) -> None:
        """See a step end.

        Args:
            node: The step.
        """
        if not self._bar or not node.name.startswith(TRAINING):
            return
        with self._lock:
            self._bar.update()
            if self._bar.n >= self._total:
                self._bar.close()

    def aside(self) -> AbstractContextManager[None]:
        """Make way for what another step says.

        Returns:
            A context without the bar.
        """
        return self._bar.external_write_mode() if self._bar else nullcontext()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()
