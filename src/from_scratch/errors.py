"""Errors as a user sees them: a line for each on the console, the traceback in the log file."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from types import TracebackType

from kedro.io.core import DatasetError

log = logging.getLogger(__name__)

PACKAGE = Path(__file__).parent
TRACEBACKS = "from_scratch.tracebacks"
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
    ours = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)]
    return (
        f"{Path(ours[-1].filename).relative_to(PACKAGE.parents[1]).as_posix()}:{ours[-1].lineno}"
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
