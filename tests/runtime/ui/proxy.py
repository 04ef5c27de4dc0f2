"""A reverse proxy under a path prefix, as an Ingress is one; it can drop every connection, as networks do."""

from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import urlsplit

_HOP_BY_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


class _Handler(BaseHTTPRequestHandler):
    server: Proxy

    def do_GET(self) -> None:
        """Forward, and pass on what comes as it comes."""
        if self.server.is_cut:
            self.send_error(502)
            return
        length = int(self.headers.get("content-length", 0))
        upstream = HTTPConnection(self.server.upstream, timeout=60)
        path = self.path.removeprefix(self.server.prefix)
        upstream.request(self.command, path, self.rfile.read(length), dict(self.headers))
        self.server.open_sockets.add(self.connection)
        try:
            self._answer(upstream)
        except OSError:
            pass  # either side has gone
        finally:
            self.server.open_sockets.discard(self.connection)
            upstream.close()

    do_POST = do_PATCH = do_DELETE = do_GET

    def _answer(self, upstream: HTTPConnection) -> None:
        with upstream.getresponse() as answer:
            self.send_response_only(answer.status)
            for name, value in answer.getheaders():
                if name not in _HOP_BY_HOP:
                    self.send_header(name, value)
            self.end_headers()
            while chunk := answer.read1():
                self.wfile.write(chunk)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: the test's output is for the test."""


class Proxy(ThreadingHTTPServer):
    """Forwards `<its address><prefix>/…` to the upstream's `/…`."""

    daemon_threads = True

    def __init__(self, upstream: str, prefix: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.upstream, self.prefix = urlsplit(upstream).netloc, prefix
        self.is_cut = False
        self.open_sockets: set[socket.socket] = set()

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self.serve_forever)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.cut()
        self.shutdown()
        self._thread.join()
        self.server_close()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self.server_port}{self.prefix}/"

    def cut(self) -> None:
        """Drop every connection, and refuse new ones until `mend`."""
        self.is_cut = True
        for connection in list(self.open_sockets):
            connection.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Forward again."""
        self.is_cut = False
