"""A guard around `kedro run`: no node can pass its own exit code off as that of a committed run."""

from __future__ import annotations

import sys

from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.project import settings
from kedro.framework.startup import ProjectMetadata


class CommandHooks:
    """Runs after every `kedro` command, in any project of the environment."""

    @cli_hook_impl
    def after_command_run(self, project_metadata: ProjectMetadata | None, exit_code: int) -> None:
        """Report a run that a node ended by `sys.exit` as failed."""
        if project_metadata is None or "kedro_ledger.hooks" not in sys.modules:
            return
        from kedro_ledger.errors import EXIT_CODES, InputError
        from kedro_ledger.hooks import RunHooks  # loaded by a project that has a ledger

        is_running = any(isinstance(hooks, RunHooks) and hooks.is_running for hooks in settings.HOOKS)
        if is_running and (exit_code or 0) in EXIT_CODES:
            InputError(
                f"a step ended the process with exit code {exit_code}, and nothing is committed; "
                "expected it to return, or to raise an error"
            ).show()
            sys.exit(1)


command_hooks = CommandHooks()
