"""A hundred real runs, each killed at a random moment on a slow disk: `make chaos`.

strace slows each write, sync, rename and removal, so that most runs are killed during one of these.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import pytest

from kedro_ledger.ledger import Ledger
from tests.support.project import MakeProject, Project

RUNS = int(os.environ.get("CHAOS_RUNS", "100"))
SLOWED = "write,fsync,rename,unlink,rmdir,mkdir"
DELAY = 5000
"""Delay of each system call in microseconds."""
SLOW_DISK = ["strace", "-f", "--seccomp-bpf", "-o", os.devnull, "-e", f"inject={SLOWED}:delay_enter={DELAY}"]
RUNNERS = ["SequentialRunner", "ThreadRunner", "ParallelRunner"]


@dataclass
class Victim:
    """A project whose runs are killed."""

    project: Project
    seconds: dict[str, float] = field(default_factory=dict)
    """Duration of a run that is not killed, by runner."""
    ends: Counter[str] = field(default_factory=Counter)

    def start(self, runner: str, seed: int) -> subprocess.Popen[bytes]:
        """Start a run on the slow disk, whose artefacts depend on the seed, and wait until it has begun."""
        run = [sys.executable, "-m", "kedro", "run", "--runner", runner, "--params", f"split.seed={seed}"]
        ledger = Ledger(self.project.folder)
        known = set(ledger.folder.glob("*.uncommitted"))
        process = subprocess.Popen(
            [*SLOW_DISK, *run],
            cwd=self.project.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        while not set(ledger.folder.glob("*.uncommitted")) - known:
            assert process.poll() is None
            time.sleep(0.01)
        return process


@pytest.fixture(scope="module")
def victim(make_project: MakeProject) -> Iterator[Victim]:
    if not shutil.which("strace"):
        pytest.fail("strace is not installed, but it is needed to slow the disk")
    victim = Victim(make_project())
    victim.project.run()
    for runner in RUNNERS:
        process = victim.start(runner, seed=0)
        started = time.monotonic()
        assert process.wait() == 0
        victim.seconds[runner] = time.monotonic() - started
    yield victim
    print(f"\n{dict(victim.ends)}; seconds that a whole run takes: {victim.seconds}")
    assert victim.ends["killed before the commit"] >= sum(victim.ends.values()) / 2


@pytest.mark.parametrize("number", range(1, RUNS + 1))
def test_a_killed_run_harms_nothing(victim: Victim, number: int) -> None:
    chance = random.Random(number)
    runner = chance.choice(RUNNERS)
    ledger = Ledger(victim.project.folder)
    before = ledger.last()
    process = victim.start(runner, seed=number)
    time.sleep(chance.random() * victim.seconds[runner])
    ended = process.poll() is not None
    kill(process)
    committed = ledger.last() != before
    victim.ends[
        "ended" if ended else "killed after the commit" if committed else "killed before the commit"
    ] += 1

    expect_one_whole_run(victim.project)
    victim.project.run("--params", f"split.seed={number + 1000}")
    victim.project.run("--pipeline", "reporting")
    expect_one_whole_run(victim.project)
    view = {artefact.path for record in ledger.records() for _, artefact in record.artefacts}
    assert {path.rpartition("/")[0] for path in view} == versions_on_disk(victim.project) - announced(ledger)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Kill a run and its workers, and wait until they are gone, which a slow disk may delay."""
    with suppress(ProcessLookupError):
        while True:
            os.killpg(process.pid, signal.SIGKILL)
            process.poll()
            time.sleep(0.01)


def expect_one_whole_run(project: Project) -> None:
    ledger = Ledger(project.folder)
    for record in ledger.records():
        for name, artefact in record.artefacts:
            ledger.require_intact(name, artefact)
    comparison = project.load("comparison").set_index("variant")
    for variant, row in comparison.iterrows():
        metrics = project.load(f"{variant}.metrics")
        assert row["last_loss"] == pytest.approx(metrics["last_loss"])
        assert row["valid_accuracy"] == pytest.approx(metrics["valid_accuracy"])


def versions_on_disk(project: Project) -> set[str]:
    return {
        file.parent.relative_to(project.folder).as_posix()
        for file in (project.folder / "data").glob("0[2-8]_*/**/*.*")
        if file.is_file()
    } - {"data/01_raw"}


def announced(ledger: Ledger) -> set[str]:
    """Return the folders to which orphaned workers may still be writing, and which the next run removes."""
    return {
        folder
        for announcement in ledger.folder.glob("*.uncommitted")
        for folder in json.loads(announcement.read_text()).values()
    }
