"""Downloads raw data that may change, over HTTP, within limits of time and size."""

from __future__ import annotations

import filecmp
import logging
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future, InvalidStateError
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from kedro.io.core import DatasetError
from requests import Request, RequestException, Response, Session, Timeout
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import HTTPError, ReadTimeoutError

from from_scratch.datasets.raw_files import Kept, keep, unfinished
from from_scratch.datasets.source import Source, resolve

log = logging.getLogger(__name__)

PIECE_SIZE = 1 << 16
"""Bytes that are read at once."""
MAX_REDIRECTS = 10
MAX_WAIT = 1e6
"""Seconds: sockets and threads can't wait much longer."""


def fetch(source: Source, file: Path, require: Callable[[Path], None]) -> Kept | None:
    """Download what a file is now.

    The file stays what it was so far. `require` raises an error if what was downloaded is not acceptable.

    Returns:
        What it is now, kept beside the file; None if that has not changed.

    Raises:
        DatasetError: If it can't be downloaded, or is refused.
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


def download(source: Source, file: Path) -> None:
    """Download a file.

    Raises:
        DatasetError: If it can't be had, not within `max_seconds`, or only from another host, port or
            protocol; or if it is larger than `max_bytes`.
    """
    outcome = Future[None]()

    def work() -> None:
        with suppress(InvalidStateError):  # nobody waits any more
            try:
                _receive(source, file, outcome.cancelled)
                outcome.set_result(None)
            except Exception as error:
                outcome.set_exception(error)

    # A server can keep a socket busy for ever, byte by byte, so the clock and the socket have a thread each.
    Thread(target=work, name="download", daemon=True).start()
    try:
        outcome.result(min(source.max_seconds, MAX_WAIT))
    except TimeoutError as error:
        limit = f"{source.max_seconds:g} seconds, the limit max_seconds in the catalog"
        raise _no_download(source, f"not complete after {limit}") from error
    finally:
        outcome.cancel()


def _receive(source: Source, file: Path, is_cancelled: Callable[[], bool]) -> None:
    """Write what comes to a file, until the end or a limit."""
    size = 0
    try:
        with Session() as session, _open(session, source) as response, file.open("wb") as content:
            for piece in _decode(response, source):
                if is_cancelled():
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
    while piece := response.raw.read1(PIECE_SIZE, decode_content=False):
        if encoding == "identity":
            yield piece
            continue
        while piece:
            if decoder.eof:  # a gzip file may be several, one after the other
                decoder = zlib.decompressobj(zlib.MAX_WBITS + 16)
            yield decoder.decompress(piece, PIECE_SIZE)
            piece = decoder.unconsumed_tail or decoder.unused_data
    if encoding == "gzip" and not decoder.eof:
        raise zlib.error("it is cut short")


@contextmanager
def _open(session: Session, source: Source) -> Iterator[Response]:
    """Ask for a file, and follow redirects; none of their contents are read."""
    session.headers["Accept-Encoding"] = "identity"
    session.auth = lambda request: request  # without any, the session would look into ~/.netrc
    if credentials := source.credentials:
        session.auth = HTTPBasicAuth(credentials["username"].encode(), credentials["password"].encode())
    address, start = source.url, ""
    for _ in range(MAX_REDIRECTS + 1):
        request = session.prepare_request(Request("GET", address))
        url = str(request.url)  # whose host is connected to, whatever the address looked like
        start = start or url
        if session.should_strip_auth(start, url):
            raise _no_redirect(source, repr(_origin(url)))
        settings = session.merge_environment_settings(url, {}, True, None, None)  # such as proxies
        timeout = min(source.timeout, source.max_seconds, MAX_WAIT)
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
        if not (address := resolve(location, url) or ""):
            raise _no_redirect(source, "an address with a user name, a space or a backslash, or not of HTTP")
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
