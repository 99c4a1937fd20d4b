"""Compare `kedro run` with a plain script of the article on large data.

python benchmarks/large_data.py [ROWS ...] [--pairs PAIRS]

The rows are passengers drawn from train.csv with a seed, each with a unique PassengerId. Each pair runs both
programs in turn with one thread. Prints the medians over all pairs of the CPU seconds, the peak memory and
their ratios; then the parts of `kedro run`, each with its start-up; and an epoch of `deep`, compared with one
that passes all training rows through the model at once. Runs in a copy of the project with the article's six
variants. 10,000,000 rows take several minutes, and gigabytes of memory and of temporary files (in TMPDIR).
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median

import yaml
from side_by_side import ENVIRONMENT, ROOT, Usage, copy_project, measure

VARIANTS = ("linear", "sigmoid", "matmul", "neural_net_slow", "neural_net", "deep")
"""Variants of the article, as in plain_script.py."""
PARTS = ("preparation", "training", "scoring", "reporting")
"""Tags of the nodes."""
RUN = ("-m", "kedro", "run", "--env", "article")


def write_rows(file: Path, rows: int) -> None:
    """Replace a CSV with this number of its rows, drawn with a seed."""
    with file.open(newline="") as lines:
        header, *passengers = csv.reader(lines)
    draw = random.Random(0)
    with file.open("w", newline="") as lines:
        writer = csv.writer(lines)
        writer.writerow(header)
        writer.writerows([number, *draw.choice(passengers)[1:]] for number in range(1, rows + 1))


def leave_out_variants(project: Path) -> None:
    """Create an environment without the variants that are not in the article."""
    variants = yaml.safe_load((project / "conf/base/parameters.yml").read_text())["variants"]
    (project / "conf/article").mkdir()
    others = dict.fromkeys(name for name in variants if name not in VARIANTS)
    (project / "conf/article/parameters.yml").write_text(yaml.safe_dump({"variants": others}))


def print_row(what: str, ours: list[Usage], theirs: list[Usage]) -> None:
    cells = [what.ljust(44)]
    for unit, column in (("s", 0), ("MB", 1)):
        pairs = [(our[column], their[column]) for our, their in zip(ours, theirs, strict=True)]
        a, b = (median(values) for values in zip(*pairs, strict=True))
        cells.append(f"{a:9,.2f} {b:9,.2f} {unit:<2} {median(our / their for our, their in pairs):6.2f}")
    print(*cells, flush=True)


def compare(rows: int, pairs: int) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        project = copy_project(Path(temporary) / "project")
        leave_out_variants(project)
        data = project / "data/01_raw/train.csv"
        write_rows(data, rows)
        ours, theirs = [], []
        for _ in range(pairs):
            theirs.append(measure(project, str(ROOT / "benchmarks/plain_script.py"), str(data)))
            ours.append(measure(project, *RUN))
        print_row(f"{rows:,} rows: kedro run / plain script", ours, theirs)
        for part in PARTS:
            usage = measure(project, *RUN, "--tags", part)
            print(f"{'  ' + part:<44} {usage.cpu:9,.2f} {'':9} s  {'':6} {usage.memory:9,.2f}", flush=True)
        fitted, passed = (epoch(project, way) for way in ("fit", "pass"))
        what = "  an epoch of deep: in chunks / in one pass"
        print(f"{what:<44} {fitted:9.3f} {passed:9.3f} s  {fitted / passed:6.2f}", flush=True)


def epoch(project: Path, way: str) -> float:
    """Return the CPU seconds of an epoch in a new process, whose memory has not been used before."""
    script = str(ROOT / "benchmarks/one_epoch.py")
    command = [sys.executable, script, str(project), way]
    return float(subprocess.check_output(command, cwd=project, env=ENVIRONMENT, text=True))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("rows", nargs="*", type=int, default=[1_000_000])
    parser.add_argument("--pairs", type=int, default=1)
    chosen = parser.parse_args()
    heading = f"medians of {chosen.pairs} pair{'s' * (chosen.pairs > 1)}: CPU seconds, then memory"
    print(f"{heading:<49} ours     other     ratio      ours     other     ratio")
    for rows in chosen.rows:
        compare(rows, chosen.pairs)


if __name__ == "__main__":
    main()
