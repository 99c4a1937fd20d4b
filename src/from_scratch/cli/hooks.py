"""What happens around every `kedro` command in this project: short errors, and a quick end."""

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

_KNOWN_WARNING = "ORJSONResponse is deprecated"  # FastAPI's, of Kedro-Viz 12.5

ALLOCATIONS = 100_000
"""How many objects Python makes before it searches for cycles. With its own 700 it would search all the many
objects of PyTorch several times while these are being made, in vain: a sixth of a run's time."""


class CommandHooks:
    """The hooks of this project's commands."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: ProjectMetadata | None, command_args: list[str]) -> None:
        """Log as conf/logging.yml says, from whichever folder, tell errors in one line, and start quickly."""
        if not _is_this_project(project_metadata):
            return
        gc.set_threshold(ALLOCATIONS)
        prepare_output()
        logging.raiseExceptions = False  # a log file that can't be written is no reason for tracebacks
        if Path.cwd() != project_metadata.project_path:  # where Kedro does that itself
            logs.configure(project_metadata.project_path / "conf", project_metadata.project_path)
        sys.excepthook = errors.show
        if command_args[:1] == ["viz"]:
            _before_viz(command_args)

    @cli_hook_impl
    def after_command_run(
        self, project_metadata: ProjectMetadata | None, command_args: list[str], exit_code: int
    ) -> None:
        """Spare Python its last search for cycles.

        PyTorch has made many objects, and the process ends.
        """
        if not _is_this_project(project_metadata):
            return
        gc.freeze()


def _before_viz(command_args: list[str]) -> None:
    """Silence what no user can mend, in the processes of Kedro-Viz too, and publish only what is cleaned."""
    warnings.filterwarnings("ignore", _KNOWN_WARNING)
    inherited = [os.environ["PYTHONWARNINGS"]] if os.environ.get("PYTHONWARNINGS") else []
    os.environ["PYTHONWARNINGS"] = ",".join([*inherited, f"ignore:{_KNOWN_WARNING}"])
    if {"build", "deploy"} & set(command_args[1:2]) and not {"-h", "--help"} & set(command_args):
        site.clean_what_is_published()
        if command_args[1] == "build":
            site.forget(Path.cwd() / site.FOLDER)


def _is_this_project(metadata: ProjectMetadata | None) -> TypeGuard[ProjectMetadata]:
    """Tell this project from others whose commands run in the same environment."""
    return metadata is not None and metadata.package_name == __package__.partition(".")[0]


command_hooks = CommandHooks()
