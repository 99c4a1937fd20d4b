"""The end of a run's processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import psutil
import pytest

from tests.kedro_ledger.test_code import git
from tests.support.processes import kill, list_session, start, wait_for
from tests.support.tiny import Tiny, in_process, run_all

CONTEXTS = ("fork", "forkserver", "spawn")


def wait_until_gone(leader: int) -> None:
    """Wait until all processes that a run has started have ended."""
    wait_for(lambda: not list_session(leader), f"processes of {leader}", seconds=20)


def widen(tiny: Tiny) -> None:
    """Add a node that doesn't depend on the waiting nodes, so that there are two workers."""
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    also = 'node(list, "numbers", "scaled.copy", name="copy"),\n        node(total'
    registry.write_text(registry.read_text().replace("node(total", also))


def expect_undone(tiny: Tiny, run: subprocess.Popen[str], before: set[str]) -> None:
    message = run.communicate(timeout=60)[1]
    assert run.returncode == 143, message
    assert message.splitlines()[-1].startswith("not committed; "), message
    assert "Traceback" not in message
    assert tiny.versions() == before
    assert not list((tiny.folder / "data").rglob("*~*"))
    assert not list(tiny.ledger.folder.glob("*.uncommitted"))
    wait_until_gone(run.pid)


@pytest.mark.matrix
@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--async",),
        ("--runner", "ThreadRunner"),
        *(("--runner", "ParallelRunner", context) for context in CONTEXTS),
    ],
    ids=" ".join,
)
def test_sigterm_undoes_the_run(
    tiny: Tiny, options: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if options[-1:] and options[-1] in CONTEXTS:
        monkeypatch.setenv("KEDRO_MP_CONTEXT", options[-1])
        options = options[:-1]
    widen(tiny)
    seen = tiny.run()
    before = tiny.versions()
    for terminate in (
        os.kill,
        os.killpg,
    ):  # signals the run only, as a person does, or also its workers, as systemd does
        with tiny.running(*options) as run:
            terminate(run.pid, signal.SIGTERM)
            expect_undone(tiny, run, before)
        assert tiny.ledger.current() == seen
    tiny.expect_whole()


@pytest.mark.slow
@pytest.mark.parametrize("context", CONTEXTS)
def test_workers_of_a_killed_run_end(tiny: Tiny, context: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEDRO_MP_CONTEXT", context)
    widen(tiny)
    tiny.run()
    with tiny.running("--runner", "ParallelRunner") as run:
        copied = tiny.folder / "data/03_scaled/copy.json"
        wait_for(lambda: len(list(copied.iterdir())) == 2, "the other worker is idle")
        assert len(list_session(run.pid)) >= 4, "the run, a manager, a worker at work, an idle one"
        run.kill()
        wait_until_gone(run.pid)
    tiny.expect_whole()


SLOW = """
import time
from pathlib import Path

from kedro_ledger.transaction import Transaction

abort = Transaction.abort


def abort_slowly(*arguments):
    Path("data/undoing").touch()
    time.sleep(0.5)
    abort(*arguments)


Transaction.abort = abort_slowly
"""


@pytest.mark.matrix
@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT, None])
def test_a_signal_while_the_run_is_undone(
    tiny: Tiny, first: signal.Signals | None, second: signal.Signals
) -> None:
    tiny.run()
    before = tiny.versions()
    settings = tiny.folder / "src/tiny/settings.py"
    settings.write_text(settings.read_text() + SLOW)
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    registry.write_text(
        registry.read_text().replace("return [-number for number in numbers]", "raise OSError")
    )
    with tiny.running() as run:
        if first:
            run.send_signal(first)
        else:
            tiny.go_on()  # to the node that fails
        wait_for((tiny.folder / "data/undoing").exists)
        run.send_signal(second)
        message = run.communicate(timeout=60)[1]
        assert run.returncode == (143 if (first or second) == signal.SIGTERM else 1), message
        assert message.splitlines()[-1].startswith("not committed; "), message
        assert "Traceback" not in message
    assert tiny.versions() == before
    assert not list(tiny.ledger.folder.glob("*.uncommitted"))


def test_an_existing_handler_of_sigterm_is_kept(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    look = "    import signal\n    Path('data/seen').write_text(repr(signal.getsignal(signal.SIGTERM)))\n"
    registry.write_text(registry.read_text().replace("def parse(raw):\n", f"def parse(raw):\n{look}"))
    assert in_process(run_and_look_who_handles_sigterm, tiny.folder) == 0


def run_and_look_who_handles_sigterm(folder: Path) -> None:
    def run(runs: list[dict[str, Any]]) -> tuple[str, object]:
        with suppress(TypeError):
            run_all(folder, runs)
        return Path("data/seen").read_text(), signal.getsignal(signal.SIGTERM)

    seen, after = run([{}])
    assert "Termination" in seen
    assert after == signal.SIG_DFL
    seen, after = run([{"runtime_params": {"factor": "not a number"}}])
    assert "Termination" in seen
    assert after == signal.SIG_DFL
    thread = Thread(target=run_all, args=(folder, [{}]))
    thread.start()
    thread.join()
    assert run([]) == (repr(signal.SIG_DFL), signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    assert run([{}]) == (repr(signal.default_int_handler), signal.default_int_handler)


def test_a_child_process_of_a_node_ends_by_itself(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    terminate = """def parse(raw):
    import multiprocessing, time
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=[1000])
    child.start()
    child.terminate()
    child.join()
    assert child.exitcode == -15
"""
    registry.write_text(registry.read_text().replace("def parse(raw):\n", terminate))
    tiny.run()


@pytest.mark.slow
def test_a_node_that_catches_all_exceptions_is_ended(tiny: Tiny) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    wait, catch = "        time.sleep(0.01)\n", "        try: time.sleep(0.01)\n        except: pass\n"
    assert wait in registry.read_text()
    registry.write_text(registry.read_text().replace(wait, catch))
    with tiny.running() as run:
        run.terminate()
        expect_undone(tiny, run, set())


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_rerun_ends_with_its_command(tiny: Tiny, tmp_path: Path, number: signal.Signals) -> None:
    registry = tiny.folder / "src/tiny/pipeline_registry.py"
    wait = "def parse(raw):\n    while time.sleep(0.01) or 'WAITING' in os.environ:\n"
    wait += "        Path(os.environ['WAITING']).touch()\n"
    registry.write_text(registry.read_text().replace("def parse(raw):\n", wait))
    git(tiny.folder, "init", "--quiet")
    git(tiny.folder, "add", "--all")
    git(tiny.folder, "commit", "--quiet", "--message", "a state")
    tiny.run()
    waiting = tmp_path / "waiting"
    command = [sys.executable, "-m", "kedro", "runs", "reproduce", "last", "--into", str(tmp_path / "rerun")]
    reproduce = start(command, cwd=tiny.folder, env=os.environ | {"WAITING": str(waiting)})
    wait_for(waiting.exists)
    (rerun,) = psutil.Process(reproduce.pid).children()
    reproduce.send_signal(number)
    reproduce.wait(20)
    rerun.wait(20)
    kill(reproduce.pid)
