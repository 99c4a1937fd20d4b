"""The documents' commands work, in the order of each page, and their links lead somewhere."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import processes
from tests.support.documents import FENCE, list_anchors, list_commands, list_links
from tests.support.project import ROOT, MakeProject, Project

FOLDERS = (".", "docs", "benchmarks", "data/01_raw", "src/kedro_ledger")
NAMES = sorted(str(file.relative_to(ROOT)) for folder in FOLDERS for file in (ROOT / folder).glob("*.md"))
LEDGER = ("cluster", "runs", "scheduling", "speed")
"""Pages on the ledger, whose commands need clusters, timers and other projects; their own test runs them."""
QUICK = ("docs/kedro-viz.md", "docs/notebook.md")
"""Pages whose commands take only a few seconds."""

NOT_RUN = {
    r"make (test|lint|coverage|chaos|clean)\b": "runs the tests, or removes what they use",
    r"make (benchmark|lock|notebook|pictures)\b": "takes minutes, Chromium or the network",
    r"(python3? -m )?(pip|venv)\b|pre-commit install|apt-get": "installs packages from the network",
    r"git (clone|push|pull)\b": "needs the network",
    r"kedro (jupyter|viz run|ipython)\b|python3? -m http\.server\b": "serves until it is stopped",
    r"kedro viz deploy\b": "uploads to a bucket",
    r".* address=tcp://": "needs a cluster at that address",
    r"python benchmarks/": "takes minutes, and needs packages of its own",
}
"""Commands that are not run, and why."""
PLACEHOLDERS = {"FILE.csv": "data/01_raw/train.csv", "COLUMN": "Survived", "NAME": "mine"}
TIMEOUT = 600
"""Seconds after which a page's commands are killed."""


def is_run(command: str) -> bool:
    return not any(re.match(pattern, command) for pattern in NOT_RUN)


def list_runnable(page: Path) -> list[str]:
    return [command for command in list_commands(page) if is_run(command)]


PAGES = [
    name
    for name in NAMES
    if list_runnable(ROOT / name)
    and Path(name).stem not in LEDGER
    and not name.startswith("src/kedro_ledger/")
]


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_to_files_and_headings(name: str) -> None:
    for link in list_links(ROOT / name):
        path, _, anchor = link.partition("#")
        target = (ROOT / name).parent / path if path else ROOT / name
        assert target.exists(), link
        assert not anchor or target.suffix != ".md" or anchor in list_anchors(target), link


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in QUICK else pytest.mark.slow) for name in PAGES]
)
def test_the_commands_of_a_page_work(name: str, make_project: MakeProject) -> None:
    project = make_project()
    prepare(project, ROOT / name)
    code, printed = run_in_bash(project, list_runnable(ROOT / name))
    assert code == 0, f"exit code {code}:\n{printed}"


def prepare(project: Project, page: Path) -> None:
    """Add the rest of a checkout in which `make` has installed everything, and make the study short."""
    folder = project.folder
    for name in ("docs", "notebooks", "benchmarks"):
        shutil.copytree(ROOT / name, folder / name)
    for name in ("Makefile", "requirements.lock", ".gitignore", "README.md"):
        shutil.copy(ROOT / name, folder)
    parameters = folder / "conf" / "base" / "parameters.yml"
    shorter, count = re.subn(r"seeds: 200, splits: 5", "seeds: 4, splits: 2", parameters.read_text("utf-8"))
    assert count == 1
    parameters.write_text(shorter, "utf-8")
    for _, block in FENCE.findall(page.read_text("utf-8")):
        if block.startswith("ad;kind;gears;age;price;repairs\n"):
            (folder / "data" / "01_raw" / "new_bikes.csv").write_text(block)
    user = ("-c", "user.name=Reader", "-c", "user.email=reader@example.org")
    for arguments in (("init", "--quiet"), ("add", "--all"), (*user, "commit", "--quiet", "-m", "Begin")):
        subprocess.run(["git", *arguments], cwd=folder, check=True)
    environment = folder / ".venv"
    environment.mkdir()
    for entry in ("bin", "lib", "pyvenv.cfg"):
        if (Path(sys.prefix) / entry).exists():
            (environment / entry).symlink_to(Path(sys.prefix) / entry)
    for entry in ("installed", "installed-test"):
        (environment / entry).touch()


def run_in_bash(project: Project, commands: list[str]) -> tuple[int, str]:
    """Run commands one after the other, until one fails; return the exit code, and what they printed."""
    script = "\n".join(commands)
    for placeholder, value in PLACEHOLDERS.items():
        script = re.sub(rf"\b{re.escape(placeholder)}\b", value, script)
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("KEDRO_")}
    programs = [str(project.folder / ".venv" / "bin"), inherited.get("PATH", os.defpath)]
    own = {"PATH": os.pathsep.join(programs), "PYTHONPATH": str(project.folder / "src"), "BROWSER": "true"}
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.STDOUT,
        "stdin": subprocess.DEVNULL,
        "text": True,
    }
    command = ["bash", "-evo", "pipefail", "-c", script]
    with processes.start(command, cwd=project.folder, env=inherited | own, **options) as shell:
        try:
            printed, _ = shell.communicate(timeout=TIMEOUT)
        except BaseException:
            processes.kill(shell.pid)
            raise
    return shell.returncode, printed
