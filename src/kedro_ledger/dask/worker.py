"""What happens on a worker: it runs a node as one process would, and puts what the node wrote in its place.

A worker may die at any moment, or be taken for dead and live on, and then its nodes run again elsewhere. So
each try writes a version of its own, and only a whole version is put in its place: by one renaming, which the
first try wins and which no later one can undo.

Workers that the DaskRunner starts preload this module: see `dask_setup`.
"""

from __future__ import annotations

import json
import logging
import os
import pickle
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from threading import Lock, get_ident
from typing import Any, NamedTuple
from uuid import uuid4

from distributed import get_worker
from kedro.framework import project
from kedro.io import DataCatalog
from kedro.pipeline.node import Node
from kedro.runner import Task
from pluggy import PluginManager

from kedro_ledger import storage
from kedro_ledger.dask.facts import find_faults, read_facts
from kedro_ledger.errors import InputError
from kedro_ledger.kedro_internals import create_hook_manager
from kedro_ledger.paths import TRY

_loading = Lock()


class Work(NamedTuple):
    """A node to run, with all that it needs."""

    node: Node
    catalog: DataCatalog
    is_async: bool
    run_id: str
    places: dict[str, str]
    """The final paths of those of its outputs that are versioned on a local disk."""
    in_memory: list[str]
    """Its outputs that are not persisted."""
    marker: str | None
    """A file that exists as long as the run is active."""


def dask_setup(worker: object) -> None:
    """Prepare a worker that the DaskRunner has started: the console belongs to the run's own process.

    Nothing is logged here, since that process gets all records, and no progress bar is drawn.
    """
    nowhere = {"nowhere": {"class": "logging.NullHandler"}}
    root = {"level": "WARNING", "handlers": ["nowhere"]}
    project.configure_logging(
        {"version": 1, "disable_existing_loggers": False, "handlers": nowhere, "root": root}
    )
    for logger in map(logging.getLogger, list(logging.root.manager.loggerDict)):
        logger.handlers.clear()
        logger.propagate = True
    os.environ["TQDM_DISABLE"] = "1"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the run's process, which ends its workers


def run_node(package: str, facts: str, pickled: bytes, *upstream: dict[str, Any]) -> dict[str, Any]:
    """Run a node.

    Args:
        package: The project's package.
        facts: What the run's process runs with, as JSON.
        pickled: A `Work`; it is read once this worker is known to have the same code.
        *upstream: What earlier nodes left in memory, by dataset.

    Returns:
        What this node leaves in memory, by dataset.

    Raises:
        InputError: If the run is over, this worker is not fit for it, or the node would end the process.
    """
    with _loading:  # a worker may have several threads
        _require_same_facts(package, facts)
        hook_manager = _load_project(package)
    work: Work = pickle.loads(pickled)
    _require_active_run(work)
    for results in upstream:
        for name in results.keys() & {*work.node.inputs}:
            work.catalog.save(name, results[name])  # a MemoryDataset: each node gets a copy
    version = f"{work.run_id}{TRY}{uuid4().hex}"
    storage.read_and_write(work.catalog, work.places, version)
    folders = {Path(place).parent: Path(place).parent.with_name(version) for place in work.places.values()}
    try:
        with _forwarded_logs(package, work.run_id):
            _execute(work, hook_manager)
        _require_active_run(work)
        for folder, written in folders.items():
            try:
                written.rename(folder)
            except OSError:
                if written.exists() and not folder.exists():  # if it exists, another try was quicker
                    raise
    finally:
        for written in folders.values():
            shutil.rmtree(written, ignore_errors=True)
    return {name: work.catalog.load(name) for name in work.in_memory}


def _execute(work: Work, hook_manager: PluginManager) -> None:
    task = Task(work.node, work.catalog, work.is_async, hook_manager=hook_manager, run_id=work.run_id)
    try:
        task.execute()
    except (SystemExit, KeyboardInterrupt) as error:  # either would end the worker
        raise InputError(
            f"{work.node.name} would end its process ({error!r}); expected it to return, or to raise an error"
        ) from error


def _require_active_run(work: Work) -> None:
    if work.marker and not Path(work.marker).exists():
        raise InputError(f"{work.node.name}: run {work.run_id} is over, or its folder is not shared any more")


@cache
def _require_same_facts(package: str, here: str) -> None:
    """Require the run's code and packages: this worker may have come after all were checked."""
    if faults := find_faults(json.loads(here), read_facts(package)):
        raise InputError(f"worker {get_worker().address}: {'; '.join(faults)}; expected the same as here")


@cache
def _load_project(package: str) -> PluginManager:
    """Load a project's settings, once in a process, and return its hooks."""
    if project.PACKAGE_NAME is None:
        project.configure_project(package)
    elif package != project.PACKAGE_NAME:
        raise InputError(f"this worker works for {project.PACKAGE_NAME} already; expected one for {package}")
    logging.getLogger(package).setLevel(logging.INFO)
    return create_hook_manager(project.settings.HOOKS, project.settings.DISABLE_HOOKS_FOR_PLUGINS)


class _Forwarder(logging.Handler):
    """Sends what one thread logs to the run that it works for."""

    def __init__(self, package: str, run_id: str) -> None:
        super().__init__()
        self._package, self._run_id, self._thread = package, run_id, get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        if record.thread == self._thread:
            sent = {name: getattr(record, name) for name in ("name", "levelno", "levelname", "created")}
            sent |= {"msg": self.format(record), "run_id": self._run_id}  # the message and any traceback
            get_worker().log_event(self._package, sent)


@contextmanager
def _forwarded_logs(package: str, run_id: str) -> Iterator[None]:
    """Send what this thread logs to the run, under the package's topic."""
    forwarder = _Forwarder(package, run_id)
    logging.root.addHandler(forwarder)
    try:
        yield
    finally:
        logging.root.removeHandler(forwarder)
