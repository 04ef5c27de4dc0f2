"""The process: start in order, serve, and end without losing an acknowledged message."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from kagent_runtime.protocol import GuardedProtocol
from kagent_runtime.settings import Settings
from kagent_runtime.transport import fresh_certificate, management_port, tls_options
from kagent_runtime.work import install as work

_log = logging.getLogger("kagent_runtime.server")


class Server(uvicorn.Server):
    """Uvicorn with our order of ending: not ready, no new messages, drain, close streams, stop."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, settings: Settings) -> None:
        super().__init__(config)
        self._app, self._settings = app, settings
        self._draining: asyncio.Task[None] | None = None

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """First signal: drain. Second: stop at once. Not passed on, so that the process exits with 0."""
        if self._draining is not None:
            self.should_exit = self.force_exit = True
            return
        self._draining = asyncio.get_running_loop().create_task(self._drain(), name="drain")

    async def _drain(self) -> None:
        _log.info("draining")
        await work.stop_claiming(self._app)
        await self._app.state.sessions.drain(self._settings.drain_seconds)
        await work.leave(self._app)
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Say where we serve, once we do."""
        await super().startup(sockets)
        if self.started and sockets:
            host, port = sockets[0].getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            name = self._app.state.loaded.config.metadata.name
            scheme = "https" if self.config.is_ssl else "http"
            print(f"kagent-runtime: serving {name} on {scheme}://{shown}:{port}", flush=True)  # noqa: T201


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises OSError when the address is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


async def serve(app: FastAPI, settings: Settings, listener: socket.socket) -> int:
    """Serve until a signal; the exit code. Raises StoreError for the database, TlsError for the certificate."""
    # Before uvicorn starts, which would print a traceback for an error in the lifespan.
    await app.state.store.open()
    options: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False, "http": GuardedProtocol}
    options |= tls_options(settings)
    config = uvicorn.Config(app, timeout_graceful_shutdown=5, timeout_keep_alive=75, **options)
    config.load()
    server = Server(config, app, settings)
    async with management_port(settings, app), fresh_certificate(settings, config):
        await server.serve(sockets=[listener])
    return 0 if server.started else 1


def fail(message: str, code: int) -> int:
    """One clear line, and the exit code."""
    print(f"kagent-runtime: {message}", file=sys.stderr)  # noqa: T201
    return code
