"""A test like the one in Kedro's template."""

from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


def test_a_run_succeeds() -> None:
    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        assert session.run(tags=["versioned.json"])
