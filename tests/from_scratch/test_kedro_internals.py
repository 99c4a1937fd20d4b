"""The private parts of Kedro that from_scratch uses have not changed."""

from __future__ import annotations

import inspect
import logging
import threading

import pytest
from kedro.framework.project import pipelines
from kedro.io import DataCatalog, MemoryDataset, SharedMemoryDataCatalog
from kedro.pipeline import Pipeline, node
from kedro.runner import AbstractRunner, ParallelRunner, SequentialRunner, ThreadRunner
from kedro_viz.launchers.cli import utils

from from_scratch import kedro_internals
from from_scratch.cli import site


@pytest.mark.parametrize("name", kedro_internals.__all__)
def test_kedro_viz_knows_a_preview_by_the_name_of_its_type(name: str) -> None:
    assert getattr(kedro_internals, name).__name__ == name


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(utils._load_and_deploy_viz, site._publish), (utils.display_cli_message, site._print_or_raise)],
)
def test_replacements_take_as_many_arguments(theirs: object, ours: object) -> None:
    assert callable(theirs)
    assert callable(ours)
    assert len(inspect.signature(theirs).parameters) == len(inspect.signature(ours).parameters)


def test_kedro_viz_calls_the_replaced_functions() -> None:
    source = inspect.getsource(utils.create_shareableviz_process)
    assert "target=_load_and_deploy_viz" in source
    assert "display_cli_message(" in source


@pytest.mark.parametrize("kind", [SequentialRunner, ThreadRunner, ParallelRunner])
def test_runners_log_completed_nodes_here(
    kind: type[AbstractRunner], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, str]] = []
    here = threading.get_ident()
    listener = kedro_internals.CompletedNodes(
        lambda name: heard.append((name, "here" if threading.get_ident() == here else "elsewhere"))
    )
    logger = logging.getLogger(listener.LOGGER)
    monkeypatch.setattr(logger, "level", logging.INFO)
    steps = Pipeline([node(copy, "a", "b", name="first"), node(copy, "b", "c", name="second")])
    listener.attach()
    try:
        run(kind, steps)
    finally:
        listener.detach()
    assert heard == [("first", "here"), ("second", "here")]
    run(kind, steps)
    assert len(heard) == 2


def copy(text: str) -> str:
    return text


def run(kind: type[AbstractRunner], steps: Pipeline) -> None:
    catalog = SharedMemoryDataCatalog if kind is ParallelRunner else DataCatalog
    kind().run(steps, catalog({"a": MemoryDataset("x")}))


def test_pipelines_know_what_is_requested() -> None:
    before = kedro_internals.list_requested_pipelines()
    try:
        pipelines.set_requested(["b", "a"])
        assert kedro_internals.list_requested_pipelines() == ["a", "b"]
        pipelines.set_requested(None)
        assert kedro_internals.list_requested_pipelines() == []
    finally:
        pipelines.set_requested(before or None)
