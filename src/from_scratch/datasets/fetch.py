"""Downloads over HTTP, within limits of time and size."""

from __future__ import annotations

import filecmp
import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from kedro.io.core import DatasetError

from from_scratch.datasets.raw_files import Kept, hash_text, keep, unfinished

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

log = logging.getLogger(__name__)

PIECE = 1 << 16
"""How many bytes are read at once."""
MAX_REDIRECTS = 10
LONGEST = 1e6
"""Seconds: sockets and threads can't wait much longer."""


class NotFetched(Exception):
    """There is no download: no network, no answer in time, or an answer that is an error."""


@dataclass(frozen=True)
class Source:
    """Where a file is downloaded from, and the limits of the download."""

    url: str
    credentials: dict[str, str] | None = field(default=None, repr=False)
    """A `username` and a `password`."""
    timeout: float = 5
    """Seconds to wait for the server whenever it is silent."""
    max_seconds: float = 60
    """Seconds for the whole download."""
    max_bytes: float = 100_000_000
    """The size of the file, decompressed."""


def require_source(source: Source) -> None:
    """Require a source that can be used, and an address without credentials.

    Args:
        source: The source.

    Raises:
        DatasetError: If it is not. The message quotes no credentials.
    """
    url = source.url
    is_address = _is_address(url)
    if "@" in (url.partition("://")[2].partition("/")[0] if is_address else str(url)):
        raise DatasetError(
            "url has a user name or a password, and every run records the catalog; expected them in "
            "credentials.yml, as username and password of a block that the catalog names: `credentials: NAME`"
        )
    if not is_address:
        raise DatasetError(f"url is {url!r}; expected an address that begins with http:// or https://")
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


def _is_address(url: Any) -> bool:
    with suppress(ValueError):  # of a port that is no number, or half a bracket
        parts = urlsplit(str(url))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    return False


def fetch_pinned(source: Source, file: Path, sha256: str) -> None:
    """Download a file whose content is known.

    Args:
        source: Where it is.
        file: Where it goes. If it is there in the meantime, nothing is downloaded.
        sha256: Its hash with line ends written as a line feed alone.

    Raises:
        NotFetched: If it can't be had.
        DatasetError: If it is refused, or has another hash; then there is no file.
    """
    with unfinished(file) as part:
        if file.exists():
            return
        log.info("Downloading %s from %s", file.name, source.url)
        download(source, part, is_checked=True)
        found = hash_text(part)
        if found != sha256:
            raise DatasetError(f"{source.url} has sha256 {found}, expected {sha256}; it was not kept")
        os.replace(part, file)


def fetch_again(source: Source, file: Path, require: Callable[[Path], None]) -> Kept | None:
    """Download a file whose content may change.

    Args:
        source: Where it is.
        file: What it was so far; it stays as it is.
        require: Raises an error if a downloaded file is not acceptable.

    Returns:
        What it is now, kept beside the file; none if that has not changed.

    Raises:
        NotFetched: If it can't be had.
        DatasetError: If it is refused.
    """
    with unfinished(file) as part:
        log.info("Downloading %s from %s", file.name, source.url)
        download(source, part, is_checked=False)
        require(part)
        if file.exists() and filecmp.cmp(part, file, shallow=False):
            return None
        return keep(part, file)


def download(source: Source, file: Path, is_checked: bool) -> None:
    """Download a file.

    Args:
        source: Where it is.
        file: Where it goes.
        is_checked: Whether the content is held against a hash afterwards. If not, a redirect to another host,
            port or protocol is refused.

    Raises:
        NotFetched: If it can't be had, or not within `max_seconds`.
        DatasetError: If it is larger than `max_bytes`, or a redirect is refused.
    """
    host, outcome, stop = urlsplit(source.url).hostname, Future[None](), Event()

    def work() -> None:
        try:
            _receive(source, file, is_checked, stop)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)

    # A server can keep a socket busy for ever, byte by byte, so the clock and the socket have a thread each.
    thread = Thread(target=work, name=f"download from {host}", daemon=True)
    thread.start()
    try:
        thread.join(min(source.max_seconds, LONGEST))
        is_late = thread.is_alive()
    finally:
        stop.set()
    if is_late:
        raise NotFetched(
            f"no download from {host}: it isn't complete after {source.max_seconds:g} seconds, "
            "the limit max_seconds in the catalog"
        )
    try:
        outcome.result()
    except NotFetched as error:
        raise NotFetched(f"no download from {host}: {error}") from error.__cause__


def _receive(source: Source, file: Path, is_checked: bool, stop: Event) -> None:
    """Write what comes to a file, until the end, a limit, or `stop`."""
    from requests import RequestException, Session, Timeout
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    size = 0
    try:
        with Session() as session, _open(session, source, is_checked) as response, file.open("wb") as content:
            while not stop.is_set() and (piece := response.raw.read1(PIECE, decode_content=True)):
                size += len(piece)
                if size > source.max_bytes:
                    raise DatasetError(
                        f"{source.url} has more than {source.max_bytes:,.0f} bytes, the limit max_bytes in "
                        "the catalog; it was not kept"
                    )
                content.write(piece)
    except (Timeout, ReadTimeoutError) as error:
        waited = f"{source.timeout:g} seconds, the limit timeout in the catalog"
        raise NotFetched(f"{type(error).__name__} after {waited}") from error
    except (RequestException, HTTPError) as error:
        raise NotFetched(type(error).__name__) from error


@contextmanager
def _open(session: Session, source: Source, is_checked: bool) -> Iterator[Response]:
    """Ask for a file, and follow redirects; none of their contents are read."""
    from requests import Request

    address = source.url
    for _ in range(MAX_REDIRECTS + 1):
        is_elsewhere = session.should_strip_auth(source.url, address)
        credentials = None if is_elsewhere else source.credentials
        request = session.prepare_request(Request("GET", address, auth=_authorise(credentials)))
        settings = session.merge_environment_settings(address, {}, True, None, None)  # such as proxies
        timeout = min(source.timeout, source.max_seconds, LONGEST)
        response = session.get_adapter(address).send(request, timeout=timeout, **settings)
        with response:
            location = session.get_redirect_target(response)
            if location is None and response.status_code == 200:
                yield response
                return
        if location is None:
            hint = ""
            if response.status_code in (401, 403):
                hint = ": expected other credentials" if source.credentials else ": it may need credentials"
            raise NotFetched(f"status {response.status_code}{hint}")
        address = urljoin(address, location)
        if not _is_address(address):
            raise DatasetError(
                f"{source.url} redirects to {address[:200]!r}; expected an address that begins with http:// "
                "or https://"
            )
        if not is_checked and session.should_strip_auth(source.url, address):
            raise DatasetError(
                f"{source.url} redirects to {_origin(address)!r}; expected {_origin(source.url)}, since "
                "without a sha256 to check it against, nothing from elsewhere is taken"
            )
    raise NotFetched(f"more than {MAX_REDIRECTS} redirects")


def _authorise(credentials: dict[str, str] | None) -> Callable[[PreparedRequest], PreparedRequest]:
    """Make a function that adds credentials to a request; with one, requests doesn't look into ~/.netrc."""
    from requests.auth import HTTPBasicAuth

    if not credentials:
        return lambda request: request
    return HTTPBasicAuth(credentials["username"].encode(), credentials["password"].encode())


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
