"""Compare commands in a project with 2,000 runs with the same commands in a project with 20 runs.

python benchmarks/two_thousand_runs.py [PAIRS]

The records are copies of a real one with new ids, numbers and times; none of them is pruned. A third project
keeps 20 of 2,000 runs, and the history of all. In a fourth, which also has all artefacts, each run prunes one
of 2,000 runs. Each pair runs both in turn. Prints the medians of the seconds and of their ratio.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

from prune_many_runs import copy_run
from side_by_side import ENVIRONMENT, copy_project, measure
from tqdm import tqdm

FEW_RUNS, MANY_RUNS = 20, 2000
KEDRO = ("-m", "kedro")


def make_project(folder: Path, runs: int, keep: int, with_artefacts: bool = False) -> Path:
    """Make a project with copies of a run, and another run that writes their history."""
    local = copy_project(folder) / "conf" / "local" / "parameters.yml"
    local.parent.mkdir(exist_ok=True)
    local.write_text(f"runs: {{keep: {10 * MANY_RUNS}}}\n")
    run(folder)
    copy_run(folder, runs - 1, with_artefacts)
    local.write_text(f"runs: {{keep: {keep}}}\n")
    run(folder)
    return folder


def run(project: Path) -> None:
    subprocess.run(
        [sys.executable, *KEDRO, "run"], cwd=project, env=ENVIRONMENT, check=True, capture_output=True
    )


def compare(what: str, many: Path, few: Path, command: tuple[str, ...], pairs: int) -> None:
    """Print the seconds of a command in two projects, and their ratios."""
    timings = [
        [measure(project, *KEDRO, *command) for project in (many, few)]
        for _ in tqdm(range(pairs + 1), desc=what, leave=False)
    ][1:]  # the first is not counted: it warms up the caches
    print(f"{what:<50}", end="")
    for kind in ("cpu", "wall"):
        ours, theirs = zip(*((getattr(a, kind), getattr(b, kind)) for a, b in timings), strict=True)
        ratio = median(a / b for a, b in zip(ours, theirs, strict=True))
        print(f" {median(ours):7.2f} s {median(theirs):7.2f} s {ratio:6.2f}", end="")
    print()


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as temporary:
        top = Path(temporary)
        few = make_project(top / "few", FEW_RUNS, 10 * MANY_RUNS)
        many = make_project(top / "many", MANY_RUNS, 10 * MANY_RUNS)
        kept = make_project(top / "kept", MANY_RUNS, FEW_RUNS)
        pruning = make_project(top / "pruning", MANY_RUNS, MANY_RUNS, with_artefacts=True)
        print(f"{f'medians of {pairs} pairs':<50} {'CPU time, ratio':>26} {'time, ratio':>26}")
        for what, project in ((f"{MANY_RUNS} runs", many), (f"{FEW_RUNS} of {MANY_RUNS} runs", kept)):
            for command in (("run",), ("runs", "list"), ("runs", "history")):
                compare(f"kedro {' '.join(command)}: {what} / {FEW_RUNS}", project, few, command, pairs)
        compare(f"kedro run that prunes one of {MANY_RUNS} / {FEW_RUNS}", pruning, few, ("run",), pairs)


if __name__ == "__main__":
    main()
