"""What the DaskRunner's artefacts are held against."""

from __future__ import annotations

import pytest

from tests.conftest import MakeProject, Project


@pytest.fixture(scope="session")
def reference(make_project: MakeProject) -> Project:
    """A project in which everything ran once on the sample, in one process."""
    project = make_project()
    project.run()
    return project
