"""`kedro features`, help with the parameters of one's own data, and `kedro schedule`, timers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import click
from kedro.framework.startup import ProjectMetadata

from kedro_ledger.errors import InputError
from kedro_ledger.printable import echo, hand_on


@click.group(name=__package__.partition(".")[0])
def commands() -> None:
    """The commands that this package adds to `kedro`."""


@commands.group()
def features() -> None:
    """Say what the columns of your own data are."""


@features.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="The column to predict; it has two values.")
@click.option(
    "--separator", help="What separates columns, if it is no comma: ';', '\\t', or '\\s+' for blanks."
)
@click.option("--decimal", help="What stands before decimals, if it is no point: ','.")
@click.option("--encoding", help="The file's encoding, if it is not UTF-8.")
@click.option("--header/--no-header", default=None, help="Whether the first row holds the columns' names.")
@click.option("--names", help="The columns' names, in a file without a header: a,b,c.")
@click.option(
    "--missing", multiple=True, help="What stands for a missing value, such as '?'. Can be repeated."
)
@click.option("--env", help="A new environment to write the files of, instead of printing them.")
@click.pass_obj
def suggest(
    project: ProjectMetadata,
    file: Path,
    target: str,
    separator: str | None,
    decimal: str | None,
    encoding: str | None,
    header: bool | None,
    names: str | None,
    missing: tuple[str, ...],
    env: str | None,
) -> None:
    """Suggest the parameters for FILE, a CSV, with what was seen in each column."""
    from from_scratch.cli.suggest import render, suggest
    from from_scratch.cli.suggest.environment import require_new, write

    given = {"sep": separator and separator.replace("\\t", "\t"), "decimal": decimal, "encoding": encoding}
    file = file.resolve()
    if file.is_relative_to(project.project_path) and file.exists():
        os.chdir(project.project_path)  # where the catalog's paths begin
        file = file.relative_to(project.project_path)
    folder = require_new(env, project.project_path / "conf") if env else None
    sentence, files = suggest(
        file,
        target,
        {name: value for name, value in given.items() if value},
        has_header=header,
        names=names.split(",") if names else (),
        missing=missing,
        env=env or "NAME",
    )
    if folder is None:
        hand_on(render(sentence, files), "utf-8")  # as Kedro reads its configuration
        return
    write(files, folder)
    echo(f"{sentence}\nconf/{env} has {', '.join(files)} now.")
    echo(f"Look over its parameters.yml: you know better what a column means. Then: kedro run --env {env}")


@commands.command()
@click.option("--cron", required=True, help="When, as cron writes it: '0 2 * * *' is every night at two.")
@click.option("--scheduler", type=click.Choice(["systemd", "cron"]), required=True, help="Whose timer.")
@click.option("--env", default="scheduled", show_default=True, help="The environment of the configuration.")
@click.option("--pipeline", help="A pipeline, if not all.")
@click.option(
    "--name",
    help="What systemd and the journal call it: from-scratch, or from-scratch-ENV if there is --env.",
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder to write the files into, instead of printing them.",
)
@click.pass_obj
def schedule(
    project: ProjectMetadata,
    cron: str,
    scheduler: Literal["systemd", "cron"],
    env: str,
    pipeline: str | None,
    name: str | None,
    output_dir: Path | None,
) -> None:
    """Print a timer that runs this checkout. Nothing is installed."""
    from from_scratch.cli.schedule import fill_in, list_notes

    name = name or ("from-scratch" if env == "scheduled" else f"from-scratch-{env}")
    files = fill_in(project.project_path, scheduler, cron, name, env, pipeline)
    if output_dir:
        if output_dir.exists() and any(output_dir.iterdir()):
            raise InputError(f"--output-dir {output_dir} is not empty; expected a new folder")
        output_dir.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (output_dir / file).write_bytes(os.fsencode(text))  # the paths in it as they are on this machine
    else:
        said = "\n".join(f"# --- {file}\n{text}" for file, text in files.items())
        hand_on(said, sys.getfilesystemencoding())
    echo("\n".join(list_notes(project.project_path, scheduler, cron, env)), err=True)
