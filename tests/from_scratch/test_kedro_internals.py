"""What from_scratch uses of Kedro's private parts is still what it was."""

from __future__ import annotations

import inspect

import pytest
from kedro_viz.launchers.cli import utils

from from_scratch import kedro_internals
from from_scratch.cli import site


@pytest.mark.parametrize("name", kedro_internals.__all__)
def test_kedro_viz_knows_a_preview_by_the_name_of_its_type(name: str) -> None:
    assert getattr(kedro_internals, name).__name__ == name


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [(utils._load_and_deploy_viz, site._publish), (utils.display_cli_message, site._show)],
)
def test_what_takes_the_place_of_a_function_takes_as_many_arguments(theirs: object, ours: object) -> None:
    assert callable(theirs)
    assert callable(ours)
    assert len(inspect.signature(theirs).parameters) == len(inspect.signature(ours).parameters)


def test_kedro_viz_calls_what_is_replaced() -> None:
    source = inspect.getsource(utils.create_shareableviz_process)
    assert "target=_load_and_deploy_viz" in source
    assert "display_cli_message(" in source
