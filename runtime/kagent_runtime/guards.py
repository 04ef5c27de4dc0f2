"""What every request passes: size, origin and host checks on the way in, security headers on the way out."""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kagent_runtime.problems import problem, response

MAX_BODY_BYTES = 1 << 20
BODY_SECONDS = 20.0  # for the whole of it: a byte now and then would hold a connection for ever
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
_CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
_HEADERS = {
    "content-security-policy": _CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


class Guards:
    """ASGI middleware. `is_loopback` also refuses other Host names, against DNS rebinding."""

    def __init__(self, app: ASGIApp, *, is_loopback: bool) -> None:
        self._app, self._is_loopback = app, is_loopback

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["method"], Headers(scope=scope))
        if refusal:
            await response(*refusal)(scope, receive, _with_headers(send))
        else:
            await self._app(scope, _limited(receive), _with_headers(send))

    def _refusal(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = urlsplit(f"//{headers.get('host', '')}").hostname or ""
        if self._is_loopback and host not in _LOOPBACK:
            return 421, "this server answers on the loopback address only"
        if method in ("GET", "HEAD", "OPTIONS"):
            return None
        origin = headers.get("origin")
        if origin and urlsplit(origin).netloc != headers.get("host"):
            return 403, "requests from other origins are refused"
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MAX_BODY_BYTES:
            return 413, "the body is larger than 1 MiB"
        has_body = int(length) or "transfer-encoding" in headers
        if has_body and not _needs_preflight(headers):
            return 415, "send application/json"
        return None


def _needs_preflight(headers: Headers) -> bool:
    """Whether a browser would ask first before it sends this from another origin: JSON, or a CloudEvent's headers."""
    media_type = headers.get("content-type", "").split(";")[0].strip()
    return media_type in ("application/json", "application/cloudevents+json") or "ce-specversion" in headers


def _limited(receive: Receive) -> Receive:
    """The body within its bounds. Raises an error that is answered as every other one."""
    seen, is_whole, deadline = 0, False, asyncio.get_running_loop().time() + BODY_SECONDS

    async def limited() -> Message:
        nonlocal seen, is_whole
        if is_whole:  # what comes now is the end of the connection, whenever that is
            return await receive()
        try:
            async with asyncio.timeout_at(deadline):
                message = await receive()
        except TimeoutError:
            raise problem(408, "the body did not come in time", {"Connection": "close"}) from None
        seen += len(message.get("body", b""))
        is_whole = not message.get("more_body", False)
        if seen > MAX_BODY_BYTES:  # a chunked body has no length to check before
            raise problem(413, "the body is larger than 1 MiB", {"Connection": "close"})
        return message

    return limited


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return guarded
