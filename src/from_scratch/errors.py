"""Errors as a user sees them: one line on the console, the traceback in the log file."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

from kedro.io.core import DatasetError

TRACEBACKS = "from_scratch.tracebacks"
"""The logger that conf/logging.yml sends to the log file alone."""


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what was expected."""


def in_one_line(error: BaseException) -> str:
    """Tell an error in one line.

    Args:
        error: Any error.

    Returns:
        Its message, without line breaks, and where it was raised if that is known; behind the name of its
        type where the message alone may not say what is wrong.
    """
    message = " ".join(str(error).split())
    where = "".join(f" ({note})" for note in getattr(error, "__notes__", []))
    speaks_for_itself = isinstance(error, InputError | DatasetError)
    return f"{message}{where}" if speaks_for_itself else f"{type(error).__name__}: {message}{where}"


def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an uncaught error in one line; takes the place of `sys.excepthook`.

    Args:
        kind: Its type.
        error: The error.
        traceback: Where it was raised.
    """
    print(f"Error: {in_one_line(error)}", file=sys.stderr)
    logging.getLogger(TRACEBACKS).error("", exc_info=(kind, error, traceback))
