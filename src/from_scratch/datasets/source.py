"""Where raw data is downloaded from."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from kedro.io.core import DatasetError


@dataclass(frozen=True)
class Source:
    """Where a file is downloaded from, and the limits of the download, as `RawCSVDataset` describes them."""

    url: str
    credentials: dict[str, str] | None = field(default=None, repr=False)
    timeout: float = 5
    max_seconds: float = 60
    max_bytes: float = 100_000_000


def require_source(source: Source) -> None:
    """Require a source that can be used, and an address without credentials.

    Raises:
        DatasetError: If it is not. The message quotes no credentials.
    """
    if resolve(source.url) is None:
        if re.search("@|%40|//[^/]*%", str(source.url)):
            raise DatasetError(
                "url has a user name or a password, and every run records the catalog; expected them in "
                "credentials.yml, as username and password of a block that the catalog names: "
                "`credentials: NAME`"
            )
        raise DatasetError(
            f"url is {source.url!r}; expected an address that begins with http:// or https://, without "
            "spaces and backslashes"
        )
    for name in ("timeout", "max_seconds", "max_bytes"):
        value = getattr(source, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise DatasetError(f"{name} is {value!r}; expected a number above 0")
    if (credentials := source.credentials) is not None:
        names = sorted(map(str, credentials)) if isinstance(credentials, dict) else []
        if names != ["password", "username"]:
            found = ", ".join(names) or "no block"
            raise DatasetError(f"credentials: found {found}; expected a username and a password")
        if not all(isinstance(value, str) for value in credentials.values()):
            raise DatasetError("credentials: expected text; in YAML, numbers stand in quotes")


def resolve(location: Any, base: str = "") -> str | None:
    """Return an address, if all libraries find the same host in it, and neither user name nor password."""
    text = str(location)
    with suppress(ValueError):  # a port that is not a number, or half a bracket
        address = urljoin(base, text)
        parts = urlsplit(address)
        if (
            text.isprintable()
            and not {" ", "\\"} & set(text)
            and parts.scheme in ("http", "https")
            and parts.hostname
            and parts.port != 0
            and "%" not in parts.netloc
            and "@" not in address.partition("://")[2].partition("/")[0]
        ):
            return address
    return None
