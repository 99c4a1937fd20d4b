from __future__ import annotations

import pytest

from kedro_ledger.errors import InputError
from kedro_ledger.settings import Settings, read_settings


def test_other_parameters_are_not_the_ledgers() -> None:
    assert read_settings({"split": {"seed": 1}, "runs": {"keep": 3}}) == Settings(keep=3)
    assert read_settings({}) == Settings()


def test_all_faults_are_reported_each_with_what_was_expected() -> None:
    with pytest.raises(InputError) as error:
        read_settings({"runs": {"kep": 3, "raw_data": "pined", "drift": {"allowed": {"metric.x": 1}}}})
    assert error.value.args == (
        "parameter runs.raw_data is 'pined'; expected one of any, pinned; did you mean pinned?",
        "parameter runs.drift.allowed has 'metric.x'; expected names that begin with data., parameters., "
        "catalog., code., environment., packages., metrics.; did you mean metrics.x?",
        "parameter runs.kep is unknown; did you mean runs.keep?",
    )
