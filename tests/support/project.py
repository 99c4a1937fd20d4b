"""Copies of the project, in which the tests run Kedro as a user does."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kedro.framework.project import configure_project
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol

from tests.support import prepared_python

ROOT = Path(__file__).parents[2]
RAW = ROOT / "data" / "01_raw"
SHA256 = {
    "train.csv": "4a437fde05fe5264e1701a7387ac6fb75393772ba38bb2c9c566405af5af4bd7",
    "test.csv": "5c78320a80dc159b35c408363be46a5d93f078183d539db75ee42a796d6a4e95",
}


@dataclass
class Project:
    """A copy of the project, with Kaggle's two files."""

    folder: Path

    def kedro(
        self, *arguments: str, folder: str = ".", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a `kedro` command, and return its output and its exit code."""
        command = [sys.executable, "-m", "kedro", *arguments]
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("KEDRO_")}
        if not environment:
            ran = prepared_python.run("kedro", arguments, self.folder / folder, inherited)
            return subprocess.CompletedProcess(command, *ran)
        return subprocess.run(
            command,
            cwd=self.folder / folder,
            env=inherited | environment,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run the pipelines, and require that they succeed."""
        ran = self.kedro("run", *arguments, **environment)
        assert ran.returncode == 0, ran.stderr
        return ran

    def load(self, dataset: str, env: str | None = None) -> Any:
        """Load the last committed version of a dataset."""
        return self.open_catalog(env).load(dataset)

    def open_catalog(self, env: str | None = None) -> CatalogProtocol[Any, Any]:
        """Return the catalog of the last committed run."""
        configure_project("from_scratch")
        session = KedroSession.create(self.folder, save_on_close=False, env=env)
        return session.load_context().catalog

    def artefacts(self) -> dict[str, str]:
        """Return the hashes of all files that runs wrote, by their paths without the version."""
        files = [
            file for file in (self.folder / "data").rglob("*") if file.is_file() and file.name != ".gitkeep"
        ]
        return {
            str(file.parents[1].relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
            if file.parent.name not in ("01_raw", "runs")
        }

    def list_nodes(self) -> list[str]:
        """List the nodes that have started in all runs, as logged."""
        log = self.folder / "kedro.log"
        return re.findall(r"from_scratch\.nodes: (\S+) +-> ", log.read_text()) if log.exists() else []

    def configure(self, name: str, content: str, env: str = "local") -> None:
        """Write a configuration file of an environment, by default in conf/local."""
        (self.folder / "conf" / env / name).write_text(content)


MakeProject = Callable[[], Project]


def copy_project(folder: Path) -> Project:
    """Copy the project, with Kaggle's two files and without the user's own configuration."""
    # Compiled Python files are copied, except those that are still being written.
    ignored = shutil.ignore_patterns("*.pyc.*", "*.egg-info")
    for name in ("src", "conf", "deploy"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignored)
    shutil.rmtree(folder / "conf" / "local")
    (folder / "conf" / "local").mkdir()
    for name in ("pyproject.toml", ".telemetry"):
        shutil.copy(ROOT / name, folder)
    (folder / "data" / "01_raw").mkdir(parents=True)
    for name in SHA256:
        shutil.copy(RAW / name, folder / "data" / "01_raw")
    return Project(folder)
