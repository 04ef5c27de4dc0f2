"""TLS for the server: a certificate that may change under us, callers that may have to show one, a port for probes."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from kagent_runtime.auth.middleware import MANAGEMENT
from kagent_runtime.settings import Settings

MANAGEMENT_PATHS = ("/healthz", "/readyz", "/metrics")
RELOAD_SECONDS = 5.0  # the kubelet itself takes up to a minute to bring a renewed Secret
_log = logging.getLogger("kagent_runtime.transport")


class TlsError(Exception):
    """The certificate cannot be used. The text is one line."""


def tls_options(settings: Settings) -> dict[str, Any]:
    """Uvicorn's options for TLS; none when no folder is set. Raises TlsError for files that do not fit."""
    if settings.tls_folder is None:
        return {}
    files = _Files(Path(settings.tls_folder))
    files.check()
    options: dict[str, Any] = {"ssl_certfile": str(files.certificate), "ssl_keyfile": str(files.key)}
    if settings.tls_clients == "required":
        options |= {"ssl_ca_certs": str(files.authority), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    return options


class _Files:
    def __init__(self, folder: Path) -> None:
        self.certificate, self.key, self.authority = folder / "tls.crt", folder / "tls.key", folder / "ca.crt"

    def check(self) -> None:
        try:
            self.load_into(ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER))
        except OSError as error:  # ssl.SSLError is one
            raise TlsError(f"{self.certificate.parent}: {error.strerror or error}") from error

    def load_into(self, context: ssl.SSLContext) -> None:
        context.load_cert_chain(self.certificate, self.key)

    def stamp(self) -> tuple[int, int]:
        """Changes when the kubelet has swapped the files."""
        found = self.certificate.stat()
        return (found.st_ino, found.st_mtime_ns)


@asynccontextmanager
async def fresh_certificate(settings: Settings, config: uvicorn.Config) -> AsyncIterator[None]:
    """Take over a renewed certificate for new connections, without a restart."""
    if settings.tls_folder is None:
        yield
        return
    context = config.ssl
    assert context is not None, "the options were given"
    task = asyncio.create_task(_reload(_Files(Path(settings.tls_folder)), context), name="certificate")
    try:
        yield
    finally:
        task.cancel()


async def _reload(files: _Files, context: ssl.SSLContext) -> None:
    stamp = files.stamp()
    while True:
        await asyncio.sleep(RELOAD_SECONDS)
        try:
            if files.stamp() == stamp:
                continue
            files.check()  # both files, before the one in use is touched: a swap may be half done
            files.load_into(context)
            stamp = files.stamp()
            _log.info("took over a renewed certificate")
        except (OSError, TlsError) as error:
            _log.warning("the renewed certificate cannot be used: %s", error)


class _ManagementServer(uvicorn.Server):
    """A second server in the same process: signals are the first one's."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None."""
        yield


@asynccontextmanager
async def management_port(settings: Settings, app: ASGIApp) -> AsyncIterator[None]:
    """Health and metrics on a plain port of their own: a kubelet has no client certificate, a Prometheus no token."""
    if settings.tls_folder is None and settings.auth.mode in (None, "none"):
        yield
        return
    options: dict[str, Any] = {"log_config": None, "access_log": False, "server_header": False, "lifespan": "off"}
    config = uvicorn.Config(_only_management(app), host=settings.host, port=settings.management_port, **options)
    server = _ManagementServer(config)
    task = asyncio.create_task(server.serve(), name="management")
    try:
        yield
    finally:
        server.should_exit = True
        await task


def _only_management(app: ASGIApp) -> ASGIApp:
    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] not in MANAGEMENT_PATHS:
            await send({"type": "http.response.start", "status": 404, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await app({**scope, MANAGEMENT: True}, receive, send)

    return serve
