"""Check that no credentials are recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kedro_ledger.errors import LedgerError

IN_ADDRESS = re.compile(r"""(https?|s?ftps?)://[^/\s"'<>]*@|://[^/\s:@"'<>]*:[^\s@"'<>]*@""", re.IGNORECASE)
"""Credentials in addresses. A name alone is a user in HTTP and FTP; elsewhere, it may be a container."""
CHANGED_FILE, ADDED = "+++ b/", "+"
"""Prefixes of lines in a patch."""


def require_no_credentials(catalog_config: dict[str, Any]) -> None:
    """Require that a catalog contains no credentials, since every run records it.

    Raises:
        LedgerError: If it contains credentials. The message doesn't quote them.
    """
    expected = (
        "which every run would record; expected credentials in a block of credentials.yml, which the catalog "
        "names with `credentials: NAME`"
    )
    for name, entry in catalog_config.items():
        for key, value in _list_values(entry):
            if key == "credentials" and not isinstance(value, str | None):
                raise LedgerError(f"{name}: the catalog contains its credentials, {expected}")
            if isinstance(value, str) and IN_ADDRESS.search(value):
                raise LedgerError(f"{name}: {key} contains a user name or a password, {expected}")


def _list_values(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """List the values of a catalog entry with their keys, including nested ones."""
    yield key, value
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _list_values(inner, str(name))
    elif isinstance(value, list):
        for inner in value:
            yield from _list_values(inner, key)


def require_no_credentials_in_patch(patch: str) -> None:
    """Require that a patch adds no address with credentials.

    Raises:
        LedgerError: If it adds an address with credentials. The message doesn't quote it.
    """
    file = ""
    for line in patch.split("\n"):
        if line.startswith(CHANGED_FILE):
            file = line.removeprefix(CHANGED_FILE)
        elif line.startswith(ADDED) and IN_ADDRESS.search(line):
            raise LedgerError(f"the changes in {file} contain an address with a user name or a password")
