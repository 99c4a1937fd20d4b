"""Hooks around every `kedro` command of this project: logging, one-line errors and a quick start and exit."""

from __future__ import annotations

import gc
import logging
import os
import sys
import warnings
from pathlib import Path
from typing import TypeGuard

from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.startup import ProjectMetadata

from from_scratch.cli import logs, site
from kedro_ledger import errors
from kedro_ledger.printable import prepare_output

_KNOWN_WARNING = "ORJSONResponse is deprecated"  # from FastAPI, in Kedro-Viz 12.5

GC_THRESHOLD = 100_000
"""Number of new objects after which Python collects garbage. With the default of 700, it would search
PyTorch's many objects several times during the import and find nothing, for a sixth of a run's time."""


class CommandHooks:
    """Hooks around the commands of this project."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: ProjectMetadata | None, command_args: list[str]) -> None:
        """Configure logging whatever the current folder, print errors in one line, and speed up the start."""
        if not _is_this_project(project_metadata):
            return
        gc.set_threshold(GC_THRESHOLD)
        prepare_output()
        logging.raiseExceptions = False  # no tracebacks for log files that cannot be written
        if Path.cwd() != project_metadata.project_path:  # otherwise Kedro does this itself
            logs.configure(project_metadata.project_path / "conf", project_metadata.project_path)
        sys.excepthook = errors.show
        if command_args[:1] == ["viz"]:
            _prepare_viz(command_args)

    @cli_hook_impl
    def after_command_run(
        self, project_metadata: ProjectMetadata | None, command_args: list[str], exit_code: int
    ) -> None:
        """Skip Python's last garbage collection, which would search all of PyTorch's objects."""
        if not _is_this_project(project_metadata):
            return
        gc.freeze()


def _prepare_viz(command_args: list[str]) -> None:
    """Silence a warning of Kedro-Viz that users cannot fix, and publish only cleaned sites."""
    warnings.filterwarnings("ignore", _KNOWN_WARNING)
    # The processes that Kedro-Viz starts read the filters from the environment.
    inherited = [os.environ["PYTHONWARNINGS"]] if os.environ.get("PYTHONWARNINGS") else []
    os.environ["PYTHONWARNINGS"] = ",".join([*inherited, f"ignore:{_KNOWN_WARNING}"])
    if {"build", "deploy"} & set(command_args[1:2]) and not {"-h", "--help"} & set(command_args):
        site.patch_kedro_viz()
        if command_args[1] == "build":
            site.remove_earlier_build(Path.cwd() / site.FOLDER)


def _is_this_project(metadata: ProjectMetadata | None) -> TypeGuard[ProjectMetadata]:
    """Return whether a command runs in this project; hooks run for every project in the environment."""
    return metadata is not None and metadata.package_name == __package__.partition(".")[0]


command_hooks = CommandHooks()
