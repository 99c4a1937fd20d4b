"""What happens around every `kedro` command in this project: short errors, and a quick end."""

from __future__ import annotations

import gc
import os
import sys
from pathlib import Path
from typing import TypeGuard

import yaml
from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.project import configure_logging
from kedro.framework.startup import ProjectMetadata

from from_scratch import errors

ALLOCATIONS = 100_000
"""How many objects Python makes before it searches for cycles. With its own 700 it would search all the many
objects of PyTorch several times while these are being made, in vain: a sixth of a run's time."""


class CommandHooks:
    """The hooks of this project's commands."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: ProjectMetadata | None) -> None:
        """Log as conf/logging.yml says, from whichever folder, tell errors in one line, and start quickly."""
        if not _is_this_project(project_metadata):
            return
        gc.set_threshold(ALLOCATIONS)
        if Path.cwd() != project_metadata.project_path and "KEDRO_LOGGING_CONFIG" not in os.environ:
            _configure_logging(project_metadata.project_path)
        sys.excepthook = errors.show

    @cli_hook_impl
    def after_command_run(self, project_metadata: ProjectMetadata | None) -> None:
        """Spare Python its last search for cycles: PyTorch has made many objects, and the process ends."""
        if _is_this_project(project_metadata):
            gc.freeze()


def _configure_logging(project: Path) -> None:
    """Do what Kedro does for commands that start in the project's folder."""
    config = yaml.safe_load((project / "conf" / "logging.yml").read_text(encoding="utf-8"))
    config["handlers"]["file"]["filename"] = str(project / config["handlers"]["file"]["filename"])
    configure_logging(config)


def _is_this_project(metadata: ProjectMetadata | None) -> TypeGuard[ProjectMetadata]:
    """Tell this project from others whose commands run in the same environment."""
    return metadata is not None and metadata.package_name == __package__


command_hooks = CommandHooks()
