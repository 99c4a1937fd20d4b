"""Log records on their way from a worker's task to the console of the run."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

_run: ContextVar[tuple[str, str] | None] = ContextVar("run", default=None)
"""The package and the run that this thread works for; none where it works for others."""


class _Forwarder(logging.Handler):
    """Sends what is logged by tasks of runs to whoever listens."""

    def emit(self, record: logging.LogRecord) -> None:
        from distributed import get_worker

        if not (run := _run.get()):
            return
        package, run_id = run
        message = record.getMessage()
        if record.exc_info:
            message = f"{message}\n{logging.Formatter().formatException(record.exc_info)}"
        said = {"name": record.name, "levelno": record.levelno, "levelname": record.levelname}
        get_worker().log_event(package, {**said, "run_id": run_id, "msg": message, "created": record.created})


_forwarder = _Forwarder()


@contextmanager
def forward_logs(package: str, run_id: str) -> Iterator[None]:
    """Send what this thread logs to the run it works for.

    Args:
        package: The project's package; the topic under which records are sent.
        run_id: The run.
    """
    if _forwarder not in logging.root.handlers:
        logging.root.addHandler(_forwarder)
    token = _run.set((package, run_id))
    try:
        yield
    finally:
        _run.reset(token)


def receive(run_id: str) -> Callable[[tuple[Any, dict[str, Any]]], None]:
    """Make a handler that logs here what tasks of a run have logged there.

    Args:
        run_id: The run; records of others are left out.
    """

    def handle(event: tuple[Any, dict[str, Any]]) -> None:
        _, said = event
        if said.get("run_id") == run_id:
            logger = logging.getLogger(said["name"])
            if logger.isEnabledFor(said["levelno"]):
                logger.handle(logging.makeLogRecord(said))

    return handle
