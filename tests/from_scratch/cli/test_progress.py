"""The lines of boxes: their order, whichever step is done first, and what a run says that takes long."""

from __future__ import annotations

import logging
import time

import pytest
from kedro.pipeline import Pipeline, node, pipeline

from from_scratch.cli import progress
from from_scratch.cli.progress import BoxLines, SlowSteps

Lines = pytest.LogCaptureFixture


def copy(text: str) -> str:
    return text


def make_box(name: str, parts: int = 2) -> Pipeline:
    """A box of some steps after each other."""
    names = ["raw", *(f"{name}_{i}" for i in range(parts))]
    steps = [node(copy, names[i], names[i + 1], name=f"step_{i}") for i in range(parts)]
    return pipeline(steps, namespace=name, prefix_datasets_with_namespace=False)


def make_lines(*boxes: Pipeline) -> BoxLines:
    return BoxLines(sum(boxes, Pipeline([])), ["linear", "deep"], lambda box, made: [*made])


@pytest.fixture
def said(caplog: Lines) -> Lines:
    caplog.set_level(logging.INFO)
    return caplog


def test_a_line_waits_for_those_before_it(said: Lines) -> None:
    lines = make_lines(
        make_box("reporting"), make_box("deep"), make_box("linear"), make_box("data_processing", 1)
    )
    for step in ("deep.step_0", "deep.step_1", "linear.step_0", "data_processing.step_0"):
        lines.complete(step)
    assert said.messages == ["data_processing · 1 step · data_processing_0"]
    lines.complete("linear.step_1")
    assert said.messages[1:] == ["linear · 2 steps · linear_0 · linear_1", "deep · 2 steps · deep_0 · deep_1"]
    lines.complete("reporting.step_0")
    lines.complete("a step of another run")
    assert len(said.messages) == 3


def test_a_run_that_fails_loses_no_box_that_is_done(said: Lines) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"), make_box("deep"))
    for step in ("deep.step_0", "deep.step_1", "linear.step_0"):
        lines.complete(step)
    assert said.messages == []
    lines.close(has_failed=True)
    assert said.messages == ["deep · 2 steps · deep_0 · deep_1"]
    lines.close()
    assert len(said.messages) == 1, "each line once"


def test_what_a_run_left_out_is_no_line(said: Lines) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"), make_box("deep"))
    lines.complete("deep.step_1")
    lines.complete("linear.step_0")
    lines.complete("linear.step_1")
    lines.close()
    assert said.messages == ["linear · 2 steps · linear_0 · linear_1", "deep · 1 of 2 steps · deep_1"]


def test_steps_of_ones_own_come_last(said: Lines) -> None:
    own = Pipeline([node(copy, "x", "y", name="own")])
    lines = make_lines(own, make_box("practice.deep", 1), make_box("added", 1), make_box("inference", 1))
    for step in ("own", "added.step_0", "inference.step_0", "practice.deep.step_0"):
        lines.complete(step)
    names = [message.partition(" ")[0] for message in said.messages]
    assert names[:2] == ["deep", "inference"]
    assert sorted(names[2:]) == ["added", "own"]


def test_a_long_run_says_how_far_it_is(said: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = make_lines(make_box("data_processing"), make_box("linear"))
    lines.complete("linear.step_0")
    monkeypatch.setattr(progress, "SILENCE", 0)
    lines.complete("linear.step_1")
    assert said.messages == ["2 of 4 steps are done"]


def test_a_step_that_takes_long_is_named_while_it_runs(said: Lines, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, quick = make_box("linear").nodes
    steps = SlowSteps()
    monkeypatch.setattr(progress, "SILENCE", 0.05)
    steps.begin(slow)
    steps.begin(quick)
    steps.end(quick)
    end = time.monotonic() + 10
    while not said.messages and time.monotonic() < end:
        time.sleep(0.01)
    steps.end(slow)
    time.sleep(0.1)
    assert said.messages == ["linear.step_0 takes longer than 0 s"]
