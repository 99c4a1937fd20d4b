"""Where log lines go."""

from __future__ import annotations

import logging
import os
import warnings
from contextlib import suppress
from copy import copy
from pathlib import Path
from typing import Any, TextIO

import yaml
from kedro.framework.project import configure_logging

from kedro_ledger.errors import InputError


def configure(folder: Path, project: Path) -> bool:
    """Log as a folder's logging.yml says, if it has one and KEDRO_LOGGING_CONFIG names no other.

    The folder is `conf` or an environment's in it; paths of log files begin in the project's folder.

    Returns:
        Whether it has one.

    Raises:
        InputError: If that can't be done.
    """
    file = folder / "logging.yml"
    if "KEDRO_LOGGING_CONFIG" in os.environ or not file.is_file():
        return False
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        _place_files(config, project)
        configure_logging(config)
    except Exception as error:  # those of YAML and of logging have little in common
        raise InputError(f"{folder.name}/{file.name} says no way to log: {error}") from error
    return True


def log_line_by_line() -> None:
    """Format each line of a message as one of its own, but for empty ones, and log warnings of Python.

    This is for logs of timed lines. Kedro lets logging.yml name no class of a project.
    """
    loggers = [logging.root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(_EachLine(handler.formatter or logging.Formatter()))
    warnings.showwarning = _log_warning


class _EachLine(logging.Formatter):
    def __init__(self, line: logging.Formatter) -> None:
        super().__init__()
        self._line = line

    def format(self, record: logging.LogRecord) -> str:
        lines = []
        for text in filter(str.strip, super().format(record).splitlines()):
            line = copy(record)
            line.msg, line.args = text, None
            line.exc_info, line.exc_text, line.stack_info = None, None, None
            lines.append(self._line.format(line))
        return "\n".join(lines)


def _place_files(config: dict[str, Any], project: Path) -> None:
    for handler in config.get("handlers", {}).values():
        if "filename" in handler:
            path = project / handler["filename"]
            with suppress(OSError):  # what can't be written to a file is still on the console
                path.parent.mkdir(parents=True, exist_ok=True)
            handler["filename"] = str(path)


def _log_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Log a warning of Python in one line; takes the place of `warnings.showwarning`."""
    logging.getLogger("py.warnings").warning(
        "%s: %s (%s:%d)", category.__name__, " ".join(str(message).split()), filename, lineno
    )
