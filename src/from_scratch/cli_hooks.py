"""What happens around every `kedro` command in this project: short errors, and a quick end."""

from __future__ import annotations

import gc
import sys

from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.startup import ProjectMetadata

from from_scratch import errors


class CommandHooks:
    """The hooks of this project's commands."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: ProjectMetadata | None) -> None:
        """Tell errors in one line, instead of a traceback."""
        if _is_this_project(project_metadata):
            sys.excepthook = errors.show

    @cli_hook_impl
    def after_command_run(self, project_metadata: ProjectMetadata | None) -> None:
        """Spare Python its last search for cycles: PyTorch has made many objects, and the process ends."""
        if _is_this_project(project_metadata):
            gc.freeze()


def _is_this_project(metadata: ProjectMetadata | None) -> bool:
    """Tell this project from others whose commands run in the same environment."""
    return metadata is not None and metadata.package_name == __package__


command_hooks = CommandHooks()
