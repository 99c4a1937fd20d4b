"""The address that raw data is downloaded from, and its checks."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

from kedro.io.core import DatasetError


@dataclass(frozen=True)
class Source:
    """An address and the limits of a download, as described in `RawCSVDataset`."""

    url: str
    credentials: dict[str, str] | None = field(default=None, repr=False)
    timeout: float = 5
    max_seconds: float = 60
    max_bytes: float = 100_000_000


def require_source(source: Source) -> None:
    """Require a valid source, whose address contains no credentials.

    Raises:
        DatasetError: If the source is not valid. The message contains no credentials.
    """
    if resolve(source.url) is None:
        if re.search("@|%40|//[^/]*%", str(source.url)):
            raise DatasetError(
                "url contains a user name or a password, which every run would record; expected username and "
                "password in a block of credentials.yml, which the catalog names with `credentials: NAME`"
            )
        raise DatasetError(
            f"url is {source.url!r}; expected an address that begins with http:// or https://, without "
            "spaces or backslashes"
        )
    for name in ("timeout", "max_seconds", "max_bytes"):
        value = getattr(source, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
            raise DatasetError(f"{name} is {value!r}; expected a number above 0")
    if (credentials := source.credentials) is not None:
        names = sorted(map(str, credentials)) if isinstance(credentials, dict) else []
        if names != ["password", "username"]:
            found = ", ".join(names) or "no names"
            raise DatasetError(f"credentials has {found}; expected username and password")
        if not all(isinstance(value, str) for value in credentials.values()):
            raise DatasetError(
                "credentials has a value that is not text; expected text. In YAML, put numbers in quotes"
            )


def resolve(location: Any, base: str = "") -> str | None:
    """Return the absolute address; None if libraries may disagree about its host, or it has credentials."""
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
