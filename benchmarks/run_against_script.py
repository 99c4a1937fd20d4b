"""What Kedro costs: `kedro run` against the article as one plain script, and light commands against nothing.

python benchmarks/run_against_script.py [PAIRS]

Both of a pair run in turn, with one thread each; what is printed are the medians, over all pairs, of the CPU
seconds of each and of their ratio. It all happens in a copy of the project, on train.csv if it is there.
"""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

from tqdm import tqdm

from from_scratch.datasets.titanic_sample import draw_passengers

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
EMPTY_PROJECT = {
    "pyproject.toml": "[tool.kedro]\n"
    'package_name = "empty"\nproject_name = "empty"\nkedro_init_version = "1.7.0"\n',
    ".telemetry": "consent: false\n",
    "conf/base/parameters.yml": "{}\n",
    "conf/base/catalog.yml": "{}\n",
    "conf/local/.gitkeep": "",
    "src/empty/__init__.py": "",
    "src/empty/settings.py": "",
    "src/empty/pipeline_registry.py": "from kedro.pipeline import Pipeline\n\n\n"
    "def register_pipelines():\n    return {'__default__': Pipeline([])}\n",
}


def copy_project(folder: Path) -> Path:
    for name in ("src", "conf"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    raw = folder / "data" / "01_raw"
    raw.mkdir(parents=True)
    if (ROOT / "data" / "01_raw" / "train.csv").exists():
        shutil.copy(ROOT / "data" / "01_raw" / "train.csv", raw)
    else:
        draw_passengers().to_csv(raw / "train.csv", index=False)
    return folder


def write_empty_project(folder: Path) -> Path:
    for name, content in EMPTY_PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
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


def compare(what: str, ours: Callable[[], float], theirs: Callable[[], float], pairs: int) -> None:
    ours(), theirs()  # once without counting, so that nobody pays for cold caches
    timings = [(ours(), theirs()) for _ in tqdm(range(pairs), desc=what, leave=False)]
    ratio = median(a / b for a, b in timings)
    a, b = (median(column) for column in zip(*timings, strict=True))
    print(f"{what:<62} {a:6.2f} s {b:6.2f} s {ratio:7.2f}")


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as temporary:
        project = copy_project(Path(temporary) / "project")
        empty = write_empty_project(Path(temporary) / "empty")
        script = str(ROOT / "benchmarks" / "plain_script.py")
        print(
            f"{'CPU seconds, medians of ' + str(pairs) + ' pairs':<62} {'ours':>8} {'other':>8} {'ratio':>7}"
        )
        compare(
            "kedro run (six variants, all artefacts) / the plain script",
            command(project, "-m", "kedro", "run"),
            command(project, script, "data/01_raw/train.csv"),
            pairs,
        )
        for light in ("registry list", "catalog describe-datasets"):
            kedro = ("-m", "kedro", *light.split())
            compare(
                f"kedro {light} / in an empty project",
                command(project, *kedro),
                command(empty, *kedro),
                pairs,
            )


if __name__ == "__main__":
    main()
