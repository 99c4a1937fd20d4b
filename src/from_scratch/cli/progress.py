"""What shows how far a run is: a line for each box of the pipeline, and a bar over the study of stability."""

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

from kedro_ledger.printable import is_watched

if TYPE_CHECKING:
    from tqdm import tqdm

log = logging.getLogger(__name__)

NAMESPACE = "stability"
TAG = "training"
"""The nodes of that namespace with that tag are counted."""
SILENCE = 10
"""After how many seconds without a line the console says that the run goes on."""


class BoxLines:
    """Prints a line for each box of a pipeline that is done, in the order in which the story tells them.

    Runners run the steps of all boxes by turns, so a line waits for those before it.
    """

    def __init__(
        self, pipeline: Pipeline, variants: Iterable[str], describe: Callable[[str, list[str]], list[str]]
    ) -> None:
        """Sort the steps of a pipeline into boxes.

        Args:
            pipeline: What is to run.
            variants: The variants in their order.
            describe: (box, names of what it made) -> phrases of what it reached.
        """
        order = ["data_processing", *variants, "stability", "reporting", "inference"]
        boxes = [find_box(node) for node in pipeline.nodes]
        self._nodes = {node.name: (box, node) for box, node in zip(boxes, pipeline.nodes, strict=True)}
        self._sizes = Counter(boxes)
        self._left = sorted(self._sizes, key=lambda box: order.index(box) if box in order else len(order))
        self._made: dict[str, list[str]] = {box: [] for box in self._left}
        self._done: Counter[str] = Counter()
        self._describe = describe
        self._last_line = monotonic()

    def complete(self, node_name: str) -> None:
        """Take note that a step is done."""
        if node_name not in self._nodes:
            return
        box, node = self._nodes[node_name]
        self._done[box] += 1
        self._made[box] += node.outputs
        while self._left and self._is_done(self._left[0]):
            self._print(self._left.pop(0))
        if monotonic() - self._last_line > SILENCE:
            self._say("%d of %d steps are done", self._done.total(), len(self._nodes))

    def close(self, has_failed: bool = False) -> None:
        """Print the boxes left that are done, and unless the run failed those of which a step ran."""
        for box in self._left:
            if self._is_done(box) or (self._done[box] and not has_failed):
                self._print(box)
        self._left = []

    def _is_done(self, box: str) -> bool:
        return self._done[box] == self._sizes[box]

    def _print(self, box: str) -> None:
        done, size = self._done[box], self._sizes[box]
        steps = f"{size} step" if size == 1 else f"{size} steps"
        phrases = [steps if done == size else f"{done} of {steps}", *self._describe(box, self._made[box])]
        self._say("%s", " · ".join([box, *phrases]))

    def _say(self, message: str, *arguments: object) -> None:
        self._last_line = monotonic()
        with beside_bars():
            log.info(message, *arguments)


def find_box(node: Node) -> str:
    """Return the box of the story that a step is in; what gathers results for the report is in reporting."""
    if "reporting" in node.tags:
        return "reporting"
    return node.namespace.rpartition(".")[2] if node.namespace else node.name


class SlowSteps:
    """Names the step that keeps the console silent."""

    def __init__(self) -> None:
        self._timers: dict[str, Timer] = {}

    def begin(self, node: Node) -> None:
        """Wait for a step in the background."""
        timer = Timer(SILENCE, self._say, [node.name])
        timer.daemon = True
        self._timers[node.name] = timer
        timer.start()

    def end(self, node: Node) -> None:
        """Wait no more."""
        if timer := self._timers.pop(node.name, None):
            timer.cancel()

    @staticmethod
    def _say(name: str) -> None:
        with beside_bars():
            log.info("%s takes longer than %d s", name, SILENCE)


class StudyBar:
    """Shows how far the study is, where someone watches and its steps run in this process."""

    def __init__(self, pipeline: Pipeline) -> None:
        """Count the trainings of a pipeline; there is no bar before its study begins."""
        self._total = sum(_trains(node) for node in pipeline.nodes)
        self._process = os.getpid()
        self._lock = Lock()  # a runner may run steps in threads
        self._bar: tqdm[Any] | None = None

    def begin(self, node: Node) -> bool:
        """Return whether the bar shows this step."""
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

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()


def beside_bars() -> AbstractContextManager[None]:
    """Return a context in which all bars of this process are out of the way of other output."""
    loaded = sys.modules.get("tqdm")
    return loaded.tqdm.external_write_mode() if loaded else nullcontext()


def _trains(node: Node) -> bool:
    return node.namespace == NAMESPACE and TAG in node.tags
