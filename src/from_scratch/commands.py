"""`kedro features`: help with the block of parameters that says what the columns of one's own data are."""

from __future__ import annotations

import os
from pathlib import Path

import click
from kedro.framework.startup import ProjectMetadata


@click.group(name=__package__)
def commands() -> None:
    """The commands that this package adds to `kedro`."""


@commands.group()
def features() -> None:
    """Say what the columns of your own data are."""


@features.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="The column to predict; it has two values.")
@click.option("--separator", help="What stands between columns, if it is no comma: ';' or '\\t'.")
@click.option("--decimal", help="What stands before decimals, if it is no point: ','.")
@click.option("--encoding", help="The file's encoding, if it is not UTF-8.")
@click.pass_obj
def suggest(
    project: ProjectMetadata,
    file: Path,
    target: str,
    separator: str | None,
    decimal: str | None,
    encoding: str | None,
) -> None:
    """Print a first block of parameters for FILE, a CSV, with what was seen in each column."""
    from from_scratch.suggestion import suggest

    given = {"sep": separator and separator.replace("\\t", "\t"), "decimal": decimal, "encoding": encoding}
    file = file.resolve()
    if file.is_relative_to(project.project_path) and file.exists():
        os.chdir(project.project_path)  # where the catalog's paths begin
        file = file.relative_to(project.project_path)
    click.echo(suggest(file, target, {name: value for name, value in given.items() if value}), nl=False)
