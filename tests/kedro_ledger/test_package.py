"""The package by itself: its imports, and its use without this project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import kedro_ledger
from tests.support.tiny import Tiny

PACKAGE = Path(kedro_ledger.__file__).parent
NOT_NEEDED = ("from_scratch", "torch", "numpy", "pandas", "plotly", "tqdm", "distributed")
MODULES = sorted(file.stem for file in PACKAGE.glob("*.py") if file.stem not in ("__init__", "rerun"))


def test_nothing_of_the_project_or_its_libraries_is_imported() -> None:
    code = "import sys; from importlib import import_module\n"
    code += f"for name in {MODULES}: import_module('kedro_ledger.' + name)\n"
    code += f"print(*(name for name in {NOT_NEEDED} if name in sys.modules))"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not ran.stdout.split()


BLOCK = f"""
import sys


class Block:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {NOT_NEEDED[1:]}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Block())
"""


@pytest.mark.slow
def test_another_project_runs_with_only_this_package(tiny: Tiny, tmp_path: Path) -> None:
    """The package is installed by its own pyproject.toml, and this project's libraries can't be imported."""
    site = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(site)]
    sources = tmp_path / "kedro_ledger"
    shutil.copytree(PACKAGE, sources, ignore=shutil.ignore_patterns("__pycache__"))
    installed = subprocess.run([*pip, str(sources)], capture_output=True, text=True)
    assert installed.returncode == 0, installed.stderr
    (site / "sitecustomize.py").write_text(BLOCK)
    stub = site / "from_scratch" / "cli"  # this environment has entry points for it
    stub.mkdir(parents=True)
    (stub / "hooks.py").write_text("command_hooks = object()\n")
    for folder in (stub, stub.parent):
        (folder / "__init__.py").touch()

    def kedro(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=tiny.folder,
            env=os.environ | {"PYTHONPATH": str(site)},
            capture_output=True,
            text=True,
        )

    for arguments in (
        ["run"],
        ["run", "--params", "factor=3"],
        ["runs", "list"],
        ["runs", "diff", "last~1", "last"],
        ["runs", "verify"],
        ["runs", "history"],
        ["runs", "path", "numbers"],
        ["runs", "checkout", "last~1"],
        ["runs", "prune", "--keep", "1"],
    ):
        ran = kedro(*arguments)
        assert ran.returncode == 0, (arguments, ran.stderr)
    ran = kedro("runs", "history", "--html", "page.html")
    assert ran.returncode == 1
    assert "kedro-ledger[plots]" in ran.stderr
