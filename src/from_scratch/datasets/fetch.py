"""Fetches raw data that may change before a run reads it: over HTTP, within limits of time and size."""

from __future__ import annotations

import filecmp
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from kedro.io.core import DatasetError

from from_scratch.datasets.raw_files import Kept, copy_at_once, keep, keep_copy, unfinished

if TYPE_CHECKING:
    from requests import PreparedRequest, Response, Session

log = logging.getLogger(__name__)

PIECE = 1 << 16
"""How many bytes are read at once."""
MAX_REDIRECTS = 10
LONGEST = 1e6
"""Seconds: sockets and threads can't wait much longer."""


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


def fetch(source: Source, file: Path, require: Callable[[Path], None]) -> Kept | None:
    """Download what a file is now.

    Args:
        source: Where it is.
        file: What it was so far; it stays as it is.
        require: Raises an error if a downloaded file is not acceptable.

    Returns:
        What it is now, kept beside the file; none if that has not changed.

    Raises:
        DatasetError: If it can't be had, or is refused.
    """
    with unfinished(file) as part:
        log.info("Downloading %s from %s", file.name, source.url)
        try:
            download(source, part)
            require(part)
        except DatasetError as error:
            said = str(error).replace(str(part), source.url)
            raise DatasetError(f"{file} was not fetched: {said}") from error
        if file.exists() and filecmp.cmp(part, file, shallow=False):
            return None
        return keep(part, file)


def finish(fetched: Kept, file: Path, committed: bool) -> None:
    """Let what was fetched take the place of the file if the run that read it is committed; else remove it.

    Args:
        fetched: What was fetched.
        file: The file.
        committed: Whether the run is.
    """
    if committed:
        earlier = keep_copy(file) if file.exists() else None
        copy_at_once(fetched.path, file)
        if earlier:
            log.info("%s has changed; what it was is kept as %s", file.name, earlier.path)
    else:
        log.info("%s stays as it was: what was downloaded is not kept", file.name)
    if fetched.is_new:
        fetched.path.unlink(missing_ok=True)
        with suppress(OSError):  # others are kept, too
            fetched.path.parent.rmdir()


def download(source: Source, file: Path) -> None:
    """Download a file.

    Args:
        source: Where it is.
        file: Where it goes.

    Raises:
        DatasetError: If it can't be had, not within `max_seconds`, or from another host, port or protocol
            only; or if it is larger than `max_bytes`.
    """
    outcome, stop = Future[None](), Event()

    def work() -> None:
        try:
            _receive(source, file, stop)
            outcome.set_result(None)
        except BaseException as error:
            outcome.set_exception(error)

    # A server can keep a socket busy for ever, byte by byte, so the clock and the socket have a thread each.
    thread = Thread(target=work, name="download", daemon=True)
    thread.start()
    try:
        thread.join(min(source.max_seconds, LONGEST))
        is_late = thread.is_alive()
    finally:
        stop.set()
    if is_late:
        raise _no_download(
            source, f"not complete after {source.max_seconds:g} seconds, the limit max_seconds in the catalog"
        )
    outcome.result()


def _receive(source: Source, file: Path, stop: Event) -> None:
    """Write what comes to a file, until the end, a limit, or `stop`."""
    from requests import RequestException, Session, Timeout
    from urllib3.exceptions import HTTPError, ReadTimeoutError

    size = 0
    try:
        with Session() as session, _open(session, source) as response, file.open("wb") as content:
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
        raise _no_download(source, f"{type(error).__name__} after {waited}") from error
    except (RequestException, HTTPError) as error:
        raise _no_download(source, type(error).__name__) from error


@contextmanager
def _open(session: Session, source: Source) -> Iterator[Response]:
    """Ask for a file, and follow redirects; none of their contents are read."""
    from requests import Request

    address = source.url
    for _ in range(MAX_REDIRECTS + 1):
        request = session.prepare_request(Request("GET", address, auth=_authorise(source.credentials)))
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
            raise _no_download(source, f"status {response.status_code}{hint}")
        address = urljoin(address, location)
        if not _is_address(address) or session.should_strip_auth(source.url, address):
            raise DatasetError(
                f"{source.url} redirects to {_origin(address)!r}; expected {_origin(source.url)}, since "
                "nothing from elsewhere is taken"
            )
    raise _no_download(source, f"more than {MAX_REDIRECTS} redirects")


def _no_download(source: Source, reason: str) -> DatasetError:
    return DatasetError(f"no download from {urlsplit(source.url).hostname}: {reason}")


def _authorise(credentials: dict[str, str] | None) -> Callable[[PreparedRequest], PreparedRequest]:
    """Make a function that adds credentials to a request; with one, requests doesn't look into ~/.netrc."""
    from requests.auth import HTTPBasicAuth

    if not credentials:
        return lambda request: request
    return HTTPBasicAuth(credentials["username"].encode(), credentials["password"].encode())


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
