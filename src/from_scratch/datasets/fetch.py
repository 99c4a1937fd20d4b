"""Fetches raw data that may change before a run reads it: over HTTP, within limits of time and size."""

from __future__ import annotations

import filecmp
import logging
import re
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import urljoin, urlsplit

from kedro.io.core import DatasetError
from requests import Request, RequestException, Response, Session, Timeout
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError, ReadTimeoutError

from from_scratch.datasets.raw_files import Kept, copy_at_once, keep, keep_copy, unfinished

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
    if _resolve(source.url) is None:
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


def _resolve(location: Any, base: str = "") -> str | None:
    """Return an address, if all libraries find the same host in it, and no user name or password."""
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
    size = 0
    try:
        with Session() as session, _open(session, source) as response, file.open("wb") as content:
            for piece in _decode(response, source):
                if stop.is_set():
                    return
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
    except (RequestException, HTTPError, UnicodeError) as error:
        raise _no_download(source, type(error).__name__) from error
    except zlib.error as error:
        raise _no_download(source, f"its gzip encoding is broken: {error}") from error


def _decode(response: Response, source: Source) -> Iterator[bytes]:
    """Read a body as it comes, in small pieces, to its end, which urllib3 doesn't require of gzip."""
    encoding = (response.headers.get("Content-Encoding") or "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise _no_download(source, f"encoding {encoding!r}; expected identity or gzip")
    decoder = zlib.decompressobj(zlib.MAX_WBITS + 16)  # of gzip
    while piece := response.raw.read1(PIECE, decode_content=False):
        if encoding == "identity":
            yield piece
            continue
        while piece:
            if decoder.eof:  # a gzip file may be several, one after the other
                decoder = zlib.decompressobj(zlib.MAX_WBITS + 16)
            yield decoder.decompress(piece, PIECE)
            piece = decoder.unconsumed_tail or decoder.unused_data
    if encoding == "gzip" and not decoder.eof:
        raise zlib.error("it is cut short")


@contextmanager
def _open(session: Session, source: Source) -> Iterator[Response]:
    """Ask for a file, and follow redirects; none of their contents are read."""
    address, start = source.url, ""
    for _ in range(MAX_REDIRECTS + 1):
        # The session would look into ~/.netrc if it prepared the request.
        headers = {**session.headers, "Accept-Encoding": "identity"}
        request = Request("GET", address, headers=headers).prepare()
        url = str(request.url)  # whose host is connected to, whatever the address looked like
        start = start or url
        if session.should_strip_auth(start, url):
            raise _no_redirect(source, repr(_origin(url)))
        if credentials := source.credentials:
            name, password = credentials["username"].encode(), credentials["password"].encode()
            request.prepare_auth(HTTPBasicAuth(name, password))
        settings = session.merge_environment_settings(url, {}, True, None, None)  # such as proxies
        timeout = min(source.timeout, source.max_seconds, LONGEST)
        response = session.get_adapter(url).send(request, timeout=timeout, **settings)
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
        target = _resolve(location, url)
        if target is None:
            raise _no_redirect(source, "an address with a user name, a space or a backslash, or not of HTTP")
        address = target
    raise _no_download(source, f"more than {MAX_REDIRECTS} redirects")


def _no_download(source: Source, reason: str) -> DatasetError:
    return DatasetError(f"no download from {urlsplit(source.url).hostname}: {reason}")


def _no_redirect(source: Source, target: str) -> DatasetError:
    return DatasetError(
        f"{source.url} redirects to {target}; expected {_origin(source.url)}, since nothing from elsewhere "
        "is taken"
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
