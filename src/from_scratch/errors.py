"""Errors as a user sees them: one line on the console, the traceback in the log file."""

from __future__ import annotations

import logging
import sys
from types import TracebackType

TRACEBACKS = "from_scratch.tracebacks"
"""The logger that conf/logging.yml sends to the log file alone."""


class InputError(ValueError):
    """Something the user gave is wrong. The message says what, where, and what was expected."""


def in_one_line(error: BaseException) -> str:
    """Tell an error in one line.

    Args:
        error: Any error.

    Returns:
        Its message, without line breaks, behind the name of its type where it isn't ours.
    """
    message = " ".join(str(error).split())
    return message if isinstance(error, InputError) else f"{type(error).__name__}: {message}"


def show(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    """Print an uncaught error in one line; takes the place of `sys.excepthook`.

    Args:
        kind: Its type.
        error: The error.
        traceback: Where it was raised.
    """
    if issubclass(kind, KeyboardInterrupt):
        print("Interrupted.", file=sys.stderr)
        return
    print(f"Error: {in_one_line(error)}", file=sys.stderr)
    logging.getLogger(TRACEBACKS).error("", exc_info=(kind, error, traceback))
