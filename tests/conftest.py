"""Projects in folders of their own, in which the tests run Kedro as a user does."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from kedro.framework.project import configure_project
from kedro.framework.session import KedroSession
from kedro.io import CatalogProtocol

from tests import prepared_python

# How fast this machine is, and what else it does, decides about nothing.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


ROOT = Path(__file__).parents[1]
NO_NETWORK = 'passengers: {{type: from_scratch.datasets.RawCSVDataset, filepath: data/01_raw/train.csv, \
url: "http://127.0.0.1:9/train.csv", sha256: {sha256}, original: true, sample: {sample}, \
metadata: {{kedro-viz: {{layer: 01_raw}}}}}}\n\
test_passengers: {{type: from_scratch.datasets.RawCSVDataset, filepath: data/01_raw/test.csv, \
url: "http://127.0.0.1:9/test.csv", sha256: {test_sha256}, original: true, \
metadata: {{kedro-viz: {{layer: 01_raw}}}}}}\n'
SHA256 = {
    "train.csv": "4a437fde05fe5264e1701a7387ac6fb75393772ba38bb2c9c566405af5af4bd7",
    "test.csv": "5c78320a80dc159b35c408363be46a5d93f078183d539db75ee42a796d6a4e95",
}


def kaggles(name: str) -> Path:
    """Kaggle's own file, or the reason why the test, or the file of tests, is skipped."""
    file = ROOT / "data" / "01_raw" / name
    if not file.exists():
        pytest.skip(f"{name} is not in data/01_raw: README.md says how to get it", allow_module_level=True)
    if hashlib.sha256(file.read_bytes().replace(b"\r\n", b"\n")).hexdigest() != SHA256[name]:
        pytest.skip(f"{name} in data/01_raw is not Kaggle's", allow_module_level=True)
    return file


@dataclass
class Project:
    """A copy of the project without data, cut off from the network."""

    folder: Path

    def kedro(
        self, *arguments: str, folder: str = ".", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a `kedro` command, and give back what it printed and its exit code."""
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
        """Run the pipelines, which must succeed."""
        ran = self.kedro("run", *arguments, **environment)
        assert ran.returncode == 0, ran.stderr
        return ran

    def load(self, dataset: str) -> Any:
        """Load the last committed version of a dataset."""
        return self.open_catalog().load(dataset)

    def open_catalog(self) -> CatalogProtocol[Any, Any]:
        """The catalog as it is after the last commit."""
        configure_project("from_scratch")
        session = KedroSession.create(self.folder, save_on_close=False)
        return session.load_context().catalog

    def artefacts(self) -> dict[str, str]:
        """Sum every file that runs wrote, by its path without the version."""
        files = [
            file for file in (self.folder / "data").rglob("*") if file.is_file() and file.name != ".gitkeep"
        ]
        return {
            str(file.parents[1].relative_to(self.folder)): hashlib.sha256(file.read_bytes()).hexdigest()
            for file in files
            if file.parent.name not in ("01_raw", "runs")
        }

    def configure(self, name: str, content: str, env: str = "local") -> None:
        """Write a file of an environment, by default of conf/local."""
        (self.folder / "conf" / env / name).write_text(content)


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process more than there are cores: one test mostly waits, for the minutes of a clock."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with that one, then with the files of most tests."""
    counts = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name != "test_cron.py", -counts[item.path]))


MakeProject = Callable[..., Project]


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> MakeProject:
    """A function that makes a project, with or without the real data."""

    def make(real_data: bool = False, sample: bool = True) -> Project:
        folder = tmp_path_factory.mktemp("project")
        # With what Python has compiled of it, but not what it is writing at this moment.
        not_these = shutil.ignore_patterns("*.pyc.*", "*.egg-info")
        for name in ("src", "conf", "deploy"):
            shutil.copytree(ROOT / name, folder / name, ignore=not_these)
        shutil.rmtree(folder / "conf" / "local")
        (folder / "conf" / "local").mkdir()
        for name in ("pyproject.toml", ".telemetry"):
            shutil.copy(ROOT / name, folder)
        raw = folder / "data" / "01_raw"
        raw.mkdir(parents=True)
        project = Project(folder)
        sums = {"sha256": SHA256["train.csv"], "test_sha256": SHA256["test.csv"]}
        project.configure("catalog.yml", NO_NETWORK.format(**sums, sample=str(sample).lower()))
        if real_data:
            shutil.copy(kaggles("train.csv"), raw)
        return project

    return make


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """A project without data."""
    return make_project()


@pytest.fixture(scope="session")
def sample_run(make_project: MakeProject) -> Project:
    """A project in which everything ran on the sample."""
    project = make_project()
    project.run()
    return project


@pytest.fixture(scope="session")
def article_run(make_project: MakeProject) -> Project:
    """A project in which everything ran on the article's data."""
    project = make_project(real_data=True)
    project.run()
    return project
