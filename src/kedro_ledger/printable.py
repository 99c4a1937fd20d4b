"""Texts of data, configuration and records, as a terminal or a log may show them."""

from __future__ import annotations

import io
import logging
import os
import sys
from textwrap import indent
from typing import Any

import click


def printable(text: object, keep: str = "") -> str:
    """Write control characters, and others that can't be seen, as `repr` does; letters of any script stay.

    A terminal would obey some of them: a column's name could set the window's title or hide other text.

    Args:
        text: Any text.
        keep: Characters that stay as they are.

    Returns:
        The text. To do it twice changes nothing.
    """
    text = str(text)
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() or sign in keep else repr(sign)[1:-1] for sign in text)


class PrintableRecord(logging.LogRecord):
    """A log record whose message and traceback are printable; only the code's own line breaks are kept."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if str(self.name).partition(".")[0] == __package__:  # `logging.makeLogRecord` gives no name
            self.markup = False  # or Kedro's own handler would take `[dask]` for markup of rich
        if self.exc_info:
            # Indented, so that no line of an error's message looks like one of the log.
            traceback = printable(logging.Formatter().formatException(self.exc_info), keep="\n\t")
            self.exc_text = indent(traceback, "  ")

    def getMessage(self) -> str:
        """Merge the message with its arguments; a line break in one of these is no line break."""
        message, args = str(self.msg), self.args
        if isinstance(args, tuple):
            message = message % tuple(map(_printable_argument, args)) if args else message
        elif args:
            message = message % {name: _printable_argument(value) for name, value in args.items()}
        return printable(message, keep="\n")


def prepare_output() -> None:
    """Let this process print and log any text, whatever the locale and wherever the text comes from."""
    logging.setLogRecordFactory(PrintableRecord)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # as standard error always does


def echo(text: object, end: str = "\n", err: bool = False) -> None:
    """Print text to a terminal, a file or a pipe."""
    click.echo(printable(f"{text}{end}", keep="\n"), nl=False, file=sys.stderr if err else sys.stdout)


def hand_on(text: str, encoding: str) -> None:
    """Print text for a file or a script: exactly, in the encoding it expects; printable on a terminal."""
    if sys.stdout and sys.stdout.isatty():
        echo(text, end="")
    else:
        click.echo(text.encode(encoding, "surrogateescape"), nl=False)


def shorten(names: list[str]) -> str:
    """Join names by commas: all of them, or of more than three the first two and the number of the others."""
    return ", ".join(names) if len(names) < 4 else f"{', '.join(names[:2])} and {len(names) - 2} more"


def _printable_argument(argument: Any) -> Any:
    return printable(argument) if isinstance(argument, str) else argument


def is_watched() -> bool:
    """Return whether standard error is a terminal that has room for a bar."""
    try:
        return all(os.get_terminal_size(sys.stderr.fileno()))
    except (OSError, ValueError, AttributeError):  # it is a file, closed, or a notebook's
        return False
