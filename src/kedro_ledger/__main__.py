"""`python -m kedro_ledger PACKAGE runs ...`: the ledger's commands for a packaged project.

A packaged project runs in a folder without pyproject.toml, where `kedro` offers no project commands.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

from kedro.framework.project import configure_project
from kedro.framework.startup import ProjectMetadata

from kedro_ledger.commands import commands

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        sys.exit("Usage: python -m kedro_ledger PACKAGE runs ...")
    package, here = sys.argv[1], Path.cwd()
    if not find_spec(package):
        sys.exit(f"Error: PACKAGE is {package}, which can't be imported; expected a Kedro project's package")
    configure_project(package)
    project = ProjectMetadata(here / "pyproject.toml", package, package, here, here, "", [], "")
    commands(sys.argv[2:], prog_name=f"python -m kedro_ledger {package}", obj=project)
