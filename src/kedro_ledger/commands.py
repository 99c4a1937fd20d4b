"""`kedro runs`: what ran, what it made, and how to go back to it."""

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

from kedro_ledger.printable import echo, hand_on, is_watched, prepare_output, printable

if TYPE_CHECKING:
    from kedro.io import DataCatalog

    from kedro_ledger.home import Home
    from kedro_ledger.ledger import Ledger

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON, for scripts.")
with_all = click.option("--all", "all_runs", is_flag=True, help="Show all runs, not only the newest.")


def with_ledger(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the ledger of the environment that it gets an option for."""

    def call(project: ProjectMetadata, env: str | None, **arguments: Any) -> None:
        from kedro_ledger.ledger import Ledger

        is_kept = partial(_is_kept, project.project_path, env)
        command(Ledger(project.project_path, is_kept, _find_home(project.project_path, env)), **arguments)

    option = click.option("--env", "-e", envvar="KEDRO_ENV", help="The environment whose runs these are.")
    wrapped: Callable[..., None] = update_wrapper(call, command)
    return option(click.pass_obj(wrapped))


def _find_home(project: Path, env: str | None) -> Home:
    from kedro_ledger.errors import InputError
    from kedro_ledger.home import find_home

    conf = project / settings.CONF_SOURCE
    if env and (Path(env).name != env or not (conf / env).is_dir()):
        known = sorted(folder.name for folder in conf.iterdir() if folder.is_dir())
        raise InputError(f"--env is {env}: expected one of the folders in {conf.name}: {', '.join(known)}")
    loader = settings.CONFIG_LOADER_CLASS(conf_source=str(conf), env=env, **settings.CONFIG_LOADER_ARGS)
    return find_home(loader, env)


@cache
def _load_catalog(project: Path, env: str | None) -> DataCatalog:
    from kedro.framework.session import KedroSession

    return cast("DataCatalog", KedroSession.create(project, env=env).load_context().catalog)


def _is_kept(project: Path, env: str | None, dataset: str, home: str) -> bool:
    from kedro_ledger import storage

    return storage.is_home(project, _load_catalog(project, env), dataset, home)


def _find_project() -> ProjectMetadata:
    return cast("ProjectMetadata", click.get_current_context().obj)


@click.group(name=__package__.partition(".")[0])
def commands() -> None:
    """The commands that this package adds to `kedro`."""


@commands.group()
def runs() -> None:
    """List committed runs, compare them, go back to them, rebuild them.

    RUN is a run's id, the beginning of one, its number, `last`, `last~2` for the second before the last, or
    `current` for the one that readers see.
    """
    prepare_output()


@runs.command("list")
@as_json
@with_all
@with_ledger
def list_runs(ledger: Ledger, as_json: bool, all_runs: bool) -> None:
    """List the runs that are kept, oldest first: the newest 20, and the one that readers see."""
    from kedro_ledger import tables

    current = ledger.current()
    if as_json:
        seen, runs = current and current.run_id, ledger.history(only_kept=True)
        _print_json([run.model_dump() | {"current": run.run_id == seen} for run in runs])
        return
    records = ledger.records(None if all_runs else tables.MAX_RUNS)
    if current and current.run_id not in {record.run_id for record in records}:
        records.insert(0, current)
    tables.show_runs(records, current, len(ledger.list_ids()) - len(records), ledger.home.option)


@runs.command()
@click.argument("run")
@as_json
@with_ledger
def show(ledger: Ledger, run: str, as_json: bool) -> None:
    """Show all that is recorded of RUN."""
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
    """Show what differs between two runs, ONE and OTHER."""
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
    """Check artefacts against their recorded hashes.

    Those of RUN, and those of earlier runs that go with it; by default those of all runs that are kept.
    Exit code 1 if one was altered or is gone.
    """
    from rich.console import Console
    from rich.progress import track

    from kedro_ledger.errors import LedgerError

    records = [ledger.find(run)] if run else ledger.records()
    artefacts = {(artefact.path, name): artefact for record in records for name, artefact in record.artefacts}
    faults: dict[str, str] = {}
    bar = track(
        sorted(artefacts.items()),
        "verifying",
        console=Console(stderr=True),
        transient=True,
        disable=not is_watched(),
    )
    for (path, name), artefact in bar:
        try:
            ledger.check(name, artefact)
        except LedgerError as error:
            faults[path] = error.message
    if faults and not run:  # a run may have been pruned meanwhile
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
        echo(f"{len(artefacts) - remote} artefacts of {runs} are as they were committed{unchecked}")
    if faults:
        raise click.exceptions.Exit(1)


@runs.command()
@click.option("--keep", type=click.IntRange(min=1), required=True, help="How many runs stay.")
@with_ledger
def prune(ledger: Ledger, keep: int) -> None:
    """Let the oldest runs go.

    A line of history stays of each. What a run that stays needs is never removed, nor the run that is checked
    out.
    """
    with ledger.lock():
        ledger.sweep()
        gone = ledger.prune(keep)
    echo("\n".join(f"pruned {record.run_id}" for record in gone) or "nothing to prune")


@runs.command()
@click.option("--metric", help="Which metric; by default the parameter runs.headline.")
@click.option(
    "--html",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write all as a page into this file.",
)
@as_json
@with_all
@with_ledger
def history(ledger: Ledger, metric: str | None, page: Path | None, as_json: bool, all_runs: bool) -> None:
    """Show the metrics of all runs ever, pruned ones too.

    In the terminal, the newest 20 as a table and the newest 100 as a plot.
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
        echo(f"no run is committed yet; `kedro run{ledger.home.option}` makes one")
    if not runs or (as_json and not page):
        return
    try:
        chosen = choose_metric(ledger, runs, metric)
    except LedgerError:  # it may be in earlier runs
        runs = ledger.history()
        chosen = choose_metric(ledger, runs, metric)
    last = ledger.last()
    order = order_lines(runs, last.parameters if last else {})
    if page:
        try:
            page.write_text(render_page(runs, chosen, _find_project().project_name, order), encoding="utf-8")
        except OSError as error:
            raise LedgerError(f"{page} can't be written: {error.strerror}") from error
        echo(f"the page is {page}", err=True)
    if not as_json:
        count = len(runs) if all_runs else tables.MAX_RUNS
        lines = metric_series(runs, chosen, order)
        tables.show_history(runs[-count:], chosen, lines, ledger.count_history() - count, ledger.home.option)
        others = [other for other in list_metrics(runs) if other != chosen]
        if others:
            echo(f"\n--metric shows others: {', '.join(map(printable, others))}")


@runs.command()
@click.argument("dataset")
@click.argument("run", default="current")
@click.option("--make", is_flag=True, help="If readers don't see it, run first what makes it.")
@with_ledger
def path(ledger: Ledger, dataset: str, run: str, make: bool) -> None:
    """Print where DATASET lies, as readers of RUN see it; by default those of now."""
    record = ledger.current() if run == "current" else ledger.find(run)
    if not record or dataset not in record.view:
        from kedro_ledger.absence import explain, find_command, find_place_of_others
        from kedro_ledger.errors import LedgerError

        if place := find_place_of_others(ledger, dataset):
            raise LedgerError(place)
        command = find_command(ledger, record, dataset) if make and run == "current" else None
        reason = explain(ledger, record, dataset)
        if not command:
            raise LedgerError(reason)
        echo(reason, err=True)
        # From what readers see, whatever that was made with.
        arguments = [*shlex.split(command), "--params", "runs.allow_mixed=true"]
        ran = subprocess.run([sys.executable, "-m", *arguments], cwd=ledger.project, stdout=sys.stderr)
        record = ledger.current()
        if ran.returncode or not record or dataset not in record.view:
            raise click.exceptions.Exit(ran.returncode or 1)
    artefact = record.view[dataset]
    ledger.check(dataset, artefact)
    place = artefact.path if "://" in artefact.path else str(ledger.path(artefact))
    hand_on(f"{place}\n", sys.getfilesystemencoding())


@runs.command()
@click.argument("run")
@with_ledger
def checkout(ledger: Ledger, run: str) -> None:
    """Go back to RUN until the next commit.

    Readers and partial runs see it, and all that went with it. `checkout last` returns.
    """
    from kedro_ledger.record import is_same_run

    with ledger.lock():
        record = ledger.find(run)
        for name, artefact in sorted(record.view.items()):
            ledger.check(name, artefact)
        ledger.checkout(record)
    until = "" if is_same_run(record, ledger.last()) else " until the next commit"
    echo(f"readers and partial runs see run {record.run_id}{until}")


@runs.command()
@click.argument("run")
@click.option(
    "--into",
    type=click.Path(file_okay=False, path_type=Path),
    help="A new folder for the rerun; by default a temporary one, which stays only if something differs.",
)
@as_json
@with_ledger
def reproduce(ledger: Ledger, run: str, into: Path | None, as_json: bool) -> None:
    """Run RUN again from its record, and compare.

    In a folder of its own, with the code, the parameters and the raw data of its record. Exit code 0 only if
    every artefact is identical.
    """
    import shutil
    import tempfile

    from kedro_ledger import tables
    from kedro_ledger.errors import LedgerError
    from kedro_ledger.reproduce import list_changed_surroundings, reproduce

    record = ledger.find(run)
    if into and into.exists() and any(into.iterdir()):
        raise LedgerError(f"{into} is not empty; expected a new folder")
    changed = list_changed_surroundings(record)
    for line in changed:
        echo(f"not as recorded: {line}", err=True)
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
            echo(f"the rerun lies in {folder}")
    if not identical:
        raise click.exceptions.Exit(1)


def _print_json(value: Any) -> None:
    echo(json.dumps(value, indent=1))
