"""The wire of the server: who shows which certificate, how long headers may be, and how long they may take.

Uvicorn bounds neither with httptools, so one connection could hold memory for ever, or fill it.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEADER_BYTES = 32_768
HEADER_SECONDS = 10.0
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 6585, 5
)
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"  # RFC 9110, 15.5.9


class GuardedProtocol(HttpToolsProtocol):
    """Uvicorn's, with these bounds, and with the caller's certificate in the scope (ASGI's TLS extension)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._header_bytes = 0
        self._is_in_headers = self._is_in_body = False
        self._timer: asyncio.TimerHandle | None = None
        self._certificate: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A caller is there; the first request has to follow soon."""
        super().connection_made(transport)
        self._certificate = _name(transport.get_extra_info("peercert"))
        self._start_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        """The caller is gone."""
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Feed the parser, which reads at most so much of headers."""
        if not self._is_in_headers and self._timer is None and self._is_between_requests():
            self._start_timer()  # a next request on a kept connection begins
        super().data_received(data)
        if self._is_in_headers or self._timer is not None:
            self._header_bytes += len(data)
            if self._header_bytes > MAX_HEADER_BYTES:
                self._refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        super().on_message_begin()
        self._is_in_headers = True
        if self._certificate is not None:
            self.scope["extensions"] = {"tls": {"client_cert_name": self._certificate}}

    def on_headers_complete(self) -> None:
        """The headers are read; what follows is a body, which the application bounds."""
        self._is_in_headers, self._header_bytes = False, 0
        self._is_in_body = True
        self._stop_timer()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The last byte of a request, which may come after its answer: a body that is too large is refused at once."""
        self._is_in_body = False
        super().on_message_complete()

    def _is_between_requests(self) -> bool:
        return not self._is_in_body and (self.cycle is None or self.cycle.response_complete)

    def _start_timer(self) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(HEADER_SECONDS, self._refuse, _TOO_SLOW)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _refuse(self, answer: bytes) -> None:
        self._stop_timer()
        if not self.transport.is_closing():
            self.transport.write(answer)
            self.transport.close()


def _name(certificate: dict[str, Any] | None) -> str | None:
    """Whom a verified certificate is for: its first DNS name or URI, else its common name (RFC 9525, section 2)."""
    if not certificate:
        return None
    for kind, value in certificate.get("subjectAltName", ()):
        if kind in ("DNS", "URI"):
            return str(value)
    subject = {name: value for part in certificate.get("subject", ()) for name, value in part}
    return str(subject["commonName"]) if "commonName" in subject else None
