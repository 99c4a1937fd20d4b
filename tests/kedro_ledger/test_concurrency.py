"""Concurrent processes: one writes, the others read, are refused, or are interrupted."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from kedro_ledger.errors import BusyError
from tests.support.tiny import ALLOW_MIXED, TOTALS, Tiny, in_process, run_when_told, server


@pytest.mark.slow
def test_one_of_two_concurrent_runs_is_refused_and_no_commit_is_lost(tiny: Tiny, tmp_path: Path) -> None:
    refused = committed = 0
    for attempt in range(50):
        tiny.feed([attempt + 1, attempt + 2])
        go = tmp_path / f"go{attempt}"
        both = [
            server().submit(in_process, run_when_told, tiny.folder, str(go), str(tmp_path / f"{attempt}-{i}"))
            for i in range(2)
        ]
        go.touch()
        codes = [run.result() for run in both]
        assert set(codes) <= {0, 75}
        assert 0 in codes
        committed += codes.count(0)
        refused += codes.count(75)
        last = tiny.ledger.last()
        assert last
        assert last.seq == committed, "no commit is lost"
        assert {artefact.version for artefact in last.view.values()} == {last.run_id}, "no mixture"
    tiny.expect_one_whole_run()
    assert refused > 10, "the runs did compete"
    message = {file.read_text().partition(";")[0] for file in tmp_path.glob("[0-9]*-?")}
    assert message <= {"another run is writing to data", "another run has just been committed"}


def test_readers_see_the_last_committed_run_while_another_writes(tiny: Tiny) -> None:
    tiny.run()
    before, versions = tiny.read(), tiny.versions()
    tiny.feed([3, 4])
    with tiny.running() as writer:
        assert tiny.versions() > versions, "the run has begun to write"
        assert tiny.read() == before
        assert tiny.kedro("runs", "verify").returncode == 0
        refused = tiny.kedro("run", "--pipeline", "totals")
        assert (refused.returncode, refused.stderr.splitlines()[-1]) == (
            75,
            "Error: another run is writing to data; nothing was changed. Try again when it finishes",
        )
        assert tiny.kedro("runs", "checkout", "last").returncode == 75
        tiny.go_on()
        assert writer.wait(30) == 0
    assert tiny.read()["numbers"] == [3, 4]


@pytest.mark.matrix
@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"])
def test_a_killed_run_leaves_no_lock_even_if_its_workers_live_on(tiny: Tiny, runner: str) -> None:
    tiny.run()
    before = tiny.read()
    tiny.feed([3, 4])
    with tiny.running("--runner", runner) as writer:
        os.kill(writer.pid, signal.SIGKILL)
        writer.wait(30)
        assert tiny.read() == before
        tiny.run(**TOTALS, **ALLOW_MIXED)
        assert tiny.read() == before
    tiny.expect_whole()


@pytest.mark.matrix
@pytest.mark.parametrize("runner", ["SequentialRunner", "ThreadRunner", "ParallelRunner"])
def test_ctrl_c_leaves_everything_as_it_was(tiny: Tiny, runner: str) -> None:
    first = tiny.run()
    before = tiny.read()
    tiny.feed([3, 4])
    with tiny.running("--runner", runner) as writer:
        os.killpg(writer.pid, signal.SIGINT)
        tiny.go_on()  # threads can't be interrupted
        message = writer.communicate(timeout=30)[1]
        assert writer.returncode == 1, message
        assert message.splitlines()[-1] == (
            f"not committed; nothing of this run is kept, and readers still see run {first.run_id}; "
            f"to run it again: kedro run --runner {runner}"
        )
        assert tiny.read() == before
        assert {path.rpartition("/")[2] for path in tiny.versions()} == {first.run_id}, "nothing is left"
    tiny.expect_whole()


def test_a_run_interrupted_in_a_notebook_gives_way_to_the_next(tiny: Tiny) -> None:
    assert in_process(interrupt_and_run_again, tiny.folder) == 0
    tiny.expect_one_whole_run()
    last = tiny.ledger.last()
    assert last
    assert last.seq == 1


def interrupt_and_run_again(folder: Path) -> None:
    from kedro.framework.session import KedroServiceSession
    from kedro.runner import SequentialRunner

    from tests.support import tiny

    class Interrupted(SequentialRunner):
        def _run(self, *arguments: object, **keywords: object) -> None:
            raise KeyboardInterrupt

    tiny.enter(folder)
    with pytest.raises(KeyboardInterrupt), KedroServiceSession.create(project_path=folder) as session:
        session.run(runner=Interrupted())  # type: ignore[call-arg]
    with KedroServiceSession.create(project_path=folder) as session:
        session.run()


def test_another_run_of_the_same_process_is_refused(tiny: Tiny) -> None:
    with tiny.ledger.lock(), pytest.raises(BusyError), tiny.ledger.lock():
        pass
    with tiny.ledger.lock():
        pass
