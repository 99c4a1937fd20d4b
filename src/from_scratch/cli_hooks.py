"""What happens around every `kedro` command in this project: short errors, and a quick end."""

from __future__ import annotations

import gc
import sys

from kedro.framework.cli.hooks import cli_hook_impl

from from_scratch import errors


class CommandHooks:
    """The hooks of this project's commands."""

    @cli_hook_impl
    def before_command_run(self) -> None:
        """Tell errors in one line, instead of a traceback."""
        sys.excepthook = errors.show

    @cli_hook_impl
    def after_command_run(self) -> None:
        """Spare Python its last search for cycles: PyTorch has made many objects, and the process ends."""
        gc.freeze()


command_hooks = CommandHooks()
