"""Compare `kedro run` with a plain script of the article, and light commands with an empty Kedro project.

python benchmarks/run_against_script.py [PAIRS]

Each pair runs both programs in turn with one thread, in a copy of the project. Prints the medians over all
pairs of the CPU seconds and of their ratio.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from side_by_side import ROOT, command, compare, copy_project, print_heading

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


def write_empty_project(folder: Path) -> Path:
    for name, content in EMPTY_PROJECT.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    return folder


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    with tempfile.TemporaryDirectory() as temporary:
        project = copy_project(Path(temporary) / "project")
        empty = write_empty_project(Path(temporary) / "empty")
        script = str(ROOT / "benchmarks" / "plain_script.py")
        print_heading(pairs)
        compare(
            "kedro run (all variants and artefacts) / plain script",
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
