"""Errors as users see them: one line each on the console, and the traceback in the log file."""

from __future__ import annotations

import logging
import sys
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any

import kedro
from click import ClickException
from kedro.framework import project
from kedro.io.core import DatasetError

from kedro_ledger.printable import printable

log = logging.getLogger(__name__)

TRACEBACKS = "kedro_ledger.tracebacks"
"""Name of the logger for tracebacks, which are logged only if conf/logging.yml gives it a handler."""


class UserError(ClickException):
    """An error that is shown without a traceback, one line for each argument.

    In any project, `kedro` shows it and ends with its `exit_code`.
    """

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(map(str, lines)))
        self.args = lines  # `pickle` creates the copy from these

    def show(self, file: IO[Any] | None = None) -> None:
        """Log the error. `file` is ignored, since users read about scheduled runs in the log."""
        show(type(self), self, self.__traceback__)


class InputError(UserError, ValueError):
    """Raised if user input is wrong. Each argument is a line: where, what is wrong, and what was expected."""


class LedgerError(UserError):
    """Raised if a run or an artefact is not as it should be. Line breaks in the arguments are escaped."""

    def __init__(self, *lines: str) -> None:
        super().__init__(*map(printable, lines))


class BusyError(LedgerError):
    """Raised if another run is writing: try again later. The exit code is EX_TEMPFAIL of sysexits.h."""

    exit_code = 75


class IrreproducibleError(LedgerError):
    """Raised if a committed run has the same recipe as an earlier run, but other artefacts."""

    exit_code = 76


class DriftError(LedgerError):
    """Raised if a run differs from the last one by more than its limits allow."""

    exit_code = 77


def format_error(error: BaseException) -> list[str]:
    """Format an error as one line, or as one line for each argument of a `UserError`.

    Returns:
        The message and, if known, the node that raised it. For a bug, also the error's type, the line of the
        project's code, and the file with the traceback.
    """
    messages = error.args if isinstance(error, UserError) else [error]
    where = list(getattr(error, "__notes__", []))
    if not is_user_error(error):
        where = where or [line for line in [find_code_line(error)] if line]
        where += [f"traceback: {file}" for file in _list_traceback_files() if where]
    is_plain = isinstance(error, UserError | DatasetError) or _is_about_options(error)
    kind = "" if is_plain else f"{type(error).__name__}: "
    end = f" ({'; '.join(where)})" if where else ""
    return [f"{kind}{' '.join(str(message).split())}{end}" for message in messages]


def is_user_error(error: BaseException) -> bool:
    """Return whether an error is about the user's input, as most errors of Kedro and YAML are."""
    others = ("kedro.", "yaml.", "omegaconf.")
    return isinstance(error, UserError) or type(error).__module__.startswith(others)


def _is_about_options(error: BaseException) -> bool:
    """Return whether Kedro itself raised a `ValueError`, as it does if an option names no node or dataset."""
    frames = traceback.extract_tb(error.__traceback__)
    raised_in = Path(frames[-1].filename if frames else "")
    return isinstance(error, ValueError) and raised_in.is_relative_to(Path(kedro.__file__).parent)


def find_code_line(error: BaseException) -> str | None:
    """Find the last line of the project's code, or else of the ledger's, in an error's traceback.

    Returns:
        The file and line such as `src/PACKAGE/nodes.py:41`, wherever the packages are installed.
    """
    package = sys.modules.get(project.PACKAGE_NAME or "")
    for file in (getattr(package, "__file__", None), __file__):
        folder = Path(file or "/nowhere").parent
        for frame in reversed(traceback.extract_tb(error.__traceback__)):
            if file and Path(frame.filename).is_relative_to(folder):
                return f"{Path(frame.filename).relative_to(folder.parents[1]).as_posix()}:{frame.lineno}"
    return None


def _list_traceback_files() -> list[str]:
    """List the log files with tracebacks, relative to the current folder where possible."""
    handlers = logging.getLogger(TRACEBACKS).handlers
    files = [Path(handler.baseFilename) for handler in handlers if isinstance(handler, logging.FileHandler)]
    return [
        file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else str(file)
        for file in files
    ]


def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an error, one line for each fault. Also suitable as `sys.excepthook`."""
    for line in format_error(error):
        log.error("Error: %s", line)
    if (tracebacks := logging.getLogger(TRACEBACKS)).handlers:
        tracebacks.error("", exc_info=(kind, error, traceback))
