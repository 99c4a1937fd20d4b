"""Errors as a user sees them: a line for each on the console, the traceback in the log file."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from click import ClickException
from kedro.framework import project
from kedro.io.core import DatasetError

from kedro_ledger.printable import printable

log = logging.getLogger(__name__)

TRACEBACKS = "kedro_ledger.tracebacks"
"""The logger for tracebacks: they are logged only if conf/logging.yml gives it a handler."""


class UserError(ClickException):
    """An error without a traceback on the console: each argument is a line.

    `kedro` shows it and ends with its `exit_code`, in any project.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(str, lines)))
        self.args = lines  # what `pickle` makes it from

    def show(self, file: IO[Any] | None = None) -> None:
        """Log the error; `file` is ignored, as a scheduled run is read in its log."""
        show(type(self), self, self.__traceback__)


class InputError(UserError, ValueError):
    """Something the user gave is wrong: each argument is a line with what, where, and what was expected."""


class LedgerError(UserError):
    """Something is wrong with runs or artefacts. A line break in an argument is escaped."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*map(printable, lines))


class BusyError(LedgerError):
    """Another run is writing: try again later (the code is EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class IrreproducibleError(LedgerError):
    """A committed run has the recipe of an earlier one, but not its artefacts."""

    exit_code = 76


class DriftError(LedgerError):
    """A run moved further from the last one than its limits allow."""

    exit_code = 77


def format_error(error: BaseException) -> list[str]:
    """Format an error as one line, or as one for each argument of a `UserError`.

    Returns:
        The message and the node that raised it, if that is known. For a bug, also its type, the line of the
        project's code, and the file with the traceback.
    """
    messages = error.args if isinstance(error, UserError) else [error]
    where = list(getattr(error, "__notes__", []))
    if not is_of_input(error):
        where = where or [place for place in [find_place(error)] if place]
        where += [f"traceback: {file}" for file in _list_traceback_files() if where]
    kind = "" if isinstance(error, UserError | DatasetError) else f"{type(error).__name__}: "
    end = f" ({'; '.join(where)})" if where else ""
    return [f"{kind}{' '.join(str(message).split())}{end}" for message in messages]


def is_of_input(error: BaseException) -> bool:
    """Whether an error is about what the user gave; those of Kedro and of YAML mostly are."""
    others = ("kedro.", "yaml.", "omegaconf.")
    return isinstance(error, UserError) or type(error).__module__.startswith(others)


def find_place(error: BaseException) -> str | None:
    """Find the last line of the project's code, or else of the ledger's, that an error went through.

    Returns:
        The file and line as `src/PACKAGE/nodes.py:41`, wherever the packages are installed.
    """
    package = sys.modules.get(project.PACKAGE_NAME or "")
    for file in (getattr(package, "__file__", None), __file__):
        folder = Path(file or "/nowhere").parent
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if file and Path(frame.filename).is_relative_to(folder):
                return f"{Path(frame.filename).relative_to(folder.parents[1]).as_posix()}:{frame.lineno}"
    return None


def _list_traceback_files() -> list[str]:
    """List the files that tracebacks are logged to."""
    handlers = logging.getLogger(TRACEBACKS).handlers
    files = [Path(handler.baseFilename) for handler in handlers if isinstance(handler, logging.FileHandler)]
    return [
        file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else str(file)
        for file in files
    ]


def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an error, a line for each fault. It can also take the place of `sys.excepthook`."""
    for line in format_error(error):
        log.error("Error: %s", line)
    if (tracebacks := logging.getLogger(TRACEBACKS)).handlers:
        tracebacks.error("", exc_info=(kind, error, traceback))
