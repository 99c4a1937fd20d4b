"""A real HTTP server on this machine that serves one file, correctly or with faults."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FileServer(ThreadingHTTPServer):
    """A server with the same content for all requests, which can be delayed or incomplete."""

    content, status, delay, asked, left_out = b"", 200, 0.0, 0, 0
    is_endless = False
    """Whether the content is repeated without end."""
    drip = ""
    """What is sent at ten bytes a second: `headers` and everything after them, or the `content`."""
    expected: str | None = None
    """Authorization that requests need."""

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.host = host
        self.headers: dict[str, str] = {}
        self.authorizations: list[str | None] = []
        """Authorization of each request."""
        self.encodings: list[str | None] = []
        """Encodings that each request accepts."""
        self.has_ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_port}/train.csv"

    def redirect(self, address: str) -> None:
        """Redirect all requests to another address."""
        self.status, self.headers = 302, {"Location": address}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing when a client disconnects."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        server.asked += 1
        server.authorizations.append(self.headers["Authorization"])
        server.encodings.append(self.headers["Accept-Encoding"])
        time.sleep(server.delay)
        is_authorized = server.expected in (None, self.headers["Authorization"])
        self.send_response(server.status if is_authorized else 401)
        if not server.is_endless and "Transfer-Encoding" not in server.headers:
            self.send_header("Content-Length", str(len(server.content)))
        for name, value in server.headers.items():
            self.send_header(name, value)
        if server.drip == "headers":
            self._drip(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 10_000)
        self.end_headers()
        if server.drip:
            self._drip(server.content)
            return
        self.wfile.write(server.content[: len(server.content) - server.left_out])
        while server.is_endless and not server.has_ended.is_set():
            self.wfile.write(server.content)

    def _drip(self, content: bytes) -> None:
        for byte in content:
            if self.server.has_ended.wait(0.1):
                return
            self.wfile.write(bytes([byte]))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(content: bytes, host: str = "127.0.0.1") -> Iterator[FileServer]:
    """Serve a file until the context ends."""
    with FileServer(host) as server:
        server.content = content
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            server.has_ended.set()
            server.shutdown()
            thread.join()
