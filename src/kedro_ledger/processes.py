"""How the processes of a run end: SIGTERM undoes the run, and no worker outlives its parent."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from multiprocessing.connection import wait
from threading import Thread, current_thread, main_thread
from types import FrameType

TERMINATED = 128 + signal.SIGTERM
"""The exit code that shells give to what SIGTERM has ended."""
GRACE = 5
"""Seconds that a terminated process has to end by itself."""
INTERVAL = 1
"""Seconds after which a worker looks again whether its parent is there."""


class Termination:
    """Lets SIGTERM end this process as Ctrl-C does, unless somebody else handles it."""

    def __init__(self, undo: Callable[[], None]) -> None:
        """Leaves SIGTERM as it is until `listen` is called.

        Args:
            undo: What is left to do if the process doesn't end by itself.
        """
        self.has_come = False
        self._undo = undo
        if hasattr(os, "register_at_fork"):  # Windows can't fork
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork,
                after_in_child=self._after_fork_in_child,
            )

    def listen(self) -> None:
        """Handle SIGTERM, if this is the main thread and nobody else does."""
        if current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._end)

    def stop_listening(self) -> None:
        """Leave SIGTERM as it was before `listen`."""
        if current_thread() is main_thread() and self._listens():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _listens(self) -> bool:
        return signal.getsignal(signal.SIGTERM) == self._end

    def _end(self, number: int, frame: FrameType | None) -> None:
        """End the workers, then this process: by an exception, so that everything is closed on the way."""
        self.has_come = True
        ignore_signals()
        for child in multiprocessing.active_children():
            if not child.daemon:  # Python would wait for its end
                child.kill()
        Thread(target=self._insist, daemon=True).start()
        raise SystemExit(TERMINATED)

    # SIGTERM ends a forked child at once, from its first moment on, for which Python's handler is too late.

    def _before_fork(self) -> None:
        if self._listens():
            signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})

    def _after_fork(self) -> None:
        if self._listens():
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _after_fork_in_child(self) -> None:
        if self._listens():
            self.stop_listening()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})

    def _insist(self) -> None:
        """End the process, even if a thread goes on with its step, or a step has caught the exception."""
        time.sleep(GRACE)
        try:
            for child in multiprocessing.active_children():
                child.kill()
            self._undo()
            logging.shutdown()
            sys.stdout.flush()
        finally:
            os._exit(TERMINATED)


def ignore_signals() -> None:
    """Let nothing but SIGKILL disturb the end of this process."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def end_with_parent() -> None:
    """Let this worker process end as soon as the process that started it is gone, however it ended."""
    parent, started_by = multiprocessing.parent_process(), os.getppid()
    assert parent

    def watch() -> None:
        # Forked siblings keep the sentinel open; behind a fork server, the parent's id doesn't change.
        while os.getppid() == started_by and not wait([parent.sentinel], INTERVAL):
            pass
        os._exit(1)

    Thread(target=watch, daemon=True).start()
