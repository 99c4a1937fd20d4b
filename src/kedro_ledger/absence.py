"""Why readers see no version of a dataset, and how they get one."""

from __future__ import annotations

from collections.abc import Iterable

from kedro.framework.project import pipelines
from kedro.io.core import is_parameter
from kedro.pipeline import Pipeline

from kedro_ledger.drift import find_last_known
from kedro_ledger.ledger import Ledger
from kedro_ledger.lineage import base_name
from kedro_ledger.record import Record, is_same_run
from kedro_ledger.storage import list_outputs
from kedro_ledger.validation import did_you_mean


def explain(ledger: Ledger, record: Record | None, dataset: str) -> str:
    """Explain why a dataset can't be read as a run left it, and what makes it or still has it."""
    command = find_command(ledger, record, dataset)
    if not record:
        return f"{dataset}: no run is committed yet" + (f"; `{command}` makes one" if command else "")
    if dataset in record.outdated:
        reason = f"outdated by run {_find_outdating(ledger.newest_first(), record, dataset).run_id}"
    elif dataset in record.view:
        reason = f"{record.view[dataset].path} is not where the catalog has it now"
    else:
        reason = f"not in run {record.run_id}"
    newest = next((run for run in ledger.newest_first() if dataset in run.view), None)
    near, hints = "", []
    if command:
        hints.append(f"`{command}` makes it anew" if newest else f"`{command}` makes it")
    else:
        near = did_you_mean(dataset, record.view)
    if newest and not is_same_run(newest, record):
        hints.append(f"run {newest.run_id} is the newest that has it")
    return f"{dataset}: {reason}{near}" + (f": {'; '.join(hints)}" if hints else "")


def find_place_of_others(ledger: Ledger, dataset: str) -> str | None:
    """Say where a dataset lies of which runs make no versions; none if they do, or nothing is known."""
    last = ledger.last()
    if not last or dataset in last.view or dataset in last.outdated:
        return None
    for found, what in (
        (last.unversioned.get(dataset), "is not versioned"),
        (find_last_known(ledger.newest_first()).raw.get(dataset), "is read, and made by no run"),
    ):
        if found and found.path:
            return f"{dataset} {what}: it lies at {found.path}"
    return None


def _find_outdating(newest_first: Iterable[Record], record: Record, dataset: str) -> Record:
    """Find the run since which a dataset is outdated."""
    for run in newest_first:
        if run.seq < record.seq:
            if dataset not in run.outdated:
                break
            record = run
    return record


def find_command(ledger: Ledger, record: Record | None, dataset: str) -> str | None:
    """Find the shortest way to make a dataset from what readers see.

    Returns:
        A command, or none if no pipeline makes it.
    """
    makers = {
        name: pipeline
        for name, pipeline in sorted(pipelines.items(), key=lambda item: len(item[1].nodes))
        if dataset in map(base_name, pipeline.all_outputs())
    }
    made = list_outputs()
    there = record.view.keys() if record else set()

    def can_run(pipeline: Pipeline) -> bool:
        needed = {base_name(name) for name in pipeline.inputs() if not is_parameter(name)}
        return not (needed & made) - there

    name = next((name for name, pipeline in makers.items() if can_run(pipeline)), None)
    name = name or next(iter(makers), None)
    if not name:
        return None
    return f"kedro run{ledger.home.option}" + (f" --pipeline {name}" if name != "__default__" else "")
