"""Makes every run of a project a transaction."""

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
    """The hooks of the ledger. They run last, so that the effects of other hooks are recorded too."""

    def __init__(self) -> None:
        prepare_output()
        _let_log()
        self._here = local()
        self._sources: Sources | None = None
        self._open: Transaction | None = None
        self._thread: Thread | None = None
        self._process = os.getpid()
        self._has_begun_one = False
        self._undoing = Lock()
        self._termination = Termination(partial(self._undo, is_exiting=True))
        initialize_workers(end_with_parent)  # or they would wait for work when the run is killed
        forbid_exits(
            lambda: self._termination.has_come,
            lambda code: LedgerError(
                f"a node ended the process with exit code {code}; expected it to return, or to raise an error"
            ),
        )
        atexit.register(self._undo_at_exit)  # after Ctrl-C and SIGTERM, which Kedro tells no hook of

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context: it has the parameters and the project's folder."""
        if not isinstance(context, RunContext):
            own = type(context).__name__
            raise InputError(
                f"settings.py: CONTEXT_CLASS is {own}; the ledger's RunHooks expect RunContext, "
                f"or a class of both: `class Context(RunContext, {own})`"
            )
        self._here.context = context  # a run and its context are of one thread
        if self._sources is None:  # Kedro reloads this with the code
            self._sources = find_sources(context.project_path)

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin the transaction."""
        assert self._sources is not None
        _let_log()  # whatever logging was configured since
        if self._thread and (self._thread is current_thread() or not self._thread.is_alive()):
            self._undo()  # it was interrupted: one thread runs one pipeline at a time
        if self._open:
            raise BusyError("another thread of this process runs a pipeline; nothing was changed, try again")
        self._has_begun_one = True
        self._termination.listen()
        try:
            self._open = Transaction(self._here.context, run_params, pipeline, catalog, self._sources)
        except BaseException:
            self._termination.stop_listening()
            raise
        self._thread = current_thread()

    @hook_impl(tryfirst=True)
    def before_dataset_loaded(self) -> None:
        """Read nothing for a node whose run has begun in another process."""
        self._require_run_of_this_process()

    @hook_impl(tryfirst=True)
    def before_node_run(self) -> None:
        """Run no node whose run has begun in another process."""
        self._require_run_of_this_process()

    def _require_run_of_this_process(self) -> None:
        """Tell a plugin that gives each node a process: workers of Kedro's runners have no context there."""
        is_own_context = hasattr(self._here, "context") and self._process == os.getpid()
        if is_own_context and not self._has_begun_one:
            raise LedgerError(
                "this node's run has begun in another process, which is not supported: the ledger commits a "
                "run whose hooks are called in one process; expected an executor of one process"
            )

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

    def _undo(self, is_exiting: bool = False) -> None:
        if not self._has_begun_here():
            return
        with self._undoing:
            if self._open:
                self._open.abort(is_exiting)
                self._open = None  # not before: if it is interrupted, it is tried again at the exit

    def _undo_at_exit(self) -> None:
        if self._has_begun_here():
            ignore_signals()
            self._undo(is_exiting=True)

    def _has_begun_here(self) -> bool:
        """Whether there is something to undo; a forked worker has nothing."""
        return self._open is not None and self._process == os.getpid()


def _let_log() -> None:
    """Let the ledger's lines be seen, unless the project gives its logger a level.

    A project's conf/logging.yml mostly says nothing of it, while the root logger has WARNING; and a
    configuration disables loggers that were there before, unless it says `disable_existing_loggers: false`.
    """
    logger = logging.getLogger(__package__)
    for name in list(logging.root.manager.loggerDict):
        if name == __package__ or name.startswith(f"{__package__}."):
            logging.getLogger(name).disabled = False
    if not logger.level:
        logger.setLevel(logging.INFO)
    if not logger.hasHandlers():
        logger.addHandler(logging.StreamHandler())
