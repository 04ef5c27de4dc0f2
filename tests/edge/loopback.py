"""Serve an ASGI application on 127.0.0.1 from a thread of the test."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn


class LoopbackServer:
    """An ASGI application on a free loopback port, as a context manager.

    `tls` is (certificate, key); with `client_ca` a caller has to show a certificate of that CA.
    """

    def __init__(
        self, app: Any, *, port: int = 0, tls: tuple[Path, Path] | None = None, client_ca: Path | None = None
    ) -> None:
        self._app = app
        self._wanted_port = port
        self._tls, self._client_ca = tls, client_ca
        self.port = 0
        self.websockets: Any = "none"  # an asyncio.Protocol that takes over, where a server has them

    @property
    def origin(self) -> str:
        """The server's address without a path."""
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Bind, start serving in a thread and return when connections are accepted."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self._wanted_port))
        self.port = listener.getsockname()[1]
        # log_level: a cut connection is what some tests ask for, not an error of the server.
        config = uvicorn.Config(self._app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
        config.ws = self.websockets
        if self._tls:
            config.ssl_certfile, config.ssl_keyfile = self._tls
        if self._client_ca:
            config.ssl_ca_certs, config.ssl_cert_reqs = str(self._client_ca), ssl.CERT_REQUIRED
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), daemon=True)
        self._thread.start()
        _wait_started(self._server)

    def stop(self) -> None:
        """Stop serving and drop the connections still open."""
        self._server.should_exit = True
        self._server.force_exit = True
        self._thread.join(timeout=5)

    def join(self) -> None:
        """Serve until the process is interrupted."""
        while self._thread.is_alive():
            self._thread.join(timeout=1)


def _wait_started(server: uvicorn.Server, timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not server.started:
        if time.monotonic() > deadline:
            raise TimeoutError("the loopback server did not start")
        time.sleep(0.005)
