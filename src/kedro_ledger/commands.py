"""The command group `kedro runs`: list, compare, check out and rebuild committed runs."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial, update_wrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
from kedro.framework.project import settings
from kedro.framework.startup import ProjectMetadata

from kedro_ledger.printable import can_show_progress, echo, prepare_output, print_exactly, printable

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from kedro_ledger.data_folder import DataFolder
    from kedro_ledger.ledger import Ledger

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
with_all = click.option("--all", "all_runs", is_flag=True, help="Show all runs, not only the newest.")


def with_ledger(command: Callable[..., None]) -> Callable[..., None]:
    """Add the option `--env` to a command, and pass it the ledger of that environment."""

    def call(project: ProjectMetadata, env: str | None, **arguments: Any) -> None:
        from kedro_ledger.ledger import Ledger

        is_stored_in = partial(_is_stored_in, project.project_path, env)
        command(
            Ledger(project.project_path, is_stored_in, _find_data_folder(project.project_path, env)),
            **arguments,
        )

    option = click.option(
        "--env", "-e", envvar="KEDRO_ENV", help="Kedro configuration environment of the runs."
    )
    wrapped: Callable[..., None] = update_wrapper(call, command)
    return option(click.pass_obj(wrapped))


def _find_data_folder(project: Path, env: str | None) -> DataFolder:
    from kedro_ledger.data_folder import find_data_folder
    from kedro_ledger.errors import InputError

    conf = project / settings.CONF_SOURCE
    if env and (Path(env).name != env or not (conf / env).is_dir()):
        known = sorted(folder.name for folder in conf.iterdir() if folder.is_dir())
        raise InputError(f"--env is {env}; expected one of the folders in {conf.name}: {', '.join(known)}")
    loader = settings.CONFIG_LOADER_CLASS(conf_source=str(conf), env=env, **settings.CONFIG_LOADER_ARGS)
    return find_data_folder(loader, env)


@cache
def _load_catalog(project: Path, env: str | None) -> DataCatalog:
    from kedro.framework.session import KedroSession

    return cast("DataCatalog", KedroSession.create(project, env=env).load_context().catalog)


def _is_stored_in(project: Path, env: str | None, dataset: str, folder: str) -> bool:
    from kedro_ledger import storage

    return storage.is_stored_in(project, _load_catalog(project, env), dataset, folder)


def _find_project() -> ProjectMetadata:
    return cast("ProjectMetadata", click.get_current_context().obj)


@click.group(name=__package__.partition(".")[0])
def commands() -> None:
    """Commands for working with the runs in the ledger."""


@commands.group()
def runs() -> None:
    """List, compare, check out and rebuild committed runs.

    RUN is a run's id or the beginning of it, its number, `last`, `last~2` for the second run before the last,
    or `current` for the run that readers see.
    """
    prepare_output()


@runs.command("list")
@as_json
@with_all
@with_ledger
def list_runs(ledger: Ledger, as_json: bool, all_runs: bool) -> None:
    """List the runs that are kept, oldest first.

    Without `--all`, lists the newest 20 runs and the run that readers see.
    """
    from kedro_ledger import tables

    current = ledger.current()
    if as_json:
        current_id, runs = current and current.run_id, ledger.history(only_kept=True)
        _print_json([run.model_dump() | {"current": run.run_id == current_id} for run in runs])
        return
    records = ledger.records(None if all_runs else tables.MAX_RUNS)
    if current and current.run_id not in {record.run_id for record in records}:
        records.insert(0, current)
    tables.show_runs(records, current, len(ledger.list_ids()) - len(records), ledger.data_folder.option)


@runs.command()
@click.argument("run")
@as_json
@with_ledger
def show(ledger: Ledger, run: str, as_json: bool) -> None:
    """Show the record of RUN."""
    from kedro_ledger import tables

    record = ledger.find(run)
    if as_json:
        _print_json(record.model_dump())
    else:
        tables.show_run(record)


@runs.command()
@click.argument("one")
@click.argument("other")
@as_json
@with_ledger
def diff(ledger: Ledger, one: str, other: str, as_json: bool) -> None:
    """Show the differences between two runs, ONE and OTHER."""
    from kedro_ledger import tables
    from kedro_ledger.differences import compare_records

    first, second = ledger.find(one), ledger.find(other)
    differences = compare_records(first, second)
    if as_json:
        _print_json({"one": first.run_id, "other": second.run_id, **differences})
    else:
        tables.show_differences(first, second, differences)


@runs.command()
@click.argument("run", required=False)
@as_json
@with_ledger
def verify(ledger: Ledger, run: str | None, as_json: bool) -> None:
    """Compare artefacts with their recorded hashes.

    With RUN, checks the artefacts that it wrote and those that it shares with earlier runs; by default, the
    artefacts of all runs that are kept. Exits with code 1 if an artefact was altered or is missing.
    """
    from rich.console import Console
    from rich.progress import track

    from kedro_ledger.errors import LedgerError

    records = [ledger.find(run)] if run else ledger.records()
    if not records and not as_json:
        echo(f"no run is committed yet; run `kedro run{ledger.data_folder.option}` to create one")
        return
    artefacts = {(artefact.path, name): artefact for record in records for name, artefact in record.artefacts}
    faults: dict[str, str] = {}
    bar = track(
        sorted(artefacts.items()),
        "verifying",
        console=Console(stderr=True),
        transient=True,
        disable=not can_show_progress(),
    )
    for (path, name), artefact in bar:
        try:
            ledger.require_intact(name, artefact)
        except LedgerError as error:
            faults[path] = error.message
    if faults and not run:  # a run may have been pruned in the meantime
        named = {artefact.path for record in ledger.records() for _, artefact in record.artefacts}
        faults = {path: fault for path, fault in faults.items() if path in named}
    remote = sum(artefact.sha256 is None for artefact in artefacts.values())
    if as_json:
        _print_json(
            {"runs": len(records), "artefacts": len(artefacts), "unchecked": remote, "faults": faults}
        )
    elif faults:
        echo("\n".join(faults.values()), err=True)
    else:
        unchecked = f"; {remote} on other filesystems were not checked" if remote else ""
        runs = "1 run" if len(records) == 1 else f"{len(records)} runs"
        echo(f"{len(artefacts) - remote} artefacts of {runs} are unchanged since their commit{unchecked}")
    if faults:
        raise click.exceptions.Exit(1)


@runs.command()
@click.option("--keep", type=click.IntRange(min=1), required=True, help="Number of runs to keep.")
@with_ledger
def prune(ledger: Ledger, keep: int) -> None:
    """Remove the oldest runs.

    Each removed run keeps its line in `kedro runs history`. The run that is checked out and the artefacts
    that other runs need are never removed.
    """
    with ledger.lock():
        ledger.sweep()
        pruned = ledger.prune(keep)
    echo("\n".join(f"pruned {record.run_id}" for record in pruned) or "nothing to prune")


@runs.command()
@click.option("--metric", help="Metric to show; by default the parameter runs.headline.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write an HTML page with all metrics to this file.",
)
@as_json
@with_all
@with_ledger
def history(ledger: Ledger, metric: str | None, page: Path | None, as_json: bool, all_runs: bool) -> None:
    """Show the metrics of all runs, including pruned runs.

    The terminal shows a table of the newest 20 runs and a plot of the newest 100.
    """
    from kedro_ledger import tables
    from kedro_ledger.errors import LedgerError
    from kedro_ledger.history import (
        choose_metric,
        list_metrics,
        metric_series,
        order_lines,
        render_page,
    )

    runs = ledger.history(None if all_runs or as_json or page else tables.MAX_PLOTTED)
    if as_json:
        _print_json([run.model_dump() for run in runs])
    elif not runs:
        echo(f"no run is committed yet; run `kedro run{ledger.data_folder.option}` to create one")
    if not runs or (as_json and not page):
        return
    try:
        chosen = choose_metric(ledger, runs, metric)
    except LedgerError:  # earlier runs may have the metric
        runs = ledger.history()
        chosen = choose_metric(ledger, runs, metric)
    last = ledger.last()
    order = order_lines(runs, last.parameters if last else {})
    if page:
        try:
            page.write_text(render_page(runs, chosen, _find_project().project_name, order), encoding="utf-8")
        except OSError as error:
            raise LedgerError(f"{page} could not be written: {error.strerror}") from error
        echo(f"wrote {page}", err=True)
    if not as_json:
        count = len(runs) if all_runs else tables.MAX_RUNS
        lines = metric_series(runs, chosen, order)
        tables.show_history(
            runs[-count:], chosen, lines, ledger.count_history() - count, ledger.data_folder.option
        )
        others = [other for other in list_metrics(runs) if other != chosen]
        if others:
            echo(f"\nother metrics, shown by --metric: {', '.join(map(printable, others))}")


@runs.command()
@click.argument("dataset")
@click.argument("run", default="current")
@click.option(
    "--make", is_flag=True, help="If readers don't see DATASET, first run the pipeline that makes it."
)
@with_ledger
def path(ledger: Ledger, dataset: str, run: str, make: bool) -> None:
    """Print the path of DATASET.

    With RUN, prints the path that readers of RUN see; by default, the path that readers see now.
    """
    record = ledger.current() if run == "current" else ledger.find(run)
    if not record or dataset not in record.view:
        from kedro_ledger.absence import describe_unversioned, explain, find_command
        from kedro_ledger.errors import LedgerError

        if place := describe_unversioned(ledger, dataset):
            raise LedgerError(place)
        command = find_command(ledger, record, dataset) if make and run == "current" else None
        reason = explain(ledger, record, dataset)
        if not command:
            raise LedgerError(reason)
        echo(f"{reason}. Running it now", err=True)
        # The run may read all that readers see, even if it was made with other parameters, code or data.
        arguments = [*shlex.split(command), "--params", "runs.allow_mixed=true"]
        ran = subprocess.run([sys.executable, "-m", *arguments], cwd=ledger.project, stdout=sys.stderr)
        record = ledger.current()
        if ran.returncode or not record or dataset not in record.view:
            raise click.exceptions.Exit(ran.returncode or 1)
    artefact = record.view[dataset]
    ledger.require_intact(dataset, artefact)
    place = artefact.path if "://" in artefact.path else str(ledger.path(artefact))
    print_exactly(f"{place}\n", sys.getfilesystemencoding())


@runs.command()
@click.argument("run")
@with_ledger
def checkout(ledger: Ledger, run: str) -> None:
    """Make readers and partial runs see RUN until the next commit.

    They also see the artefacts that RUN shares with earlier runs. To return to the newest run, use
    `checkout last`.
    """
    from kedro_ledger.record import is_same_run

    with ledger.lock():
        record = ledger.find(run)
        for name, artefact in sorted(record.view.items()):
            ledger.require_intact(name, artefact)
        ledger.checkout(record)
    until = "" if is_same_run(record, ledger.last()) else " until the next commit"
    echo(f"readers and partial runs now see run {record.run_id}{until}")


@runs.command()
@click.argument("run")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="New folder for the rerun; by default a temporary one, which is kept only if an artefact differs.",
)
@as_json
@with_ledger
def reproduce(ledger: Ledger, run: str, into: Path | None, as_json: bool) -> None:
    """Rebuild RUN from its record, and compare the artefacts.

    Runs in a separate folder, with the recorded code, parameters and raw data. Exits with code 0 only if all
    artefacts are identical.
    """
    import shutil
    import tempfile

    from kedro_ledger import tables
    from kedro_ledger.errors import LedgerError
    from kedro_ledger.reproduce import list_environment_changes, reproduce

    record = ledger.find(run)
    if into and into.exists() and any(into.iterdir()):
        raise LedgerError(f"{into} is not empty; expected a new folder")
    changed = list_environment_changes(record)
    for line in changed:
        echo(f"differs from the record: {line}", err=True)
    folder = into or Path(tempfile.mkdtemp(prefix=f"{_find_project().package_name}-reproduce-"))
    folder.mkdir(parents=True, exist_ok=True)
    stays = into is not None
    try:
        differences = reproduce(ledger, record, folder.resolve())
        identical = not any(differences.values())
        stays = stays or not identical
    finally:
        if not stays:
            shutil.rmtree(folder, ignore_errors=True)
    if as_json:
        _print_json(
            {
                "run_id": record.run_id,
                "not_as_recorded": changed,
                "identical": identical,
                "differences": differences,
                "folder": str(folder) if stays else None,
            }
        )
    else:
        tables.show_reproduction(record.run_id, differences)
        if stays:
            echo(f"the rerun is in {folder}")
    if not identical:
        raise click.exceptions.Exit(1)


def _print_json(value: Any) -> None:
    echo(json.dumps(value, indent=1))
