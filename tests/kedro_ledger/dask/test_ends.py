"""Runs that are terminated or killed while a worker runs a node."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.dask_cluster import RUNNER, run_cluster
from tests.support.processes import list_session, wait_for
from tests.support.project import ROOT
from tests.support.tiny import Tiny

pytestmark = pytest.mark.slow


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    tiny = Tiny.make(tmp_path / "tiny")
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    # Workers have their own working folders.
    registry.write_text(registry.read_text().replace('Path("', f'Path("{tiny.folder}/'))
    tiny.run()
    return tiny


def expect_undone(run: subprocess.Popen[str]) -> None:
    message = run.communicate(timeout=60)[1]
    assert run.returncode == 143, message
    assert message.splitlines()[-1].startswith("not committed; "), message
    assert "Traceback" not in message
    wait_for(lambda: not list_session(run.pid), "no worker is left", seconds=20)


def test_sigterm_undoes_a_run_on_workers_on_this_machine(tiny: Tiny) -> None:
    before = tiny.versions()
    with tiny.running(*RUNNER, "--runner-params", "workers=2") as run:
        run.terminate()
        expect_undone(run)
        assert tiny.versions() == before
        assert not list((tiny.folder / "data").rglob("*~*"))
        assert not list(tiny.ledger.folder.glob("*.uncommitted"))
    tiny.expect_whole()


def test_sigterm_undoes_a_run_on_an_existing_cluster(tiny: Tiny, tmp_path: Path) -> None:
    before = tiny.versions()
    path = os.pathsep.join([str(tiny.folder / "src"), str(ROOT / "src")])
    with run_cluster(tmp_path, workers=1, path=path) as cluster:
        with tiny.running(*cluster.runner) as run:
            run.terminate()
            expect_undone(run)
            assert tiny.versions() == before
            assert not list(tiny.ledger.folder.glob("*.uncommitted"))
        ran = tiny.kedro("run", *cluster.runner)  # as soon as the worker has finished the node
        assert ran.returncode == 0, ran.stderr
    assert not list((tiny.folder / "data").rglob("*~*"))
    tiny.expect_whole()


def test_workers_of_a_killed_run_end(tiny: Tiny) -> None:
    with tiny.running(*RUNNER, "--runner-params", "workers=2") as run:
        assert len(list_session(run.pid)) >= 3, "the run and its workers"
        run.kill()
        wait_for(lambda: not list_session(run.pid), "no worker is left", seconds=20)
    tiny.expect_whole()
