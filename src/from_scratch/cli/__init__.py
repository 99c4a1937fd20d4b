"""The commands that this project adds to `kedro`, where Kedro looks for them, and what it does around all."""

from kedro.framework.cli.project import run

from from_scratch.cli.commands import commands as cli

__all__ = ["cli", "run"]
