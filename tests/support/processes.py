"""Processes that the tests start. Each leads a session, which ends with the tests even if they are killed."""

from __future__ import annotations

import atexit
import functools
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import psutil


def start(command: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
    """Start a process that doesn't outlive the tests, with the options of Popen."""
    process = subprocess.Popen(command, start_new_session=True, **options)
    guard(process.pid)
    return process


def guard(leader: int) -> None:
    """Ensure that a session doesn't outlive the tests."""
    _notify_guard(leader)


def kill(leader: int) -> None:
    """Kill a session."""
    for process in list_session(leader):
        with suppress(psutil.NoSuchProcess):
            process.kill()
    _notify_guard(-leader)


def list_session(leader: int) -> list[psutil.Process]:
    """List the processes of a session: its leader, and the processes that it has started."""
    found = []
    for process in psutil.process_iter():
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            if os.getsid(process.pid) == leader and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_for(condition: Callable[[], Any], what: object = "timeout", seconds: float = 60) -> Any:
    """Wait until a condition is true, and return its result."""
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, what
        time.sleep(0.05)
    return found


# --- A process that detects the end of the tests


def _notify_guard(session: int) -> None:
    stdin = _start_guard().stdin
    assert stdin
    stdin.write(f"{session}\n")
    stdin.flush()


@functools.cache
def _start_guard() -> subprocess.Popen[str]:
    guard = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, text=True, start_new_session=True
    )
    atexit.register(guard.communicate)
    return guard


def _serve() -> None:
    """Read the sessions that begin or, with a minus, end. At the end of the input, kill the others."""
    sessions: set[int] = set()
    for session in map(int, sys.stdin):
        if session > 0:
            sessions.add(session)
        else:
            sessions.discard(-session)
    for session in sessions:
        for process in list_session(session):
            with suppress(psutil.NoSuchProcess):
                os.kill(process.pid, signal.SIGKILL)


if __name__ == "__main__":
    _serve()
