"""The project's commands, which Kedro looks for in this module, and hooks around every `kedro` command."""

from kedro.framework.cli.project import run

from from_scratch.cli.commands import commands as cli

__all__ = ["cli", "run"]
