"""The ledger's errors: one line each, and an exit code where a scheduler should tell them apart."""

from __future__ import annotations

from click import ClickException


class LedgerError(ClickException):
    """Something is wrong with runs or artefacts. `kedro` prints the message and ends with `exit_code`."""

    exit_code = 1


class BusyError(LedgerError):
    """Another run is writing: come again (the code is EX_TEMPFAIL of sysexits.h)."""

    exit_code = 75


class IrreproducibleError(LedgerError):
    """A committed run has the recipe of an earlier one, but not its artefacts."""

    exit_code = 76
