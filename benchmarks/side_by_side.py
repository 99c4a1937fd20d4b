"""Timing of two commands in turn, and the ratio of their CPU seconds."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import NamedTuple

from tqdm import tqdm

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def copy_project(folder: Path) -> Path:
    for name in ("src", "conf", "data/01_raw"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    return folder


class Usage(NamedTuple):
    """Resources that a process used."""

    cpu: float
    """CPU seconds, including system time."""
    wall: float
    """Seconds from start to end."""
    memory: float
    """Peak memory in megabytes."""


def measure(folder: Path, *arguments: str) -> Usage:
    """Run Python and return its usage. Its peak memory is at least this process's, so import little here."""
    begin = perf_counter()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            raise subprocess.CalledProcessError(process.returncode, process.args, output.read())
    return Usage(usage.ru_utime + usage.ru_stime, perf_counter() - begin, usage.ru_maxrss / 1024)


def command(folder: Path, *arguments: str) -> Callable[[], float]:
    """Return a function that runs Python with these arguments and returns the CPU seconds."""
    return lambda: measure(folder, *arguments).cpu


def print_heading(pairs: int) -> None:
    print(f"{'CPU seconds, medians of ' + str(pairs) + ' pairs':<62} {'ours':>8} {'other':>8} {'ratio':>7}")


def compare(what: str, ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> None:
    ours(), theirs()  # not counted: warms up the caches
    timings = [(ours(), theirs()) for _ in tqdm(range(pairs), desc=what, leave=False)]
    ratio = median(a / b for a, b in timings)
    a, b = (median(column) for column in zip(*timings, strict=True))
    print(f"{what:<62} {a:6.2f} s {b:6.2f} s {ratio:7.2f}")
