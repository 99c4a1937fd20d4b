"""Compare the time of `kedro runs prune` for thousands of complete runs with `rm -rf` of their files.

python benchmarks/prune_many_runs.py [RUNS]

The runs are copies of a real one, with all of its artefacts and new ids. Prints the seconds of both, which a
slow disk dominates.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from time import perf_counter

from side_by_side import ENVIRONMENT, copy_project
from tqdm import tqdm

KEPT_RUNS = 3


def copy_run(project: Path, runs: int, with_artefacts: bool = True) -> int:
    """Copy the only run of a project until it has this many; return the number of artefacts of each run."""
    ledger = project / "data" / "runs"
    (file,) = ledger.glob("000001_*.json")
    text, run_id = file.read_text("utf-8"), file.stem.partition("_")[2]
    first = json.loads(text)
    paths = [artefact["path"] for artefact in first["wrote"].values()]
    for seq in tqdm(range(2, runs + 1), desc="copying a run", leave=False):
        time = datetime.fromisoformat(first["started"]) + timedelta(seconds=seq)
        other = f"copy-{seq:06d}"
        for path in paths if with_artefacts else ():
            copy = project / path.replace(run_id, other)
            copy.parent.mkdir()
            os.link(project / path, copy)
        record = text.replace(run_id, other).replace('"seq": 1,', f'"seq": {seq},')
        record = record.replace(first["started"], time.isoformat(timespec="milliseconds"))
        (ledger / f"{seq:06d}_{other}.json").write_text(record, "utf-8")
    return len(paths)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 2003
    with tempfile.TemporaryDirectory() as temporary:
        project, other = Path(temporary, "project"), Path(temporary, "other")
        copy_project(project)
        kedro = [sys.executable, "-m", "kedro"]
        subprocess.run([*kedro, "run"], cwd=project, env=ENVIRONMENT, check=True, capture_output=True)
        shutil.copytree(project, other)
        artefacts = copy_run(project, runs)
        copy_run(other, runs)
        prune = [*kedro, "runs", "prune", "--keep", str(KEPT_RUNS)]
        pruned = time(lambda: subprocess.run(prune, cwd=project, check=True, stdout=subprocess.DEVNULL))
        removed = time(lambda: subprocess.run(["rm", "-rf", str(other / "data")], check=True))
    print(
        f"pruning {runs - KEPT_RUNS:,} of {runs:,} runs with {artefacts} artefacts each: {pruned:.1f} s; "
        f"rm -rf of all runs: {removed:.1f} s"
    )


def time(work: Callable[[], object]) -> float:
    begin = perf_counter()
    work()
    return perf_counter() - begin


if __name__ == "__main__":
    main()
