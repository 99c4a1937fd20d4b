"""Credentials, which no record may hold."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kedro_ledger.errors import LedgerError

IN_ADDRESS = re.compile(r"""(https?|s?ftps?)://[^/\s"'<>]*@|://[^/\s:@"'<>]*:[^\s@"'<>]*@""", re.IGNORECASE)
"""Credentials in addresses. A name alone is a user's in HTTP and FTP; elsewhere, it may be a container's."""
CHANGED_FILE, ADDED = "+++ b/", "+"
"""What lines of a patch begin with."""


def require_no_credentials(catalog_config: dict[str, Any]) -> None:
    """Require a catalog that names credentials, and holds none: every run records it.

    Raises:
        LedgerError: If it holds some. The message doesn't quote them.
    """
    expected = (
        "and every run records the catalog; expected them in a block of credentials.yml that the catalog "
        "names: `credentials: NAME`"
    )
    for name, entry in catalog_config.items():
        for key, value in _list_values(entry):
            if key == "credentials" and not isinstance(value, str | None):
                raise LedgerError(f"{name}: the catalog holds its credentials, {expected}")
            if isinstance(value, str) and IN_ADDRESS.search(value):
                raise LedgerError(f"{name}: {key} has a user name or a password, {expected}")


def _list_values(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """List an entry's values with their keys, and those inside them."""
    yield key, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _list_values(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _list_values(inner, key)


def require_no_credentials_in_patch(patch: str) -> None:
    """Require a patch that adds no address with credentials.

    Raises:
        LedgerError: If it adds one. The message doesn't quote it.
    """
    file = ""
    for line in patch.split("\n"):
        if line.startswith(CHANGED_FILE):
            file = line.removeprefix(CHANGED_FILE)
        elif line.startswith(ADDED) and IN_ADDRESS.search(line):
            raise LedgerError(f"what changed in {file} has an address with a user name or a password")
