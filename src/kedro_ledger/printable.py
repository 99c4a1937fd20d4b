"""Safe output of texts from data, configuration and records, to terminals and logs."""

from __future__ import annotations

import io
import logging
import os
import sys
from textwrap import indent
from typing import Any

import click


def printable(text: object, keep: str = "") -> str:
    """Escape control characters and other invisible characters as `repr` does; letters of any script stay.

    Terminals execute control sequences: a column's name could set the window's title or hide other text.

    Args:
        text: Any text.
        keep: Characters to leave unchanged.

    Returns:
        The text. Escaping it again changes nothing.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() or char in keep else repr(char)[1:-1] for char in text)


class PrintableRecord(logging.LogRecord):
    """A log record whose message and traceback are printable; only the code's own line breaks remain."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if str(self.name).partition(".")[0] == __package__:  # `logging.makeLogRecord` passes None as the name
            self.markup = False  # otherwise, Kedro's own handler would treat `[dask]` as markup of rich
        if self.exc_info:
            # Indented, so that no line of an error's message looks like one of the log.
            traceback = printable(logging.Formatter().formatException(self.exc_info), keep="\n\t")
            self.exc_text = indent(traceback, "  ")

    def getMessage(self) -> str:
        """Merge the message with its arguments, escaping line breaks in the arguments."""
        message, args = str(self.msg), self.args
        if isinstance(args, tuple):
            message = message % tuple(map(_printable_argument, args)) if args else message
        elif args:
            message = message % {name: _printable_argument(value) for name, value in args.items()}
        return printable(message, keep="\n")


def prepare_output() -> None:
    """Allow this process to print and log any text, in any locale and from any source."""
    logging.setLogRecordFactory(PrintableRecord)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error always does


def echo(text: object, end: str = "\n", err: bool = False) -> None:
    """Print text, with invisible characters escaped."""
    click.echo(printable(f"{text}{end}", keep="\n"), nl=False, file=sys.stderr if err else sys.stdout)


def print_exactly(text: str, encoding: str) -> None:
    """Print text unchanged to a file or a pipe, in the given encoding; escape it on a terminal."""
    if sys.stdout and sys.stdout.isatty():
        echo(text, end="")
    else:
        click.echo(text.encode(encoding, "surrogateescape"), nl=False)


def shorten(names: list[str]) -> str:
    """Join names by commas. If there are more than three, give two of them and the number of the others."""
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _printable_argument(argument: Any) -> Any:
    return printable(argument) if isinstance(argument, str) else argument


def can_show_progress() -> bool:
    """Return whether standard error is a terminal with a known size."""
    try:
        return all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # a file, a closed stream, or a notebook
        return False
