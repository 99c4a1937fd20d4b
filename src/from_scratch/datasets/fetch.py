"""Download of raw data that may change, over HTTP, with limits on time and size."""

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

from from_scratch.datasets.raw_files import Kept, keep, temporary_path
from from_scratch.datasets.source import Source, resolve

log = logging.getLogger(__name__)

PIECE_SIZE = 1 << 16
"""Bytes per read."""
MAX_REDIRECTS = 10
MAX_WAIT = 1e6
"""Maximum wait in seconds: sockets and threads do not support much more."""


def fetch(source: Source, file: Path, require: Callable[[Path], None]) -> Kept | None:
    """Download the current content of a file, without replacing the file.

    `require` raises an error if the downloaded file is not acceptable.

    Returns:
        The new content, kept beside the file; None if it is the same as the file's.

    Raises:
        DatasetError: If the download fails, or `require` refuses it.
    """
    with temporary_path(file) as part:
        log.info("Downloading %s from %s", file.name, source.url)
        try:
            download(source, part)
            require(part)
        except DatasetError as error:
            reason = str(error).replace(str(part), source.url)
            raise DatasetError(f"{file} was not downloaded: {reason}") from error
        if file.exists() and filecmp.cmp(part, file, shallow=False):
            return None
        return keep(part, file)


def download(source: Source, file: Path) -> None:
    """Download a file.

    Raises:
        DatasetError: If the download fails, takes longer than `max_seconds`, is larger than `max_bytes`, or
            is redirected to another host, port or protocol.
    """
    outcome = Future[None]()

    def work() -> None:
        with suppress(InvalidStateError):  # the caller no longer waits
            try:
                _receive(source, file, outcome.cancelled)
                outcome.set_result(None)
            except Exception as error:
                outcome.set_exception(error)

    # A server can keep a socket busy for ever, byte by byte, so a second thread watches the clock.
    Thread(target=work, name="download", daemon=True).start()
    try:
        outcome.result(min(source.max_seconds, MAX_WAIT))
    except TimeoutError as error:
        limit = f"{source.max_seconds:g} seconds, the limit max_seconds in the catalog"
        raise _request_failed(source, f"not complete after {limit}") from error
    finally:
        outcome.cancel()


def _receive(source: Source, file: Path, is_cancelled: Callable[[], bool]) -> None:
    """Write the response to a file, up to its end or a limit."""
    size = 0
    try:
        with Session() as session, _open(session, source) as response, file.open("wb") as content:
            for piece in _decode(response, source):
                if is_cancelled():
                    return
                size += len(piece)
                if size > source.max_bytes:
                    raise DatasetError(
                        f"{source.url} is larger than {source.max_bytes:,.0f} bytes, the limit max_bytes in "
                        "the catalog"
                    )
                content.write(piece)
    except (Timeout, ReadTimeoutError) as error:
        waited = f"{source.timeout:g} seconds, the limit timeout in the catalog"
        raise _request_failed(source, f"{type(error).__name__} after {waited}") from error
    except (RequestException, HTTPError, UnicodeError) as error:
        raise _request_failed(source, type(error).__name__) from error
    except zlib.error as error:
        raise _request_failed(source, f"the gzip encoding is broken: {error}") from error


def _decode(response: Response, source: Source) -> Iterator[bytes]:
    """Yield the decoded body in small pieces, and require that gzip is complete, which urllib3 does not."""
    encoding = (response.headers.get("Content-Encoding") or "identity").lower()
    if encoding not in ("identity", "gzip"):
        raise _request_failed(source, f"encoding {encoding!r}; expected identity or gzip")
    decoder = zlib.decompressobj(zlib.MAX_WBITS + 16)  # for gzip
    while piece := response.raw.read1(PIECE_SIZE, decode_content=False):
        if encoding == "identity":
            yield piece
            continue
        while piece:
            if decoder.eof:  # a gzip file may have several members
                decoder = zlib.decompressobj(zlib.MAX_WBITS + 16)
            yield decoder.decompress(piece, PIECE_SIZE)
            piece = decoder.unconsumed_tail or decoder.unused_data
    if encoding == "gzip" and not decoder.eof:
        raise zlib.error("it is truncated")


@contextmanager
def _open(session: Session, source: Source) -> Iterator[Response]:
    """Request a file, and follow redirects without reading their bodies."""
    session.headers["Accept-Encoding"] = "identity"
    session.auth = lambda request: request  # otherwise the session would read ~/.netrc
    if credentials := source.credentials:
        session.auth = HTTPBasicAuth(credentials["username"].encode(), credentials["password"].encode())
    address, start = source.url, ""
    for _ in range(MAX_REDIRECTS + 1):
        request = session.prepare_request(Request("GET", address))
        url = str(request.url)  # its host is the one that is connected to
        start = start or url
        if session.should_strip_auth(start, url):
            raise _redirect_refused(source, repr(_origin(url)))
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
                hint = "; expected other credentials" if source.credentials else "; it may need credentials"
            raise _request_failed(source, f"status {response.status_code}{hint}")
        if not (address := resolve(location, url) or ""):
            raise _redirect_refused(
                source, "an address that has a user name, a space or a backslash, or is not HTTP"
            )
    raise _request_failed(source, f"more than {MAX_REDIRECTS} redirects")


def _request_failed(source: Source, reason: str) -> DatasetError:
    return DatasetError(f"the request to {urlsplit(source.url).hostname} failed: {reason}")


def _redirect_refused(source: Source, target: str) -> DatasetError:
    return DatasetError(
        f"{source.url} redirects to {target}; expected {_origin(source.url)}, since redirects to other "
        "servers are refused"
    )


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
