"""A real HTTP server on this machine that serves one file, well or badly."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FileServer(ThreadingHTTPServer):
    """Serves one content to whoever asks, after a while; it may break off before the end."""

    content, status, delay, asked, left_out = b"", 200, 0.0, 0, 0
    is_endless = False
    """Whether the content comes again and again."""
    drip = ""
    """What comes a byte every tenth of a second: `headers` and all after them, or the `content`."""
    expected: str | None = None
    """The authorization that nobody is served without."""

    def __init__(self, host: str) -> None:
        super().__init__((host, 0), _Handler)
        self.host = host
        self.headers: dict[str, str] = {}
        self.authorizations: list[str | None] = []
        """What came with each request."""
        self.encodings: list[str | None] = []
        """What encodings each request accepts."""
        self.has_ended = threading.Event()

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.server_port}/train.csv"

    def redirect(self, address: str) -> None:
        """Send everybody to another address."""
        self.status, self.headers = 302, {"Location": address}

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that leave."""


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        server = self.server
        server.asked += 1
        server.authorizations.append(self.headers["Authorization"])
        server.encodings.append(self.headers["Accept-Encoding"])
        time.sleep(server.delay)
        is_let_in = server.expected in (None, self.headers["Authorization"])
        self.send_response(server.status if is_let_in else 401)
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
    """Serve a file until the end of the block."""
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
