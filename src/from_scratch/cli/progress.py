"""Progress of a run: a log line for each box of the pipeline, and a progress bar for the stability study."""

from __future__ import annotations

import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from threading import Lock, Timer
from time import monotonic
from typing import TYPE_CHECKING, Any

from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node

from kedro_ledger.printable import can_show_progress

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)

NAMESPACE = "stability"
TAG = "training"
"""The progress bar counts the nodes with this tag in `NAMESPACE`."""
MAX_SILENCE = 10
"""Seconds without a log line after which the progress is logged."""


class BoxLines:
    """Log lines for the completed boxes of a pipeline, in a fixed order.

    Runners interleave the nodes of different boxes, so a line waits until the boxes before it are complete.
    """

    def __init__(
        self, pipeline: Pipeline, variants: Iterable[str], describe: Callable[[str, list[str]], list[str]]
    ) -> None:
        """Assign the nodes of a pipeline to boxes.

        Args:
            pipeline: The pipeline to run.
            variants: The variants in order.
            describe: (box, names of its outputs) -> phrases about its results.
        """
        order = ["data_processing", *variants, "stability", "reporting", "inference"]
        boxes = [find_box(node) for node in pipeline.nodes]
        self._nodes = {node.name: (box, node) for box, node in zip(boxes, pipeline.nodes, strict=True)}
        self._sizes = Counter(boxes)
        self._pending = sorted(self._sizes, key=lambda box: order.index(box) if box in order else len(order))
        self._outputs: dict[str, list[str]] = {box: [] for box in self._pending}
        self._done: Counter[str] = Counter()
        self._describe = describe
        self._last_line = monotonic()

    def complete(self, node_name: str) -> None:
        """Record that a node is complete."""
        if node_name not in self._nodes:
            return
        box, node = self._nodes[node_name]
        self._done[box] += 1
        self._outputs[box] += node.outputs
        while self._pending and self._is_complete(self._pending[0]):
            self._log_box(self._pending.pop(0))
        if monotonic() - self._last_line > MAX_SILENCE:
            self._log("%d of %d nodes are done", self._done.total(), len(self._nodes))

    def close(self, has_failed: bool = False) -> None:
        """Log the remaining complete boxes and, unless the run failed, the partly complete ones."""
        for box in self._pending:
            if self._is_complete(box) or (self._done[box] and not has_failed):
                self._log_box(box)
        self._pending = []

    def _is_complete(self, box: str) -> bool:
        return self._done[box] == self._sizes[box]

    def _log_box(self, box: str) -> None:
        done, size = self._done[box], self._sizes[box]
        nodes = f"{size} node" if size == 1 else f"{size} nodes"
        phrases = [nodes if done == size else f"{done} of {nodes}", *self._describe(box, self._outputs[box])]
        self._log("%s", " · ".join([box, *phrases]))

    def _log(self, message: str, *arguments: object) -> None:
        self._last_line = monotonic()
        with bars_hidden():
            log.info(message, *arguments)


def find_box(node: Node) -> str:
    """Return the box of a node; nodes that gather results for the report are in reporting."""
    if "reporting" in node.tags:
        return "reporting"
    return node.namespace.rpartition(".")[2] if node.namespace else node.name


class SlowNodes:
    """Log lines for nodes that take long."""

    def __init__(self) -> None:
        self._timers: dict[str, Timer] = {}

    def begin(self, node: Node) -> None:
        """Start timing a node in the background."""
        timer = Timer(MAX_SILENCE, self._log, [node.name])
        timer.daemon = True
        self._timers[node.name] = timer
        timer.start()

    def end(self, node: Node) -> None:
        """Stop timing a node."""
        if timer := self._timers.pop(node.name, None):
            timer.cancel()

    @staticmethod
    def _log(name: str) -> None:
        with bars_hidden():
            log.info("%s has been running for %d s", name, MAX_SILENCE)


class StudyBar:
    """Progress bar of the stability study, shown on a terminal if its nodes run in this process."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Count the training nodes of a pipeline; the bar appears when its study begins."""
        self._total = sum(_is_training(node) for node in pipeline.nodes)
        self._process = os.getpid()
        self._lock = Lock()  # a runner may run nodes in threads
        self._bar: tqdm[Any] | None = None

    def begin(self, node: Node) -> bool:
        """Show the bar if a node belongs to the study; return whether it is visible."""
        if node.namespace != NAMESPACE or not self._total or os.getpid() != self._process:
            return False
        with self._lock:
            if self._bar is None:
                from tqdm import tqdm

                bar = tqdm(
                    total=self._total,
                    desc=NAMESPACE,
                    unit="training",
                    leave=False,
                    disable=not can_show_progress(),
                )
                self._bar = bar
            return not self._bar.disable

    def end(self, node: Node) -> None:
        """Advance the bar if a node was a training node."""
        if not self._bar or not _is_training(node):
            return
        with self._lock:
            self._bar.update()
            if self._bar.n >= self._total:
                self._bar.close()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar:
            self._bar.close()


def bars_hidden() -> AbstractContextManager[None]:
    """Return a context in which all bars of this process are hidden, for other output."""
    loaded = sys.modules.get("tqdm")
    return loaded.tqdm.external_write_mode() if loaded else nullcontext()


def _is_training(node: Node) -> bool:
    return node.namespace == NAMESPACE and TAG in node.tags
