"""A bar over the study of stability, with the time left."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager, nullcontext
from threading import Lock
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_ledger.printable import is_watched

if TYPE_CHECKING:
    from tqdm import tqdm


NAMESPACE = "stability"
TAG = "training"
"""The nodes of that namespace with that tag are counted."""


class StudyBar:
    """Shows how far the study is, where someone watches and its steps run in this process."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Count the trainings of a pipeline; there is no bar before its study begins."""
        self._total = sum(_trains(node) for node in pipeline.nodes)
        self._process = os.getpid()
        self._lock = Lock()  # a runner may run steps in threads
        self._bar: tqdm[Any] | None = None

    def begin(self, node: Node) -> bool:
        """Return whether the bar shows this step, so that it need not be logged."""
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
        """Move the bar on if the step was one of the trainings."""
        if not self._bar or not _trains(node):
            return
        with self._lock:
            self._bar.update()
            if self._bar.n >= self._total:
                self._bar.close()

    def aside(self) -> AbstractContextManager[None]:
        """Return a context in which the bar is out of the way of other output."""
        return self._bar.external_write_mode() if self._bar else nullcontext()

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()


def _trains(node: Node) -> bool:
    return node.namespace == NAMESPACE and TAG in node.tags
