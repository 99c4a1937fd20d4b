"""The end of a run's processes: SIGTERM undoes the run, and no worker outlives its parent."""

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
"""Exit code that shells report for a process that SIGTERM has ended."""
GRACE_PERIOD = 5
"""Seconds that a terminated process has to end by itself."""
POLL_INTERVAL = 1
"""Seconds between a worker's checks that its parent still exists."""


class Termination:
    """A handler that makes SIGTERM end this process as Ctrl-C does, unless SIGTERM has another handler."""

    def __init__(self, undo: Callable[[], None]) -> None:
        """Prepare the handler, which takes effect when `listen` is called.

        Args:
            undo: Called if the process doesn't end by itself in time.
        """
        self.is_requested = False
        self._undo = undo
        if hasattr(os, "register_at_fork"):  # Windows can't fork
            os.register_at_fork(
                before=self._before_fork,
                after_in_parent=self._after_fork,
                after_in_child=self._after_fork_in_child,
            )

    def listen(self) -> None:
        """Handle SIGTERM, if this is the main thread and SIGTERM has no other handler."""
        if current_thread() is main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._end)

    def stop_listening(self) -> None:
        """Restore the default action of SIGTERM, if `listen` has replaced it."""
        if current_thread() is main_thread() and self._listens():
            signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def _listens(self) -> bool:
        return signal.getsignal(signal.SIGTERM) == self._end

    def _end(self, number: int, frame: FrameType | None) -> None:
        """End the workers, then this process, by an exception so that all resources are closed."""
        self.is_requested = True
        ignore_signals()
        for child in multiprocessing.active_children():
            if not child.daemon:  # Python would wait for these
                child.kill()
        Thread(target=self._force_exit, daemon=True).start()
        raise SystemExit(TERMINATED)

    # SIGTERM ends a forked child at once: it is blocked during a fork until the child has reset the handler.

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

    def _force_exit(self) -> None:
        """End the process, even if a thread is still running a node or a node has caught the exception."""
        time.sleep(GRACE_PERIOD)
        try:
            for child in multiprocessing.active_children():
                child.kill()
            self._undo()
            logging.shutdown()
            sys.stdout.flush()
        finally:
            os._exit(TERMINATED)


def ignore_signals() -> None:
    """Ignore SIGTERM and SIGINT while this process ends."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


def end_with_parent() -> None:
    """End this worker process as soon as its parent process ends, for whatever reason."""
    parent, started_by = multiprocessing.parent_process(), os.getppid()
    assert parent

    def watch() -> None:
        # Forked siblings keep the sentinel open; behind a fork server, the parent's id doesn't change.
        while os.getppid() == started_by and not wait([parent.sentinel], POLL_INTERVAL):
            pass
        os._exit(1)

    Thread(target=watch, daemon=True).start()
