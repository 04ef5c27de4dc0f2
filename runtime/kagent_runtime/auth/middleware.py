"""Nothing passes without a caller that is known, but the page itself, its files, and the probes."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Protocol

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from kagent_runtime.auth.identity import ANONYMOUS, CALLER, Identity, RefusedError, unknown
from kagent_runtime.auth.settings import AuthSettings, Mode
from kagent_runtime.auth.tokens import TokenFile
from kagent_runtime.problems import response

# Set by the management port, which is a door of its own.
MANAGEMENT = "kagent.management"
# The agent card says how to authenticate, so that a client can read it before (A2A 1.0, "Agent discovery").
_OPEN = frozenset({"/", "/healthz", "/readyz", "/.well-known/agent-card.json"})
_OPEN_BELOW = "/static/"
_DAPR = "/dapr/"
_READS = ("GET", "HEAD")
_log = logging.getLogger("kagent_runtime.auth")


class _Verifier(Protocol):
    async def identify(self, token: str) -> Identity:
        """Whose token it is. Raises RefusedError."""


class Authenticator:
    """Finds out who calls. `dapr_token`: the token that Dapr's sidecar shows, which its own route compares."""

    def __init__(self, mode: Mode, settings: AuthSettings, dapr_token: str = "") -> None:
        """Raises AuthError when the tokens cannot be read."""
        self.mode, self._settings, self._dapr_token = mode, settings, dapr_token
        self._tokens = TokenFile(settings.tokens_file) if settings.tokens_file else None
        self._verifier: _Verifier | None = None
        if mode == "oidc":
            from kagent_runtime.auth.oidc import Oidc  # the library is only loaded where it is used

            self._verifier = Oidc(settings)

    async def identify(self, scope: Scope) -> Identity:
        """The caller of a request. Raises RefusedError."""
        path = scope["path"]
        if self._is_open(scope, path):
            return ANONYMOUS
        if path.startswith(_DAPR) and (self._dapr_token or self.mode == "none"):
            return Identity("dapr") if self.mode != "none" else ANONYMOUS
        if self.mode == "none":
            return ANONYMOUS
        caller = await self._known(scope)
        return Identity(caller.subject, caller.sees_all and scope["method"] in _READS)

    def _is_open(self, scope: Mapping[str, object], path: str) -> bool:
        if scope.get(MANAGEMENT):
            return True
        is_public = path in _OPEN or path.startswith(_OPEN_BELOW)
        return is_public or (path == "/metrics" and (self.mode == "none" or self._settings.has_open_metrics))

    async def _known(self, scope: Scope) -> Identity:
        if self.mode == "certificate":
            return self._of_certificate(scope)
        scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise unknown("a bearer token is needed")
        name = self._tokens.name_of(token.strip()) if self._tokens else None
        if name is not None:
            return Identity(f"token:{name}", name in self._settings.admins)
        if self._verifier is None:
            raise unknown("the token is not known", "invalid_token")
        return await self._verifier.identify(token.strip())

    def _of_certificate(self, scope: Scope) -> Identity:
        name = (scope.get("extensions") or {}).get("tls", {}).get("client_cert_name")
        if not name:
            raise unknown("a client certificate is needed")
        return Identity(f"certificate:{name}", name in self._settings.admins)


class Authentication:
    """ASGI middleware: refuses who is not known, and tells everything inside who calls."""

    def __init__(self, app: ASGIApp, *, authenticator: Authenticator) -> None:
        self._app, self._authenticator = app, authenticator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # nothing here speaks it
            return
        try:
            caller = await self._authenticator.identify(scope)
        except RefusedError as refused:
            _log.info("a request is refused", extra={"status": refused.status, "reason": refused.detail})
            await response(refused.status, refused.detail, refused.headers)(scope, receive, send)
            return
        token = CALLER.set(caller)
        try:
            await self._app(scope, receive, send)
        finally:
            CALLER.reset(token)
