"""Errors as a user sees them: a line for each on the console, the traceback in the log file."""

from __future__ import annotations

import logging
from types import TracebackType

from kedro.io.core import DatasetError

log = logging.getLogger(__name__)

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
        Its message, without line breaks, and where it was raised if that is known; behind the name of its
        type where the message alone may not say what is wrong.
    """
    messages = [
        " ".join(str(one).split()) for one in (error.args if isinstance(error, InputError) else [error])
    ]
    where = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
    speaks_for_itself = isinstance(error, InputError | DatasetError)
    return [
        f"{message}{where}" if speaks_for_itself else f"{type(error).__name__}: {message}{where}"
        for message in messages
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
