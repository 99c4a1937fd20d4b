"""The crontab line of `kedro schedule`, run by a real cron daemon."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from kedro_ledger.ledger import Ledger
from tests.support import processes
from tests.support.project import Project
from tests.support.scheduled import set_catalog

pytestmark = pytest.mark.slow

DAEMON = """
set -e
# A separate daemon: it cannot see the machine's crontabs, and the machine's daemon cannot see its crontab.
mount --make-rprivate /
for folder in /var/spool/cron /etc/cron.d /run; do mount -t tmpfs tmpfs $folder; done
mount --bind /dev/null /etc/crontab
mkdir -p -m 1730 /var/spool/cron/crontabs
crontab "$1"
exec cron -f
"""
SHELL = """#!/bin/sh
# Write the output that cron would mail to a file.
/bin/sh "$@" >>printed 2>&1
"""
if not shutil.which("cron"):
    assert not os.environ.get("REQUIRE_CRON"), "cron is not installed"
    pytest.skip("cron is not installed", allow_module_level=True)
if os.geteuid() != 0:
    pytest.skip("only root can start a separate cron daemon", allow_module_level=True)


@contextmanager
def cron(crontab: Path) -> Iterator[None]:
    """Run a cron daemon with one crontab."""
    process = processes.start(["unshare", "--mount", "sh", "-c", DAEMON, "sh", str(crontab)])
    try:
        yield
        assert process.poll() is None, "the daemon has ended"
    finally:
        processes.kill(process.pid)
        process.wait()


@contextmanager
def stopped(folder: Path) -> Iterator[None]:
    """Pause the run in a folder until the end of the block."""
    command = f"{sys.executable}\0-m\0kedro\0run".encode()
    runs = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            if (process / "cmdline").read_bytes().startswith(command) and (process / "cwd").samefile(folder):
                runs.append(int(process.name))
    run = min(runs)  # the others are its child processes
    os.kill(run, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(run, signal.SIGCONT)


def wait_until(condition: Callable[[], object], mail: Path, seconds: float = 150) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "timed out"
        assert mail.read_text() == "", "a run failed"
        time.sleep(0.02)


def markers(ledger: Ledger) -> list[str]:
    """Return the marker files of running runs, and briefly that of a run that has just been committed."""
    return [marker.name for marker in ledger.folder.glob("*.uncommitted")]


def test_two_ticks_are_two_identical_runs_and_a_third_start_meanwhile_ends_with_75(project: Project) -> None:
    set_catalog(project)
    printed = project.kedro("schedule", "--cron", "* * * * *", "--scheduler", "cron").stdout
    line = printed.splitlines()[-1]
    assert line.startswith("* * * * * cd ")
    shell = project.folder / "shell"
    shell.write_text(SHELL.replace(">>printed", f">>{project.folder}/printed"))
    shell.chmod(0o755)
    crontab = project.folder / "crontab"
    crontab.write_text(f"SHELL={shell}\n{printed}")
    mail = project.folder / "printed"
    mail.touch()
    ledger = Ledger(project.folder)

    with cron(crontab):
        wait_until(lambda: len(ledger.records()) == 1, mail)
        (first,) = ledger.records()
        wait_until(
            lambda: [marker for marker in markers(ledger) if not marker.startswith(first.run_id)], mail
        )
        with stopped(project.folder):
            assert len(ledger.records()) == 1, "the second is running"
            third = subprocess.run(
                ["sh", "-c", line.removeprefix("* * * * * ").replace("\\%", "%")],
                capture_output=True,
                text=True,
            )
        wait_until(lambda: len(ledger.records()) == 2, mail)

    first, second = ledger.records()
    assert first.command == second.command == "kedro run --env scheduled"
    assert first.recipe == second.recipe
    assert len(first.outputs) > 50
    assert {name: output.sha256 for name, output in first.outputs.items()} == {
        name: output.sha256 for name, output in second.outputs.items()
    }
    assert "from-scratch: exit code 75 (see docs/scheduling.md)" in third.stdout
    assert "Error: another run is writing to data; nothing was changed" in third.stdout
    assert mail.read_text() == "", "cron mails nothing if the run succeeds"
    versions = {file.parent.name for file in (project.folder / "data").rglob("*/*/*") if file.is_file()}
    assert versions - {"01_raw", "runs"} == {first.run_id, second.run_id}, "the third left no trace"
    assert not list(ledger.folder.glob("*.uncommitted"))
