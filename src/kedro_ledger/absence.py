"""Explanations of why readers see no version of a dataset, and how to make one."""

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
    """Explain why readers see no version of a dataset, which command makes it, and which run contains it."""
    command = find_command(ledger, record, dataset)
    if not record:
        return f"{dataset}: no run is committed yet" + (f"; run `{command}` to create one" if command else "")
    if dataset in record.outdated:
        reason = f"outdated by run {_find_outdating_run(ledger.newest_first(), record, dataset).run_id}"
    elif dataset in record.view:
        reason = f"{record.view[dataset].path} is not where the catalog stores it"
    else:
        reason = f"not in run {record.run_id}"
    newest = next((run for run in ledger.newest_first() if dataset in run.view), None)
    hints = []
    if newest and not is_same_run(newest, record):
        hints.append(f"; the newest run with it is {newest.run_id}")
    if command:
        hints.append(f". Run `{command}` to make it again" if newest else f"; run `{command}` to make it")
    else:
        hints.append(did_you_mean(dataset, record.view))
    return f"{dataset}: {reason}{''.join(hints)}"


def describe_unversioned(ledger: Ledger, dataset: str) -> str | None:
    """Describe where an unversioned dataset is stored, or return None if it is versioned or unknown."""
    last = ledger.last()
    if not last or dataset in last.view or dataset in last.outdated:
        return None
    for found, what in (
        (last.unversioned.get(dataset), "is not versioned"),
        (find_last_known(ledger.newest_first()).raw.get(dataset), "is raw data, which no run makes"),
    ):
        if found and found.path:
            return f"{dataset} {what}; it is at {found.path}"
    return None


def _find_outdating_run(newest_first: Iterable[Record], record: Record, dataset: str) -> Record:
    """Find the run that made a dataset outdated."""
    for run in newest_first:
        if run.seq < record.seq:
            if dataset not in run.outdated:
                break
            record = run
    return record


def find_command(ledger: Ledger, record: Record | None, dataset: str) -> str | None:
    """Return the command that makes a dataset with the fewest nodes, or None if no pipeline makes it.

    Pipelines whose inputs readers see come first.
    """
    makers = {
        name: pipeline
        for name, pipeline in sorted(pipelines.items(), key=lambda item: len(item[1].nodes))
        if dataset in map(base_name, pipeline.all_outputs())
    }
    made = list_outputs()
    available = record.view.keys() if record else set()

    def can_run(pipeline: Pipeline) -> bool:
        needed = {base_name(name) for name in pipeline.inputs() if not is_parameter(name)}
        return not (needed & made) - available

    name = next((name for name, pipeline in makers.items() if can_run(pipeline)), None)
    name = name or next(iter(makers), None)
    if not name:
        return None
    return f"kedro run{ledger.data_folder.option}" + (f" --pipeline {name}" if name != "__default__" else "")
