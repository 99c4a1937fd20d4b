"""Makes every run of a project a transaction."""

from __future__ import annotations

import atexit
import os
from threading import get_ident, local
from typing import Any

from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog
from kedro.pipeline import Pipeline

from from_scratch.runs.code import sum_sources
from from_scratch.runs.context import RunContext
from from_scratch.runs.transaction import Transaction


class RunHooks:
    """The hooks of the ledger. They come first in `HOOKS`: Kedro calls the first one last."""

    def __init__(self) -> None:
        """Knows of no run yet."""
        self._here = local()
        self._sources: dict[str, str] | None = None
        self._open: Transaction | None = None
        self._thread: int | None = None
        self._process = os.getpid()
        atexit.register(self._undo_what_was_interrupted)

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Keep the context: it has the parameters and the project's folder."""
        if not isinstance(context, RunContext):
            raise TypeError("RunHooks need `CONTEXT_CLASS = RunContext` in settings.py")
        self._here.context = context  # a run and its context are of one thread
        if self._sources is None:  # Kedro reloads this with the code
            self._sources = sum_sources(context.project_path)

    @hook_impl
    def before_pipeline_run(
        self, run_params: dict[str, Any], pipeline: Pipeline, catalog: DataCatalog
    ) -> None:
        """Begin the transaction."""
        assert self._sources is not None
        if self._open and self._thread == get_ident():
            self._undo()  # it was interrupted: one thread runs one pipeline at a time
        self._open = Transaction(self._here.context, run_params, pipeline, catalog, self._sources)
        self._thread = get_ident()

    @hook_impl
    def after_pipeline_run(self) -> None:
        """Commit."""
        if self._open:
            transaction, self._open = self._open, None
            transaction.commit()

    @hook_impl
    def on_pipeline_error(self) -> None:
        """Undo."""
        self._undo()

    def _undo(self) -> None:
        if self._open:
            transaction, self._open = self._open, None
            transaction.abort()

    def _undo_what_was_interrupted(self) -> None:
        """Undo after Ctrl-C, which Kedro tells no hook of; a forked worker has nothing to undo."""
        if self._process == os.getpid():
            self._undo()
