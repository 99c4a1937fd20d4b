"""Makes every run of a project a transaction."""

from __future__ import annotations

import atexit
import os
from threading import Thread, current_thread, local
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from from_scratch.runs.code import sum_sources
from from_scratch.runs.context import RunContext
from from_scratch.runs.printable import prepare_output
from from_scratch.runs.transaction import Transaction


class RunHooks:
    """The hooks of the ledger, after those of others: what these do with a run belongs to it."""

    def __init__(self) -> None:
        """Knows of no run yet. Every process that runs steps makes this object, and may log what they say."""
        prepare_output()
        self._here = local()
        self._sources: dict[str, str] | None = None
        self._open: Transaction | None = None
        self._thread: Thread | None = None
        self._process = os.getpid()
        atexit.register(self._undo)  # after Ctrl-C, which Kedro tells no hook of

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context: it has the parameters and the project's folder."""
        if not isinstance(context, RunContext):
            raise TypeError("RunHooks need `CONTEXT_CLASS = RunContext` in settings.py")
        self._here.context = context  # a run and its context are of one thread
        if self._sources is None:  # Kedro reloads this with the code
            self._sources = sum_sources(context.project_path)

    @hook_impl(trylast=True)
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin the transaction."""
        assert self._sources is not None
        if self._thread and (self._thread is current_thread() or not self._thread.is_alive()):
            self._undo()  # it was interrupted: one thread runs one pipeline at a time
        self._open = Transaction(self._here.context, run_params, pipeline, catalog, self._sources)
        self._thread = current_thread()

    @hook_impl(trylast=True)
    def after_pipeline_run(self) -> None:
        """Commit."""
        if self._open:
            transaction, self._open = self._open, None
            transaction.commit()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Undo."""
        self._undo()

    @property
    def is_running(self) -> bool:
        """Whether a run has begun and not ended."""
        return self._open is not None

    def _undo(self) -> None:
        if self._open and self._process == os.getpid():  # a forked worker has nothing to undo
            transaction, self._open = self._open, None
            transaction.abort()
