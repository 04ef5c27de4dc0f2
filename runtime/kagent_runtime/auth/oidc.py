"""Tokens of an OpenID Connect issuer, verified here: signature, issuer, audience, times, groups.

Sources: RFC 7519 (JWT), RFC 8725 (JWT Best Current Practices), RFC 9068 (JWT access tokens).
"""

from __future__ import annotations

from typing import Any

import jwt

from kagent_runtime.auth.identity import Identity, RefusedError, unknown
from kagent_runtime.auth.keys import ALGORITHMS, KeySet, claims_at
from kagent_runtime.auth.settings import AuthSettings

SKEW_SECONDS = 30
_MAX_TOKEN = 16_384
_MAX_SUBJECT = 255  # OpenID Connect Core 1.0, section 2
_REQUIRED = ["exp", "iss", "aud", "sub"]
# A logout token, or one made for something else, is signed by the same issuer (RFC 8725, section 3.11).
_TYPES = (None, "jwt", "at+jwt", "application/at+jwt")
_REASONS: tuple[tuple[type[jwt.PyJWTError], str], ...] = (
    (jwt.ExpiredSignatureError, "the token has expired"),
    (jwt.ImmatureSignatureError, "the token is not valid yet"),
    (jwt.InvalidAudienceError, "the token is for another audience"),
    (jwt.InvalidIssuerError, "the token is of another issuer"),
    (jwt.MissingRequiredClaimError, "the token lacks a required claim"),
    (jwt.InvalidSignatureError, "the token's signature is wrong"),
)


class Oidc:
    """Verifies tokens of one issuer."""

    def __init__(self, settings: AuthSettings) -> None:
        self._settings = settings
        self._keys = KeySet(settings.issuer, settings.jwks_url)

    async def identify(self, token: str) -> Identity:
        """Whose token it is. Raises RefusedError."""
        kid, algorithm = _header(token)
        key = await self._keys.key(kid, algorithm)
        claims = self._claims(token, key, algorithm)
        subject = claims["sub"]
        if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
            raise unknown("the token's subject is not one", "invalid_token")
        groups = set(claims_at(claims, self._settings.groups_claim))
        allowed, admins = self._settings.allowed_groups, self._settings.admin_groups
        if allowed and groups.isdisjoint((*allowed, *admins)):
            challenge = 'Bearer realm="kagent", error="insufficient_scope"'
            raise RefusedError(403, "you are in no group that may call this agent", {"WWW-Authenticate": challenge})
        return Identity(f"{self._settings.issuer}#{subject}", not groups.isdisjoint(admins))

    def _claims(self, token: str, key: jwt.PyJWK, algorithm: str) -> dict[str, Any]:
        settings = self._settings
        try:
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=settings.audience,
                issuer=settings.issuer,
                leeway=SKEW_SECONDS,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            found = next((text for kind, text in _REASONS if isinstance(error, kind)), "the token is not valid")
            raise unknown(found, "invalid_token") from None
        return claims


def _header(token: str) -> tuple[str | None, str]:
    if len(token) > _MAX_TOKEN:
        raise unknown("the token is too long", "invalid_token")
    try:
        header = jwt.get_unverified_header(token)
    except jwt.PyJWTError:
        raise unknown("the token is not known", "invalid_token") from None
    algorithm, kid, type = header.get("alg"), header.get("kid"), header.get("typ")
    # The algorithm is ours to choose: `none` and shared keys are not on the list (RFC 8725, section 3.1).
    if algorithm not in ALGORITHMS:
        raise unknown("the token's algorithm is not accepted", "invalid_token")
    if (type.lower() if isinstance(type, str) else type) not in _TYPES:
        raise unknown("the token is of a kind that is not accepted", "invalid_token")
    return (kid if isinstance(kid, str) else None), algorithm
