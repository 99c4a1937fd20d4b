"""What happens on a worker: a node runs there as it would here, and what it wrote is put in its place.

A worker may die at any moment, or be taken for dead and live on, and then its nodes run again elsewhere. So
each try writes a version of its own, and only what is whole is put in its place: by one renaming, which the
first try wins and which no later one can undo.
"""

from __future__ import annotations

import json
import logging
import pickle
import shutil
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple
from uuid import uuid4

from kedro.framework import project
from kedro.io import DataCatalog, MemoryDataset
from kedro.pipeline.node import Node

from kedro_ledger import storage
from kedro_ledger.dask.facts import find_faults, read_facts
from kedro_ledger.dask.forwarding import forward_logs
from kedro_ledger.errors import InputError, format_error
from kedro_ledger.paths import TRY

_loading = Lock()


class Work(NamedTuple):
    """A node that is to run, with all that it needs."""

    node: Node
    catalog: DataCatalog
    is_async: bool
    run_id: str
    places: dict[str, str]
    """Where its outputs shall lie, of those that are versions on a local path."""
    in_memory: list[str]
    """Its outputs that are kept nowhere."""
    marker: str | None
    """A file that is there as long as the run goes on."""


def run_node(package: str, facts: str, pickled: bytes, *upstream: dict[str, Any]) -> dict[str, Any]:
    """Run a node.

    Args:
        package: The project's package.
        facts: What the run's process runs with, as JSON.
        pickled: What is to be done, a `Work`.
        *upstream: What earlier nodes left in memory, by dataset.

    Returns:
        What this one leaves in memory, by dataset.

    Raises:
        InputError: If the run is over, this worker is not fit for it, or the node would end the process.
    """
    with _loading:  # a worker may have several threads
        _check_facts(package, facts)
        hook_manager = _load_project(package)
    work: Work = pickle.loads(pickled)
    _see_that_the_run_goes_on(work)
    _fill_memory(work, upstream)
    version = f"{work.run_id}{TRY}{uuid4().hex}"
    storage.read_and_write(work.catalog, work.places, version)
    folders = {Path(place).parent: Path(place).parent.with_name(version) for place in work.places.values()}
    try:
        with forward_logs(package, work.run_id):
            _execute(work, hook_manager)
        _see_that_the_run_goes_on(work)
        for folder, written in folders.items():
            try:
                written.rename(folder)
            except OSError:
                if written.exists() and not folder.exists():  # another try has been quicker, if it does
                    raise
    finally:
        for written in folders.values():
            shutil.rmtree(written, ignore_errors=True)
    return {name: work.catalog.load(name) for name in work.in_memory}


def _execute(work: Work, hook_manager: Any) -> None:
    from kedro.runner.task import Task

    task = Task(work.node, work.catalog, work.is_async, hook_manager=hook_manager, run_id=work.run_id)
    try:
        task.execute()
    except (SystemExit, KeyboardInterrupt) as error:  # either would end the worker
        raise InputError(
            f"{work.node.name} would end its process ({error!r}); expected it to return, or to raise an error"
        ) from error
    except Exception as error:
        if not _can_be_sent(error):
            raise RuntimeError(format_error(error)[0]) from None
        raise


def _can_be_sent(error: Exception) -> bool:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # whatever pickling may raise
        return False
    return True


def _see_that_the_run_goes_on(work: Work) -> None:
    if work.marker and not Path(work.marker).exists():
        raise InputError(f"{work.node.name}: run {work.run_id} is over, or its folder is not shared any more")


def _fill_memory(work: Work, upstream: tuple[dict[str, Any], ...]) -> None:
    """Let the catalog hold what other nodes left in memory; each node gets a copy, as in one process."""
    for found in upstream:
        for name in found.keys() & set(work.node.inputs):
            dataset = work.catalog.get(name)
            assert isinstance(dataset, MemoryDataset)
            dataset.save(found[name])


@cache
def _check_facts(package: str, here: str) -> None:
    """See that this worker has the run's code and packages: it may have come after all were asked."""
    from distributed import get_worker

    if faults := find_faults(json.loads(here), read_facts(package)):
        raise InputError(f"worker {get_worker().address}: {'; '.join(faults)}; expected the same as here")


@cache
def _load_project(package: str) -> Any:
    """Load a project's settings with its hooks, once in a process.

    Returns:
        The hook manager.
    """
    from kedro.framework.hooks.manager import (
        _create_hook_manager,
        _register_hooks,
        _register_hooks_entry_points,
    )

    if project.PACKAGE_NAME is None:
        project.configure_project(package)
    elif package != project.PACKAGE_NAME:
        raise InputError(f"this worker works for {project.PACKAGE_NAME} already; expected one for {package}")
    logging.getLogger(package).setLevel(logging.INFO)
    hook_manager = _create_hook_manager()
    _register_hooks(hook_manager, project.settings.HOOKS)
    _register_hooks_entry_points(hook_manager, project.settings.DISABLE_HOOKS_FOR_PLUGINS)
    return hook_manager
