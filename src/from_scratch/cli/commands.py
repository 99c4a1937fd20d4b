"""Commands: `kedro features` for your own data, and `kedro schedule` for timers."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Literal

import click
from kedro.framework.startup import ProjectMetadata

from kedro_ledger.errors import InputError
from kedro_ledger.printable import echo, print_exactly


@click.group(name=__package__.partition(".")[0])
def commands() -> None:
    """Commands that this package adds to `kedro`."""


@commands.group()
def features() -> None:
    """Commands for working with the features of your own data."""


@features.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--target", required=True, help="Column to predict. It must have exactly two values.")
@click.option(
    "--separator",
    help="Column separator. Defaults to a comma. Use '\\t' for tabs and '\\s+' for any whitespace.",
)
@click.option("--decimal", help="Decimal separator. Defaults to a point. Example: ','.")
@click.option("--encoding", help="Encoding of the file. Defaults to UTF-8.")
@click.option(
    "--header/--no-header",
    default=None,
    help="Whether the first row contains the column names. If not set, it must look like column names.",
)
@click.option("--names", help="Comma-separated column names for a file without a header. Example: a,b,c.")
@click.option(
    "--missing",
    multiple=True,
    help="Text to read as a missing value, such as '?'. Can be used multiple times.",
)
@click.option("--env", help="Name of a new environment to write the files to. If not set, they are printed.")
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
    """Suggest parameters for a CSV FILE, with the reason for each column."""
    from from_scratch.cli.suggest import render, suggest
    from from_scratch.cli.suggest.environment import require_new, write

    given = {"sep": separator and separator.replace("\\t", "\t"), "decimal": decimal, "encoding": encoding}
    file = file.resolve()
    if file.is_relative_to(project.project_path) and file.exists():
        os.chdir(project.project_path)  # the catalog's paths are relative to it
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
        print_exactly(render(sentence, files), "utf-8")  # Kedro reads its configuration as UTF-8
        return
    write(files, folder)
    echo(f"{sentence}\nWrote {', '.join(files)} to conf/{env}.")
    echo(
        f"Check conf/{env}/parameters.yml: you know what the columns mean. Then run `kedro run --env {env}`."
    )


@commands.command()
@click.option(
    "--cron", required=True, help="Start times in cron's format. Example: '0 2 * * *' for 02:00 every day."
)
@click.option(
    "--scheduler",
    type=click.Choice(["systemd", "cron"]),
    required=True,
    help="Scheduler to write a timer for.",
)
@click.option("--env", default="scheduled", show_default=True, help="Kedro configuration environment name.")
@click.option(
    "--pipeline",
    help="Name of the registered pipeline to run. If not set, the '__default__' pipeline is run.",
)
@click.option(
    "--name",
    help="Name of the timer and of its journal entries. Defaults to from-scratch, or to from-scratch-ENV for "
    "an environment other than scheduled.",
)
@click.option(
    "--output-dir",
    type=click.Path(file_okay=False, path_type=Path),
    help="New folder to write the files to. If not set, they are printed.",
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
    """Print a timer that runs this project. Nothing is installed."""
    from from_scratch.cli.schedule import list_notes, render_timer

    name = name or ("from-scratch" if env == "scheduled" else f"from-scratch-{env}")
    files = render_timer(project.project_path, scheduler, cron, name, env, pipeline)
    if output_dir:
        if output_dir.exists() and any(output_dir.iterdir()):
            raise InputError(f"--output-dir {output_dir} is not empty; expected a new folder")
        output_dir.mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (output_dir / file).write_bytes(os.fsencode(text))  # in the encoding of this machine's paths
    else:
        text = "\n".join(f"# --- {file}\n{text}" for file, text in files.items())
        print_exactly(text, sys.getfilesystemencoding())
    echo("\n".join(list_notes(project.project_path, scheduler, cron, env)), err=True)
