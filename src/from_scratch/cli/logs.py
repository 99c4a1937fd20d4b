"""Logging configuration."""

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
    """Configure logging from a folder's logging.yml, if it exists and KEDRO_LOGGING_CONFIG is not set.

    Args:
        folder: The folder `conf`, or an environment in it.
        project: The project's folder, to which the paths of log files are relative.

    Returns:
        Whether logging was configured.

    Raises:
        InputError: If the configuration is invalid.
    """
    file = folder / "logging.yml"
    if "KEDRO_LOGGING_CONFIG" in os.environ or not file.is_file():
        return False
    try:
        config = yaml.safe_load(file.read_text(encoding="utf-8"))
        _resolve_log_files(config, project)
        configure_logging(config)
    except Exception as error:  # errors of YAML and of logging share no base class
        raise InputError(
            f"{folder.name}/{file.name}: {error}; expected a valid logging configuration"
        ) from error
    return True


def log_line_by_line() -> None:
    """Format each line of a message as its own log line, skip empty lines, and log Python's warnings.

    For logs with a timestamp on each line. Kedro's logging.yml cannot name classes of a project, so the
    formatter is set here.
    """
    loggers = [logging.root, *(logging.getLogger(name) for name in logging.root.manager.loggerDict)]
    for handler in {handler for logger in loggers for handler in logger.handlers}:
        handler.setFormatter(_LineByLineFormatter(handler.formatter or logging.Formatter()))
    warnings.showwarning = _log_warning


class _LineByLineFormatter(logging.Formatter):
    def __init__(self, line_formatter: logging.Formatter) -> None:
        super().__init__()
        self._line_formatter = line_formatter

    def format(self, record: logging.LogRecord) -> str:
        lines = []
        for text in filter(str.strip, super().format(record).splitlines()):
            line = copy(record)
            line.msg, line.args = text, None
            line.exc_info, line.exc_text, line.stack_info = None, None, None
            lines.append(self._line_formatter.format(line))
        return "\n".join(lines)


def _resolve_log_files(config: dict[str, Any], project: Path) -> None:
    for handler in config.get("handlers", {}).values():
        if "filename" in handler:
            path = project / handler["filename"]
            with suppress(OSError):  # the console still shows what cannot be written to a file
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
    """Log a Python warning in one line; replaces `warnings.showwarning`."""
    logging.getLogger("py.warnings").warning(
        "%s: %s (%s:%d)", category.__name__, " ".join(str(message).split()), filename, lineno
    )
