"""A transport for long answers (event streams) that connects only where `egress` lets tools connect."""

from __future__ import annotations

import ssl

import httpx2

from kagent_runtime.components.egress import EgressError, judged, system_resolve
from kagent_runtime.components.tls import ssl_context
from kagent_runtime.model import RemoteTls

_PORTS = {"http": 80, "https": 443}


class JudgedTransport(httpx2.AsyncBaseTransport):
    """Resolves the host once for each request, judges every address, and connects to a judged one.

    For one origin only: a kept connection would be reused for another name at the same address, and what a server
    refers to on another port of its host is not what the spec names.
    """

    def __init__(
        self,
        url: str,
        tls: RemoteTls | ssl.SSLContext | None,
        *,
        allow_private: bool,
        loopback_port: int | None = None,
    ) -> None:
        self._origin = origin_of(httpx2.URL(url))
        self._allow_private, self._loopback_port = allow_private, loopback_port
        try:
            verify = tls if isinstance(tls, ssl.SSLContext) else ssl_context(tls)
            # Connections of a shared client are kept for as long as the server lets them.
            self._inner = httpx2.AsyncHTTPTransport(verify=verify, limits=httpx2.Limits(max_connections=200))
        except OSError as error:  # ssl.SSLError is one
            raise EgressError(f"the TLS files cannot be used: {error.strerror or error}") from None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises EgressError for a host or an address that may not be called."""
        url = request.url
        if origin_of(url) != self._origin:
            raise EgressError(f"{self._origin} refers to {origin_of(url)}, which is not called")
        host, port = _host(url), url.port or _PORTS[url.scheme]
        is_private, loopback = self._allow_private, self._loopback_port
        found = await judged(host, port, system_resolve, is_private, is_named=True, loopback_port=loopback)
        problem: httpx2.HTTPError | None = None
        for address in found:
            # The address replaces the host in the URL; the server still sees the name, in `Host` and in SNI.
            pinned = httpx2.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                problem = error
        reason = str(problem) or "no connection in time"
        raise httpx2.ConnectError(f"{host} cannot be reached on port {port}: {reason}", request=request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()


def _host(url: httpx2.URL) -> str:
    """As it goes over the wire; `url.host` would be Unicode again, which a resolver reads by older rules."""
    return url.raw_host.decode("ascii")


def origin_of(url: httpx2.URL) -> str:
    """Scheme, host as it goes over the wire, and port."""
    host = f"[{_host(url)}]" if ":" in url.host else _host(url)
    return f"{url.scheme}://{host}:{url.port or _PORTS.get(url.scheme, 0)}"
