"""The code that runs on a worker: it runs a node, and moves the node's complete outputs to their final paths.

A worker may die at any moment, or be assumed dead while it is still running, and then its nodes run again
elsewhere. So each attempt writes its own version, and a single rename moves it to the final path once it is
complete. The first attempt wins, and later ones can't undo its rename.

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
from kedro_ledger.paths import ATTEMPT_SEPARATOR

_loading = Lock()


class Work(NamedTuple):
    """A node to run, with everything that it needs."""

    node: Node
    catalog: DataCatalog
    is_async: bool
    run_id: str
    output_paths: dict[str, str]
    """Final paths of the node's outputs that are versioned on a local disk, by dataset."""
    in_memory: list[str]
    """The node's outputs that are not persisted."""
    marker: str | None
    """File that exists while the run is active."""


def dask_setup(worker: object) -> None:
    """Prepare a worker that the DaskRunner has started to write nothing to the console.

    The run's own process receives and logs all records. Progress bars are disabled.
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
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # on Ctrl-C, the run's process ends its workers


def run_node(package: str, facts: str, pickled: bytes, *upstream: dict[str, Any]) -> dict[str, Any]:
    """Run a node.

    Args:
        package: The project's package.
        facts: The facts of the run's process, as JSON.
        pickled: A `Work`, which is unpickled only after the check that this worker has the same code.
        *upstream: Results of earlier nodes that are in memory, by dataset.

    Returns:
        The node's outputs that are not persisted, by dataset.

    Raises:
        InputError: If the run is over, this worker is unsuitable, or the node would end the process.
    """
    with _loading:  # a worker may have several threads
        _require_same_facts(package, facts)
        hook_manager = _load_project(package)
    work: Work = pickle.loads(pickled)
    _require_active_run(work)
    for results in upstream:
        for name in results.keys() & {*work.node.inputs}:
            work.catalog.save(name, results[name])  # a MemoryDataset: each node gets a copy
    version = f"{work.run_id}{ATTEMPT_SEPARATOR}{uuid4().hex}"
    storage.read_own_versions(work.catalog, work.output_paths, version)
    folders = {Path(path).parent: Path(path).parent.with_name(version) for path in work.output_paths.values()}
    try:
        with _forwarded_logs(package, work.run_id):
            _execute(work, hook_manager)
        _require_active_run(work)
        for folder, written in folders.items():
            try:
                written.rename(folder)
            except OSError:
                if written.exists() and not folder.exists():  # if it exists, another attempt was faster
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
            f"{work.node.name}: the node would end its process ({error!r}); expected it to return or "
            "raise an error"
        ) from error


def _require_active_run(work: Work) -> None:
    if work.marker and not Path(work.marker).exists():
        raise InputError(
            f"{work.node.name}: run {work.run_id} is over, or its folder is no longer shared with this worker"
        )


@cache
def _require_same_facts(package: str, here: str) -> None:
    """Require the run's code and packages: this worker may have joined after all workers were checked."""
    if faults := find_faults(json.loads(here), read_facts(package)):
        raise InputError(f"worker {get_worker().address}: {'; '.join(faults)}; expected the same as here")


@cache
def _load_project(package: str) -> PluginManager:
    """Load a project's settings, once in each process, and return its hook manager."""
    if project.PACKAGE_NAME is None:
        project.configure_project(package)
    elif package != project.PACKAGE_NAME:
        raise InputError(
            f"this worker already serves {project.PACKAGE_NAME}; expected a worker for {package}"
        )
    logging.getLogger(package).setLevel(logging.INFO)
    return create_hook_manager(project.settings.HOOKS, project.settings.DISABLE_HOOKS_FOR_PLUGINS)


class _Forwarder(logging.Handler):
    """A handler that sends the records of one thread to the run's own process."""

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
    """Send the log records of this thread to the run's own process, with the package as the topic."""
    forwarder = _Forwarder(package, run_id)
    logging.root.addHandler(forwarder)
    try:
        yield
    finally:
        logging.root.removeHandler(forwarder)
