"""How callers are authenticated: read from the environment once; refused when it would let everyone in by accident."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast, get_args
from urllib.parse import urlsplit

Mode = Literal["none", "bearer", "oidc", "certificate"]
MAX_ISSUER = 250
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class AuthError(Exception):
    """Authentication cannot be set up as asked for. The text is one line."""


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """`mode` None: nothing was said. Tokens of a file are taken with `oidc` too, for callers that are no people."""

    mode: Mode | None = None
    tokens_file: str | None = None
    admins: tuple[str, ...] = ()
    issuer: str = ""
    audience: str = ""
    jwks_url: str | None = None
    groups_claim: str = "groups"
    allowed_groups: tuple[str, ...] = ()
    admin_groups: tuple[str, ...] = ()
    has_open_metrics: bool = False


def read_auth(environment: Mapping[str, str]) -> AuthSettings:
    """The settings. Raises AuthError for a mode that is none, or that lacks what it needs."""
    mode = environment.get("KAGENT_AUTH") or None
    if mode is not None and mode not in get_args(Mode):
        raise AuthError(f"KAGENT_AUTH is `{mode}`; it must be one of {', '.join(get_args(Mode))}")
    settings = AuthSettings(
        mode=cast(Mode | None, mode),
        tokens_file=environment.get("KAGENT_AUTH_TOKENS_FILE") or None,
        admins=_list(environment.get("KAGENT_AUTH_ADMINS")),
        issuer=environment.get("KAGENT_OIDC_ISSUER", ""),
        audience=environment.get("KAGENT_OIDC_AUDIENCE", ""),
        jwks_url=environment.get("KAGENT_OIDC_JWKS_URL") or None,
        groups_claim=environment.get("KAGENT_OIDC_GROUPS_CLAIM") or "groups",
        allowed_groups=_list(environment.get("KAGENT_OIDC_ALLOWED_GROUPS")),
        admin_groups=_list(environment.get("KAGENT_OIDC_ADMIN_GROUPS")),
        has_open_metrics=environment.get("KAGENT_OPEN_METRICS", "").lower() == "true",
    )
    _check(settings)
    return settings


def _list(text: str | None) -> tuple[str, ...]:
    """A JSON list, for names with a comma in them, or names with commas between them."""
    if text and text.lstrip().startswith("["):
        try:
            found = json.loads(text)
        except ValueError:
            raise AuthError("a list of names is neither JSON nor names with commas between them") from None
        return tuple(str(name) for name in found)
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _check(settings: AuthSettings) -> None:
    if settings.mode == "bearer" and not settings.tokens_file:
        raise AuthError("KAGENT_AUTH=bearer needs KAGENT_AUTH_TOKENS_FILE")
    if settings.mode != "oidc":
        return
    if not settings.issuer or not settings.audience:
        raise AuthError("KAGENT_AUTH=oidc needs KAGENT_OIDC_ISSUER and KAGENT_OIDC_AUDIENCE")
    if len(settings.issuer) > MAX_ISSUER:
        raise AuthError(f"KAGENT_OIDC_ISSUER is longer than {MAX_ISSUER} characters")
    for name, url in (("KAGENT_OIDC_ISSUER", settings.issuer), ("KAGENT_OIDC_JWKS_URL", settings.jwks_url)):
        if url is not None and not may_fetch(url):
            raise AuthError(f"{name} must be an https:// URL; http:// is for the loopback and Services of the cluster")


def may_fetch(url: str) -> bool:
    """Whether keys may come from there: who can change them on the way can make tokens."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https":
        return bool(host)
    return parts.scheme == "http" and (host in LOOPBACK or host.endswith((".svc", ".svc.cluster.local")))


def decide(settings: AuthSettings, host: str, tls_clients: str, has_tls: bool) -> Mode:
    """The mode that holds. Raises AuthError rather than serve a network without authentication by accident."""
    has_certificates = has_tls and tls_clients == "required"
    if settings.mode == "certificate" and not has_certificates:
        raise AuthError("KAGENT_AUTH=certificate needs KAGENT_TLS_FOLDER and KAGENT_TLS_CLIENTS=required")
    if settings.mode is not None:
        return settings.mode
    if has_certificates:
        return "certificate"
    if host in LOOPBACK:
        return "none"
    raise AuthError(
        f"no authentication is set, and {host} is not the loopback address; set KAGENT_AUTH to bearer or oidc, "
        "or to none to let in whoever reaches it"
    )
