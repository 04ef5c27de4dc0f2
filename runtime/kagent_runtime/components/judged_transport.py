"""A transport for long answers (event streams) that connects only where `egress` lets tools connect."""

from __future__ import annotations

import httpx2

from kagent_runtime.components.egress import EgressError, judged, system_resolve
from kagent_runtime.components.tls import ssl_context
from kagent_runtime.model import RemoteTls

_PORTS = {"http": 80, "https": 443}


class JudgedTransport(httpx2.AsyncBaseTransport):
    """Resolves the host once for each request, judges every address, and connects to a judged one.

    For one host only: a kept connection would be reused for another name at the same address.
    """

    def __init__(self, url: str, tls: RemoteTls | None, *, allow_private: bool) -> None:
        self._host, self._allow_private = httpx2.URL(url).host, allow_private
        try:
            # Connections of a shared client are kept for as long as the server lets them.
            self._inner = httpx2.AsyncHTTPTransport(verify=ssl_context(tls), limits=httpx2.Limits(max_connections=200))
        except OSError as error:  # ssl.SSLError is one
            raise EgressError(f"the TLS files cannot be used: {error.strerror or error}") from None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send the request. Raises EgressError for a host or an address that may not be called."""
        url = request.url
        if url.host != self._host:
            raise EgressError(f"{self._host} refers to {url.host}, which is not called")
        port = url.port or _PORTS[url.scheme]
        found = await judged(url.host, port, system_resolve, self._allow_private, is_named=True)
        problem: httpx2.HTTPError | None = None
        for address in found:
            # The address replaces the host in the URL; the server still sees the name, in `Host` and in SNI.
            pinned = httpx2.Request(
                request.method,
                url.copy_with(host=address),
                headers=request.headers,
                stream=request.stream,
                extensions=request.extensions | {"sni_hostname": url.host},
            )
            try:
                return await self._inner.handle_async_request(pinned)
            except (httpx2.ConnectError, httpx2.ConnectTimeout) as error:
                problem = error
        reason = str(problem) or "no connection in time"
        raise httpx2.ConnectError(f"{url.host} cannot be reached on port {port}: {reason}", request=request)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._inner.aclose()
