"""Makes every run of a project a transaction."""

from __future__ import annotations

import atexit
import logging
import os
from threading import Lock, Thread, current_thread, local
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from kedro_ledger.code import hash_sources
from kedro_ledger.context import RunContext
from kedro_ledger.errors import BusyError
from kedro_ledger.kedro_internals import initialize_workers
from kedro_ledger.printable import prepare_output
from kedro_ledger.processes import TERMINATED, Termination, end_with_parent, ignore_signals
from kedro_ledger.transaction import Transaction


class RunHooks:
    """The hooks of the ledger. They run last, so that the effects of other hooks are recorded too."""

    def __init__(self) -> None:
        prepare_output()
        logger = logging.getLogger(__package__)
        if not logger.level:  # conf/logging.yml says nothing of it, and the root mostly has WARNING
            logger.setLevel(logging.INFO)
        self._here = local()
        self._sources: dict[str, str] | None = None
        self._open: Transaction | None = None
        self._thread: Thread | None = None
        self._process = os.getpid()
        self._undoing = Lock()
        self._termination = Termination(self._undo)
        initialize_workers(end_with_parent)  # or they would wait for work when the run is killed
        atexit.register(self._undo_at_exit)  # after Ctrl-C and SIGTERM, which Kedro tells no hook of

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context: it has the parameters and the project's folder."""
        if not isinstance(context, RunContext):
            raise TypeError("RunHooks need `CONTEXT_CLASS = RunContext` in settings.py")
        self._here.context = context  # a run and its context are of one thread
        if self._sources is None:  # Kedro reloads this with the code
            self._sources = hash_sources(context.project_path)

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin the transaction."""
        assert self._sources is not None
        if self._thread and (self._thread is current_thread() or not self._thread.is_alive()):
            self._undo()  # it was interrupted: one thread runs one pipeline at a time
        if self._open:
            raise BusyError("another thread of this process runs a pipeline; nothing was changed, try again")
        self._termination.listen()
        try:
            self._open = Transaction(self._here.context, run_params, pipeline, catalog, self._sources)
        except BaseException:
            self._termination.stop_listening()
            raise
        self._thread = current_thread()

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self) -> None:
        """Save nothing more in a run that is terminated: a thread may not know yet."""
        if self._termination.has_come:
            raise SystemExit(TERMINATED)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Commit."""
        if self._open:
            transaction, self._open = self._open, None
            try:
                transaction.commit()
            finally:
                self._termination.stop_listening()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Undo."""
        self._undo()
        self._termination.stop_listening()

    @property
    def is_running(self) -> bool:
        """Whether a run has begun and not ended."""
        return self._open is not None

    def _undo(self) -> None:
        if not self._has_begun_here():
            return
        with self._undoing:
            if self._open:
                self._open.abort()
                self._open = None  # not before: if it is interrupted, it is tried again at the exit

    def _undo_at_exit(self) -> None:
        if self._has_begun_here():
            ignore_signals()
            self._undo()

    def _has_begun_here(self) -> bool:
        """Whether there is something to undo; a forked worker has nothing."""
        return self._open is not None and self._process == os.getpid()
