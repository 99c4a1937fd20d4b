"""Kedro hooks that make every run of a project a transaction."""

from __future__ import annotations

import atexit
import logging
import os
from functools import partial
from threading import Lock, Thread, current_thread, local
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from kedro_ledger.context import RunContext
from kedro_ledger.errors import BusyError, InputError, LedgerError
from kedro_ledger.kedro_internals import forbid_exits, initialize_workers
from kedro_ledger.printable import prepare_output
from kedro_ledger.processes import TERMINATED, Termination, end_with_parent, ignore_signals
from kedro_ledger.sources import Sources, find_sources
from kedro_ledger.transaction import Transaction


class RunHooks:
    """The ledger's hooks. They run last, so that the effects of other hooks are recorded too."""

    def __init__(self) -> None:
        prepare_output()
        _enable_logging()
        self._local = local()
        self._sources: Sources | None = None
        self._open: Transaction | None = None
        self._thread: Thread | None = None
        self._process = os.getpid()
        self._has_begun_a_run = False
        self._undoing = Lock()
        self._termination = Termination(partial(self._undo, is_exiting=True))
        initialize_workers(end_with_parent)  # otherwise, they would go on waiting after the run is killed
        forbid_exits(
            lambda: self._termination.is_requested,
            lambda code: LedgerError(
                f"a node ended the process with exit code {code}; expected it to return or raise an error"
            ),
        )
        atexit.register(self._undo_at_exit)  # Kedro calls no hook after Ctrl-C and SIGTERM

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context, which has the parameters and the project's folder."""
        if not isinstance(context, RunContext):
            own = type(context).__name__
            raise InputError(
                f"settings.py: CONTEXT_CLASS is {own}; expected RunContext, which the ledger's RunHooks "
                f"need, or a subclass of both: `class Context(RunContext, {own})`"
            )
        self._local.context = context  # a run uses the context of its own thread
        if self._sources is None:  # when Kedro reloads the code, it creates new hooks
            self._sources = find_sources(context.project_path)

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin the transaction."""
        assert self._sources is not None
        _enable_logging()  # the logging may have been configured in the meantime
        if self._thread and (self._thread is current_thread() or not self._thread.is_alive()):
            self._undo()  # the open run was interrupted, since a thread runs one pipeline at a time
        if self._open:
            raise BusyError(
                "another thread of this process is running a pipeline; nothing was changed. Try again when "
                "it finishes"
            )
        self._has_begun_a_run = True
        self._termination.listen()
        try:
            self._open = Transaction(self._local.context, run_params, pipeline, catalog, self._sources)
        except BaseException:
            self._termination.stop_listening()
            raise
        self._thread = current_thread()

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self) -> None:
        """Refuse to load a dataset if the run began in another process."""
        self._require_run_of_this_process()

    @hook_impl(tryfirst=True)
    def before_node_run(self) -> None:
        """Refuse to run a node if the run began in another process."""
        self._require_run_of_this_process()

    def _require_run_of_this_process(self) -> None:
        """Require that the run began in this process; some plugins run each node in a process of its own.

        Workers of Kedro's runners have no context, so they pass.
        """
        is_own_context = hasattr(self._local, "context") and self._process == os.getpid()
        if is_own_context and not self._has_begun_a_run:
            raise LedgerError(
                "this node's run began in another process, but the ledger commits a run only if all of its "
                "hooks are called in one process; expected an executor that uses one process"
            )

    @hook_impl(tryfirst=True)
    def before_dataset_saved(self) -> None:
        """Refuse to save if the run is being terminated, which other threads may not have noticed yet."""
        if self._termination.is_requested:
            raise SystemExit(TERMINATED)

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Commit the transaction."""
        if self._open:
            transaction, self._open = self._open, None
            try:
                transaction.commit()
            finally:
                self._termination.stop_listening()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Undo the transaction."""
        self._undo()
        self._termination.stop_listening()

    def _undo(self, is_exiting: bool = False) -> None:
        if not self._has_begun_here():
            return
        with self._undoing:
            if self._open:
                self._open.abort(is_exiting)
                self._open = None  # last: if `abort` is interrupted, it is tried again at the exit

    def _undo_at_exit(self) -> None:
        if self._has_begun_here():
            ignore_signals()
            self._undo(is_exiting=True)

    def _has_begun_here(self) -> bool:
        """Return whether this process has begun a transaction: a forked worker only inherits one."""
        return self._open is not None and self._process == os.getpid()


def _enable_logging() -> None:
    """Show the ledger's INFO messages, unless the project sets the level of its logger.

    Most conf/logging.yml files don't configure this logger, and the root logger's level is WARNING. Also, a
    logging configuration disables existing loggers unless it sets `disable_existing_loggers: false`.
    """
    logger = logging.getLogger(__package__)
    for name in list(logging.root.manager.loggerDict):
        if name == __package__ or name.startswith(f"{__package__}."):
            logging.getLogger(name).disabled = False
    if not logger.level:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
