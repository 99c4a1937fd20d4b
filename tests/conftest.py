"""What all tests share: how they are spread over processes, and projects to run."""

from __future__ import annotations

import json
import os
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.project import MakeProject, Project, copy_project

# How fast this machine is, and what else it does, decides about nothing.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

LONGEST = ("test_cron.py", "test_raw.py", "test_crashes.py", "test_dask_runner.py")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """A process for each core, and one for the slow test of cron, which mostly waits for the clock."""
    return (os.cpu_count() or 1) + int(config.option.markexpr != "not slow")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Of a test marked `matrix`, let all cases but the first be slow."""
    if not (isinstance(item, pytest.Function) and item.get_closest_marker("matrix")):
        return
    if any(item.callspec.indices.values()):
        item.add_marker("slow")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest: those named here, then those of most tests."""
    counts = Counter(item.path for item in items)
    items.sort(key=lambda item: (item.path.name not in LONGEST, -counts[item.path]))


@pytest.fixture(scope="session")
def make_project(tmp_path_factory: pytest.TempPathFactory) -> MakeProject:
    """A function that makes a project."""
    return lambda: copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def project(make_project: MakeProject) -> Project:
    """A project in which nothing ran yet."""
    return make_project()


@pytest.fixture(scope="session")
def article_run(make_project: MakeProject) -> Project:
    """A project in which everything ran once, on the article's data."""
    project = make_project()
    project.run()
    return project


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A kernel of this Python that knows nothing of the user's Jupyter, IPython or Kedro environment."""
    for name in ("KEDRO_ENV", "KEDRO_LOGGING_CONFIG", "PYTHONPATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    folder = tmp_path / "kernels" / "under_test"
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "under test", "language": "python"})
    )
    return folder.name
