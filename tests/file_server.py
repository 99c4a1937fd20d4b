"""A real HTTP server on this machine that serves one file."""

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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/train.csv"


class _Handler(BaseHTTPRequestHandler):
    server: FileServer

    def do_GET(self) -> None:
        self.server.asked += 1
        time.sleep(self.server.delay)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.content)))
        self.end_headers()
        self.wfile.write(self.server.content[: len(self.server.content) - self.server.left_out])

    def log_message(self, format: str, *args: Any) -> None:
        pass


@contextmanager
def serving(content: bytes) -> Iterator[FileServer]:
    """Serve a file until the end of the block."""
    with FileServer(("127.0.0.1", 0), _Handler) as server:
        server.content = content
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
