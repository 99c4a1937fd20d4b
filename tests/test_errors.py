from __future__ import annotations

import pytest
from kedro.io.core import DatasetError

from from_scratch.errors import InputError, in_lines, show


def test_ours_speak_for_themselves_and_others_say_their_type() -> None:
    assert in_lines(InputError("parameter x\n  is wrong")) == ["parameter x is wrong"]
    assert in_lines(DatasetError("Failed while loading.\n\nNo file")) == ["Failed while loading. No file"]
    assert in_lines(KeyError("x")) == ["KeyError: 'x'"]


def test_the_node_is_told() -> None:
    error = InputError("column x is wrong")
    error.add_note("in data_processing.ingest")
    assert in_lines(error) == ["column x is wrong (in data_processing.ingest)"]


def test_show_prints_a_line_for_each_fault(capsys: pytest.CaptureFixture[str]) -> None:
    error = InputError("parameter x is wrong", "parameter y is wrong")
    show(InputError, error, None)
    assert capsys.readouterr().err == "Error: parameter x is wrong\nError: parameter y is wrong\n"
