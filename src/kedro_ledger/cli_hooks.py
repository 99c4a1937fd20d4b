"""The option that the ledger adds to `kedro run`: `--allow-mixed`."""

from __future__ import annotations

import click
from kedro.framework.cli.hooks import cli_hook_impl
from kedro.framework.cli.project import run
from kedro.framework.project import settings
from kedro.framework.startup import ProjectMetadata

ALLOW_MIXED = "--allow-mixed"


class CommandHooks:
    """CLI hooks, which Kedro calls before every command, in every project of the Python environment."""

    @cli_hook_impl
    def before_command_run(self, project_metadata: ProjectMetadata | None, command_args: list[str]) -> None:
        """Add the option to `kedro run` if the project uses the ledger."""
        if project_metadata is None or command_args[:1] != ["run"]:
            return
        classes = {kind.__module__ for hooks in settings.HOOKS for kind in type(hooks).__mro__}
        if "kedro_ledger.hooks" in classes and not any(ALLOW_MIXED in option.opts for option in run.params):
            run.params.append(
                click.Option(
                    [ALLOW_MIXED],
                    is_flag=True,
                    expose_value=False,
                    callback=_store,
                    help="Allow reading data that was made with other parameters, code or data than those of "
                    "this run.",
                )
            )


def _store(command: click.Context, option: click.Parameter, is_set: bool) -> None:
    from kedro_ledger.context import ALLOW_MIXED  # the project's settings have imported it already

    command.meta[ALLOW_MIXED] = is_set


command_hooks = CommandHooks()
