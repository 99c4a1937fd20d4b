"""Errors as a user sees them: a line for each on the console, the traceback in the log file.

The ledger's have an exit code where a scheduler should tell them apart.
"""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from click import ClickException
from kedro.io.core import DatasetError

from kedro_ledger.printable import printable

log = logging.getLogger(__name__)

SOURCES = Path(__file__).parents[1]
TRACEBACKS = "kedro_ledger.tracebacks"
"""The logger that conf/logging.yml sends to the log file alone."""


class InputError(ValueError):
    """Something the user gave is wrong: each argument is a line with what, where, and what was expected."""

    def __str__(self) -> str:
        return "\n".join(map(str, self.args))


def in_lines(error: BaseException) -> list[str]:
    """Tell an error in one line, or in one for each fault of the user's input.

    Args:
        error: Any error.

    Returns:
        Its message, without line breaks, and the node that raised it if that is known. If it is no wrong
        input but a bug, also its type, the place in this package, and the file with the traceback.
    """
    messages = [
        " ".join(str(one).split()) for one in (error.args if isinstance(error, InputError) else [error])
    ]
    where = list(getattr(error, "__notes__", []))
    if not is_of_input(error):
        where = where or [place for place in [find_place(error)] if place]
        where += [f"traceback: {file}" for file in _list_traceback_files() if where]
    kind = "" if isinstance(error, InputError | DatasetError) else f"{type(error).__name__}: "
    end = f" ({'; '.join(where)})" if where else ""
    return [f"{kind}{message}{end}" for message in messages]


def is_of_input(error: BaseException) -> bool:
    """Whether an error is about what the user gave; those of Kedro and of YAML mostly are."""
    return isinstance(error, InputError) or type(error).__module__.startswith(
        ("kedro.", "yaml.", "omegaconf.")
    )


def find_place(error: BaseException) -> str | None:
    """Find the last line of this package through which an error went, as `src/from_scratch/training.py:41`.

    Args:
        error: The error.
    """
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(SOURCES)]
    return (
        f"{Path(ours[-1].filename).relative_to(SOURCES.parent).as_posix()}:{ours[-1].lineno}"
        if ours
        else None
    )


def _list_traceback_files() -> list[str]:
    """List the files that tracebacks are logged to, as conf/logging.yml says."""
    handlers = logging.getLogger(TRACEBACKS).handlers
    files = [Path(handler.baseFilename) for handler in handlers if isinstance(handler, logging.FileHandler)]
    return [
        file.relative_to(Path.cwd()).as_posix() if file.is_relative_to(Path.cwd()) else str(file)
        for file in files
    ]


def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Log an uncaught error, a line for each fault; takes the place of `sys.excepthook`.

    Args:
        kind: Its type.
        error: The error.
        traceback: Where it was raised.
    """
    for line in in_lines(error):
        log.error("Error: %s", line)
    logging.getLogger(TRACEBACKS).error("", exc_info=(kind, error, traceback))


class LedgerError(ClickException):
    """Something is wrong with runs or artefacts. `kedro` logs the message and ends with `exit_code`."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        """Says what is wrong.

        Args:
            *lines: A line each; what a name in it has of line breaks is none.
        """
        super().__init__("\n".join(map(printable, lines)))

    def show(self, file: IO[Any] | None = None) -> None:
        """Log each line of the message: a scheduled run is read in its log.

        Args:
            file: Ignored.
        """
        for line in self.format_message().split("\n"):
            log.error("Error: %s", line)


class BusyError(LedgerError):
    """Another run is writing: come again (the code is EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class DriftError(LedgerError):
    """A run moved further from the last one than its limits allow."""

    exit_code = 77


class IrreproducibleError(LedgerError):
    """A committed run has the recipe of an earlier one, but not its artefacts."""

    exit_code = 76
