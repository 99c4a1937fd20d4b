"""Compare `kedro run` with and without the run ledger.

python benchmarks/run_without_ledger.py [PAIRS]

Each pair runs both in turn with one thread, in copies of the project that are git repositories. Prints the
medians over all pairs of the CPU seconds and of their ratio.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from side_by_side import command, compare, copy_project, print_heading

LEDGER_LINES = {
    "from kedro_ledger.context import RunContext\n": "",
    "from kedro_ledger.hooks import RunHooks\n": "",
    "CONTEXT_CLASS = RunContext\n": "",
    "(RunHooks(), ProjectHooks())": "(ProjectHooks(),)",
}


def remove_ledger(project: Path) -> None:
    settings = project / "src" / "from_scratch" / "settings.py"
    text = settings.read_text()
    for line, without in LEDGER_LINES.items():
        assert line in text, line
        text = text.replace(line, without)
    settings.write_text(text)


def put_into_git(project: Path) -> None:
    (project / ".gitignore").write_text("/data/\n__pycache__/\n*.log\n")
    author = ("-c", "user.name=benchmark", "-c", "user.email=benchmark@example.org")
    for arguments in (
        ["init", "--quiet"],
        ["add", "--all"],
        [*author, "commit", "--quiet", "--message", "one"],
    ):
        subprocess.run(["git", *arguments], cwd=project, check=True)


def main() -> None:
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    with tempfile.TemporaryDirectory() as temporary:
        with_ledger, without = (copy_project(Path(temporary) / name) for name in ("with", "without"))
        remove_ledger(without)
        for project in (with_ledger, without):
            put_into_git(project)
        print_heading(pairs)
        run = ("-m", "kedro", "run")
        compare("kedro run / without the ledger", command(with_ledger, *run), command(without, *run), pairs)


if __name__ == "__main__":
    main()
