"""Whether a ledger stays quick: commands in a project with 2,000 runs, against the same with 20.

python benchmarks/two_thousand_runs.py [PAIRS]

The records are copies of a real one, under ids, numbers and times of their own; none of them is pruned. A
third project keeps 20 runs of 2,000, and a line of history of each. In a fourth, which has all artefacts too,
each run prunes one of 2,000. Both of a pair run in turn; what is printed are the medians of the seconds of
each, and of their ratio.
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

FEW, MANY = 20, 2000
KEDRO = ("-m", "kedro")


def make_project(folder: Path, runs: int, keep: int, with_artefacts: bool = False) -> Path:
    """Make a project with copies of a run, and with their lines of history, which another run writes."""
    local = copy_project(folder) / "conf" / "local" / "parameters.yml"
    local.parent.mkdir(exist_ok=True)
    local.write_text(f"runs: {{keep: {10 * MANY}}}\n")
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
    ][1:]  # the first is not counted, so that nobody pays for cold caches
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
        few = make_project(top / "few", FEW, 10 * MANY)
        many = make_project(top / "many", MANY, 10 * MANY)
        kept = make_project(top / "kept", MANY, FEW)
        pruning = make_project(top / "pruning", MANY, MANY, with_artefacts=True)
        print(f"{f'medians of {pairs} pairs':<50} {'CPU time, ratio':>26} {'time, ratio':>26}")
        for what, project in ((f"{MANY} runs", many), (f"{FEW} runs of {MANY}", kept)):
            for command in (("run",), ("runs", "list"), ("runs", "history")):
                compare(f"kedro {' '.join(command)}: {what} / {FEW}", project, few, command, pairs)
        compare(f"kedro run that prunes one of {MANY} / {FEW}", pruning, few, ("run",), pairs)


if __name__ == "__main__":
    main()
