"""A run on workers of this machine that is terminated or killed while a node is at work."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.processes import list_session, wait_for
from tests.runners.dask_cluster import RUNNER
from tests.runs.tiny import Tiny


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    tiny = Tiny.make(tmp_path / "tiny")
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    # Workers are in folders of their own.
    registry.write_text(registry.read_text().replace('Path("', f'Path("{tiny.folder}/'))
    tiny.run()
    return tiny


def test_sigterm_undoes_the_run(tiny: Tiny) -> None:
    before = tiny.versions()
    with tiny.running(*RUNNER, "--runner-params", "workers=2") as run:
        run.terminate()
        said = run.communicate(timeout=60)[1]
        assert run.returncode == 143, said
        assert said.splitlines()[-1].startswith("not committed; "), said
        assert "Traceback" not in said
        wait_for(lambda: not list_session(run.pid), "no worker is left", seconds=20)
    assert tiny.versions() == before
    assert not list((tiny.folder / "data").rglob("*~*"))
    assert not list(tiny.ledger.folder.glob("*.uncommitted"))
    tiny.expect_whole()


def test_workers_of_a_killed_run_end(tiny: Tiny) -> None:
    with tiny.running(*RUNNER, "--runner-params", "workers=2") as run:
        assert len(list_session(run.pid)) >= 3, "the run and its workers"
        run.send_signal(signal.SIGKILL)
        wait_for(lambda: not list_session(run.pid), "no worker is left", seconds=20)
    tiny.expect_whole()
