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


def test_show_logs_a_line_for_each_fault(caplog: pytest.LogCaptureFixture) -> None:
    error = InputError("parameter x is wrong", "parameter y is wrong")
    show(InputError, error, None)
    said = [one.getMessage() for one in caplog.records if one.name == "from_scratch.errors"]
    assert said == ["Error: parameter x is wrong", "Error: parameter y is wrong"]
