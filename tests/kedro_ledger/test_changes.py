"""Descriptions of the changes between runs."""

from __future__ import annotations

from typing import Any

import pytest

from kedro_ledger.changes import describe_changes, find_changes
from kedro_ledger.record import Drift, Summary

DIGESTS = "0" * 64, "1" * 64


def make_run(seq: int = 2, **changed: dict[str, tuple[Any, Any]]) -> Summary:
    return Summary(
        seq=seq,
        run_id=f"run-{seq}",
        started="2026-11-26",
        pipelines=[],
        recipe="0",
        metrics={},
        drift=Drift(since=f"run-{seq - 1}", changed=changed),
    )


def test_a_value_that_changed_back_has_not_changed() -> None:
    there = make_run(2, parameters={"rate": (4, 5), "seed": (42, 43)}, code={"models.py": DIGESTS})
    back = make_run(3, parameters={"rate": (5, 4), "seed": (43, 44)})
    found = find_changes([there, back])
    assert found["parameters"] == {"seed": (42, 44)}
    assert found["code"] == {"models.py": DIGESTS}
    assert describe_changes([there, back]) == ["seed: 42 → 44", "code: models.py"]
    assert describe_changes(
        [make_run(2, parameters={"rate": (4, 5)}), make_run(3, parameters={"rate": (5, 4)})]
    ) == ["nothing"]


@pytest.mark.parametrize(
    ("changed", "phrases"),
    [
        ({}, ["nothing"]),
        ({"metrics": {"deep.valid_accuracy": (0.8, 0.6)}}, ["nothing"]),
        ({"parameters": {"deep.rate": (None, 5)}}, ["deep.rate: none → 5"]),
        ({"data": {"raw_data": DIGESTS}}, ["data.raw_data changed"]),
        ({"data": {"raw_data": ("none", DIGESTS[0])}}, [f"data.raw_data: none → {'0' * 39}…"]),
        ({"packages": {"torch": ("2.12.0", "2.13.0")}}, ["torch: 2.12.0 → 2.13.0"]),
        ({"environment": {"threads.omp": (1, 2)}}, ["environment.threads.omp: 1 → 2"]),
        ({"code": {"commit": ("a", "b")}}, ["code: another commit, the same files"]),
        ({"code": {"commit": ("a", "b"), "a.py": DIGESTS}}, ["code: a.py"]),
        ({"code": {f"{i}.py": DIGESTS for i in range(5)}}, ["code: 0.py, 1.py, 2.py and 2 more"]),
        ({"parameters": {"a\nb": ("\x1b[1m", "x" * 50)}}, [f"a b: \\x1b[1m → {'x' * 39}…"]),
        (
            {"packages": {f"p{i}": (1, 2) for i in range(8)}},
            [*(f"p{i}: 1 → 2" for i in range(5)), "and 3 more"],
        ),
    ],
)
def test_changes_are_described(changed: dict[str, dict[str, tuple[Any, Any]]], phrases: list[str]) -> None:
    assert describe_changes([make_run(2, **changed)]) == phrases


def test_unrecorded_changes_are_not_described_as_nothing() -> None:
    earlier = make_run(2).model_copy(update={"drift": None})
    assert describe_changes([earlier]) == ["not recorded"]
    assert describe_changes([earlier, make_run(3)]) == ["not recorded"]
