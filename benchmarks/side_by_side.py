"""Two commands in turn, and the ratio of the CPU seconds that they take."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tqdm import tqdm

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}


def copy_project(folder: Path) -> Path:
    for name in ("src", "conf", "data/01_raw"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    return folder


def command(folder: Path, *arguments: str) -> Callable[[], float]:
    """A function that runs Python with these arguments and gives the CPU seconds that it took."""

    def run() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, *arguments], cwd=folder, env=ENVIRONMENT, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    return run


def print_heading(pairs: int) -> None:
    print(f"{'CPU seconds, medians of ' + str(pairs) + ' pairs':<62} {'ours':>8} {'other':>8} {'ratio':>7}")


def compare(what: str, ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> None:
    ours(), theirs()  # once without counting, so that nobody pays for cold caches
    timings = [(ours(), theirs()) for _ in tqdm(range(pairs), desc=what, leave=False)]
    ratio = median(a / b for a, b in timings)
    a, b = (median(column) for column in zip(*timings, strict=True))
    print(f"{what:<62} {a:6.2f} s {b:6.2f} s {ratio:7.2f}")
