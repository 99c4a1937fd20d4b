"""Runs that are killed or terminated, or that find the disk full, at every step of their writes."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from kedro_ledger.ledger import Ledger
from tests.support.tiny import TOTALS, Tiny, in_process, run_until, server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def after_three_runs(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    """A project whose next run writes, commits, and prunes a run whose outputs are partly still needed.

    The line of the previous run in the history is torn.
    """
    tiny = Tiny.make(tmp_path_factory.mktemp("crash") / "tiny")
    tiny.run()
    tiny.run(**TOTALS)
    tiny.feed([3, 4])
    history = tiny.ledger.folder / "history.jsonl"
    history.write_bytes(history.read_bytes()[:-100])
    return tiny


def crash(template: Tiny, folder: Path, step: int, action: str) -> tuple[int, str, bool]:
    """Crash a copy of the project, and check that nothing is lost.

    Returns:
        The exit code, the error, and whether the run is committed.
    """
    shutil.copytree(template.folder, folder)
    message = folder.with_suffix(".crash")
    code = in_process(run_until, folder, step, action, str(message))
    committed = len(list(Ledger(folder).folder.glob("000003_*.json"))) == 1
    tiny = Tiny(folder)
    if action == "terminate" and not committed:
        assert tiny.versions() == template.versions()
        assert not list(tiny.ledger.folder.glob("*.uncommitted"))
    runs = [run.seq for run in tiny.ledger.history()]
    assert runs == [1, 2, 3] if committed else [1, 2]
    if action == "kill":
        tiny.expect_whole()
    else:
        tiny.expect_one_whole_run()
    return code, message.read_text() if message.exists() else "", committed


@pytest.mark.parametrize("action", ["kill", "terminate", "fill"])
def test_nothing_committed_is_lost_at_any_step(after_three_runs: Tiny, tmp_path: Path, action: str) -> None:
    shutil.copytree(after_three_runs.folder, tmp_path / "count")
    steps = in_process(run_until, tmp_path / "count", 0, "count", "")
    assert steps > 30, "all syncs, replacements and removals of a run that commits and prunes"
    crashes = [
        server().submit(crash, after_three_runs, tmp_path / str(step), step, action)
        for step in range(1, steps + 1)
    ]
    ends = [crash.result() for crash in crashes]
    if action == "kill":
        assert {code for code, *_ in ends} == {-9}
    elif action == "terminate":
        assert {code for code, *_ in ends} == {143}
    else:
        for code, message, committed in ends:
            assert (code, "No space left on device" in message) == ((0, False) if committed else (1, True))
