"""The ledger's errors: one line each, and an exit code where a scheduler should tell them apart."""

from __future__ import annotations

import logging
from typing import IO, Any

from click import ClickException

from from_scratch.runs.printable import printable

log = logging.getLogger(__name__)


class LedgerError(ClickException):
    """Something is wrong with runs or artefacts. `kedro` logs the message and ends with `exit_code`."""

    exit_code = 1

    def __init__(self, *lines: str) -> None:
        """Says what is wrong.

        Args:
            *lines: A line each; what a name in it has of line breaks is none.
        """
        super().__init__("\n".join(map(printable, lines)))

    def show(self, file: IO[Any] | None = None) -> None:
        """Log each line of the message: a scheduled run is read in its log.

        Args:
            file: Ignored.
        """
        for line in self.format_message().split("\n"):
            log.error("Error: %s", line)


class BusyError(LedgerError):
    """Another run is writing: come again (the code is EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class DriftError(LedgerError):
    """A run moved further from the last one than its limits allow."""

    exit_code = 77


class IrreproducibleError(LedgerError):
    """A committed run has the recipe of an earlier one, but not its artefacts."""

    exit_code = 76
