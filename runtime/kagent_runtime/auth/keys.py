"""The public keys of an OpenID Connect issuer: found by discovery, fetched when needed, kept, and fetched again.

Sources: OpenID Connect Discovery 1.0, section 4; RFC 7517 (JWK Set); RFC 8725 (JWT Best Current Practices).
"""

from __future__ import annotations

import asyncio
import json
import logging
import ssl
import time
from collections.abc import Iterator
from typing import Any

import httpx
import jwt

from kagent_runtime.auth.identity import RefusedError, unknown
from kagent_runtime.auth.settings import may_fetch

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
FRESH_SECONDS = 600.0
# A key that is taken away must stop working, also when its issuer cannot be asked.
STALE_SECONDS = 86_400.0
RETRY_SECONDS = 10.0  # tokens with made-up key ids must not become requests to the issuer
_TIMEOUT = 5.0
_MAX_BYTES = 512 << 10
_MAX_KEYS = 100
_MIN_RSA_BITS = 2048
_CURVES = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
_log = logging.getLogger("kagent_runtime.auth")


class KeySet:
    """The keys of one issuer."""

    def __init__(self, issuer: str, jwks_url: str | None) -> None:
        self._issuer, self._url = issuer, jwks_url
        self._keys: list[dict[str, Any]] = []
        self._fetched: float | None = None
        self._tried: float | None = None
        self._lock = asyncio.Lock()
        self._trust = ssl.create_default_context()

    async def key(self, kid: str | None, algorithm: str) -> jwt.PyJWK:
        """The key for a token's header. Raises RefusedError: 401 when there is none, 503 when nobody can say."""
        if self._age() > FRESH_SECONDS:
            await self._fetch()
        if self._age() > STALE_SECONDS:
            raise RefusedError(503, "the issuer's keys cannot be fetched", {"Retry-After": str(int(RETRY_SECONDS))})
        found = self._find(kid, algorithm)
        if found is None and await self._fetch():
            found = self._find(kid, algorithm)
        if found is None:
            raise unknown("the token is not signed with a key of the issuer", "invalid_token")
        return found

    def _age(self) -> float:
        return float("inf") if self._fetched is None else time.monotonic() - self._fetched

    def _find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        fitting = [key for key in self._keys if _fits(key, algorithm) and kid in (None, key.get("kid"))]
        # Without an id in the token the key has to be the only one it can be.
        if not fitting or (kid is None and len(fitting) > 1):
            return None
        try:
            return jwt.PyJWK(fitting[0], algorithm=algorithm)
        except jwt.PyJWTError:
            return None

    async def _fetch(self) -> bool:
        """Get the keys anew, once for all who wait; whether they are newer than before."""
        before = self._fetched
        async with self._lock:
            if self._fetched != before:
                return True
            if self._tried is not None and time.monotonic() - self._tried < RETRY_SECONDS:
                return False
            # The very first fetch does not count: a key changed right after it is to be found at once.
            self._tried = time.monotonic() if self._fetched is not None else None
            try:
                self._keys = await self._download()
            except (httpx.HTTPError, ValueError, OSError) as error:
                self._tried = time.monotonic()
                _log.warning("the issuer's keys cannot be fetched", extra={"error": _reason(error)})
                return False
            self._fetched = time.monotonic()
            return True

    async def _download(self) -> list[dict[str, Any]]:
        async with httpx.AsyncClient(verify=self._trust, trust_env=False, timeout=_TIMEOUT) as client:
            url = self._url or await self._discover(client)
            keys = (await _json(client, url)).get("keys")
        if not isinstance(keys, list):
            raise ValueError("the key set has no `keys`")
        return [key for key in keys[:_MAX_KEYS] if isinstance(key, dict)]

    async def _discover(self, client: httpx.AsyncClient) -> str:
        found = await _json(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != self._issuer:  # section 4.3: else it is another one's
            raise ValueError("the discovery document is of another issuer")
        url = found.get("jwks_uri")
        if not isinstance(url, str) or not may_fetch(url):
            raise ValueError("the discovery document has no jwks_uri that can be trusted")
        return url


def _fits(key: dict[str, Any], algorithm: str) -> bool:
    """Whether a key may verify this algorithm (RFC 8725, section 3.1); a symmetric one never may."""
    if key.get("use") not in (None, "sig") or key.get("alg") not in (None, algorithm):
        return False
    if isinstance(key.get("key_ops"), list) and "verify" not in key["key_ops"]:
        return False
    if algorithm[:2] in ("RS", "PS"):
        return key.get("kty") == "RSA" and _bits(key.get("n")) >= _MIN_RSA_BITS
    if algorithm in _CURVES:
        return key.get("kty") == "EC" and key.get("crv") == _CURVES[algorithm]
    return key.get("kty") == "OKP" and key.get("crv") in ("Ed25519", "Ed448")


def _bits(modulus: Any) -> int:
    return len(modulus) * 6 if isinstance(modulus, str) else 0


async def _json(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    async with client.stream("GET", url, headers={"accept": "application/json"}, follow_redirects=False) as answer:
        if answer.status_code != 200:
            raise ValueError(f"HTTP {answer.status_code}")
        body = b"".join([piece async for piece in _limited(answer)])
    data = json.loads(body)
    if not isinstance(data, dict):
        raise ValueError("not a JSON object")
    return data


async def _limited(answer: httpx.Response) -> Any:
    seen = 0
    async for piece in answer.aiter_bytes():
        seen += len(piece)
        if seen > _MAX_BYTES:
            raise ValueError("the answer is too large")
        yield piece


def _reason(error: Exception) -> str:
    # Of JSON that is none, the text would quote it.
    return str(error) if type(error) is ValueError else type(error).__name__


def claims_at(claims: dict[str, Any], name: str) -> Iterator[str]:
    """The texts of a claim: by its name as it is, such as a URL, else along the dots (`realm_access.roles`)."""
    value: Any = claims.get(name)
    if value is None and "." in name:
        value = claims
        for part in name.split("."):
            value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))
