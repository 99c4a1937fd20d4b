"""A typical Kedro project that uses every kind of dataset. `make test-ledger` installs what it needs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
collect_ignore = ["project"]


@dataclass(frozen=True)
class Project:
    """A copy of the project in git."""

    folder: Path

    @classmethod
    def make(cls, folder: Path) -> Project:
        """Copy the project, and commit it."""
        shutil.copytree(HERE / "project", folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / ".telemetry").write_text("consent: false\n")
        secret = folder / "conf" / "local" / "credentials.yml"
        secret.write_text("database: {con: sqlite:///data/tables.sqlite}\n")
        name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]
        for arguments in (["init", "--quiet"], ["add", "."], [*name, "commit", "--quiet", "-m", "Begin"]):
            subprocess.run(["git", *arguments], cwd=folder, check=True)
        return cls(folder)

    def python(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run Python in the project, without the user's caches and without models from the network."""
        own = {"HF_HOME": str(self.folder / "data" / "hugging_face"), "HF_HUB_OFFLINE": "1", "COLUMNS": "200"}
        own["DO_NOT_TRACK"] = "1"
        # pip has compiled no files, and compiling takes long: keep the files that the first import compiles.
        own["PYTHONDONTWRITEBYTECODE"] = ""
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=os.environ | own | environment,
            capture_output=True,
            text=True,
        )

    def kedro(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run `kedro` as a user does."""
        return self.python("-m", "kedro", *arguments, **environment)


def read_json(output: str) -> Any:
    """Read the JSON among the messages that Kedro's default logging prints to the same stream."""
    return json.JSONDecoder().raw_decode(output, output.index("{\n"))[0]


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Project]:
    """A function that makes a project."""
    return lambda: Project.make(tmp_path_factory.mktemp("kinds") / "project")


@pytest.fixture(scope="session")
def project(make_project: Callable[[], Project]) -> Project:
    """A project in which every kind has run once."""
    return make_project()


@pytest.fixture(scope="session")
def walk(project: Project) -> Mapping[str, Any]:
    """Return, by dataset, what its user sees of runs in which it has each of its roles."""
    walked = project.python(str(HERE / "walk.py"))
    assert walked.returncode == 0, walked.stderr[-5000:]
    results: dict[str, Any] = json.loads((project.folder / "walked.json").read_text())
    return results


@pytest.fixture(scope="session")
def rebuilt(project: Project, walk: Mapping[str, Any]) -> Mapping[str, str | None]:
    """Return, by dataset, how it differs in a rebuilt run; None if it is identical, byte for byte."""
    ran = project.kedro("run", "--tags", "versioned")
    assert ran.returncode in (0, 76), ran.stdout[-3000:] + ran.stderr[-3000:]
    verified = project.kedro("runs", "verify")
    assert verified.returncode == 0, verified.stdout
    differences: dict[str, str | None] = read_json(
        project.kedro("runs", "reproduce", "last", "--json").stdout
    )["differences"]
    return differences
