"""A test such as Kedro's template has."""

from pathlib import Path

from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project


def test_a_run_makes_what_is_read() -> None:
    bootstrap_project(Path.cwd())
    with KedroSession.create(project_path=Path.cwd()) as session:
        assert session.run(tags=["versioned.json"])
