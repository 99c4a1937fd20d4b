"""Progress of a run: the order of the lines, and the messages of long runs."""

from __future__ import annotations

import logging
import time

import pytest
from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.cli import progress
from from_scratch.cli.progress import BoxLines, SlowNodes

Lines = pytest.LogCaptureFixture


def copy(text: str) -> str:
    return text


def make_box(name: str, parts: int = 2) -> Pipeline:
    """Make a box of consecutive nodes."""
    names = ["raw", *(f"{name}_{i}" for i in range(parts))]
    nodes = [node(copy, names[i], names[i + 1], name=f"node_{i}") for i in range(parts)]
    return pipeline(nodes, namespace=name, prefix_datasets_with_namespace=False)


def make_lines(*boxes: Pipeline) -> BoxLines:
    return BoxLines(sum(boxes, Pipeline([])), ["linear", "deep"], lambda box, made: [*made])


@pytest.fixture
def logged(caplog: Lines) -> Lines:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_line_waits_for_the_lines_before_it(logged: Lines) -> None:
    lines = make_lines(
        make_box("reporting"), make_box("deep"), make_box("linear"), make_box("data_processing", 1)
    )
    for name in ("deep.node_0", "deep.node_1", "linear.node_0", "data_processing.node_0"):
        lines.complete(name)
    assert logged.messages == ["data_processing · 1 node · data_processing_0"]
    lines.complete("linear.node_1")
    assert logged.messages[1:] == [
        "linear · 2 nodes · linear_0 · linear_1",
        "deep · 2 nodes · deep_0 · deep_1",
    ]
    lines.complete("reporting.node_0")
    lines.complete("a node of another run")
    assert len(logged.messages) == 3


def test_a_run_that_fails_loses_no_box_that_is_done(logged: Lines) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"), make_box("deep"))
    for name in ("deep.node_0", "deep.node_1", "linear.node_0"):
        lines.complete(name)
    assert logged.messages == []
    lines.close(has_failed=True)
    assert logged.messages == ["deep · 2 nodes · deep_0 · deep_1"]
    lines.close()
    assert len(logged.messages) == 1, "each line once"


def test_boxes_without_completed_nodes_have_no_line(logged: Lines) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"), make_box("deep"))
    lines.complete("deep.node_1")
    lines.complete("linear.node_0")
    lines.complete("linear.node_1")
    lines.close()
    assert logged.messages == ["linear · 2 nodes · linear_0 · linear_1", "deep · 1 of 2 nodes · deep_1"]


def test_nodes_of_other_boxes_come_last(logged: Lines) -> None:
    own = Pipeline([node(copy, "x", "y", name="own")])
    lines = make_lines(own, make_box("practice.deep", 1), make_box("added", 1), make_box("inference", 1))
    for name in ("own", "added.node_0", "inference.node_0", "practice.deep.node_0"):
        lines.complete(name)
    names = [message.partition(" ")[0] for message in logged.messages]
    assert names[:2] == ["deep", "inference"]
    assert sorted(names[2:]) == ["added", "own"]


def test_a_long_run_logs_its_progress(logged: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"))
    lines.complete("linear.node_0")
    monkeypatch.setattr(progress, "MAX_SILENCE", 0)
    lines.complete("linear.node_1")
    assert logged.messages == ["2 of 4 nodes are done"]


def test_a_node_that_takes_long_is_named_while_it_runs(
    logged: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, quick = make_box("linear").nodes
    nodes = SlowNodes()
    monkeypatch.setattr(progress, "MAX_SILENCE", 0.05)
    nodes.begin(slow)
    nodes.begin(quick)
    nodes.end(quick)
    end = time.monotonic() + 10
    while not logged.messages and time.monotonic() < end:
        time.sleep(0.01)
    nodes.end(slow)
    time.sleep(0.1)
    assert logged.messages == ["linear.node_0 has been running for 0 s"]
