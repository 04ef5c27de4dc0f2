"""An OpenID Connect issuer on loopback: discovery, a key set that can be changed, and tokens of any kind."""

from __future__ import annotations

import base64
import json
import time
import warnings
from types import TracebackType
from typing import Any, Self

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer

AUDIENCE = "agents"
_PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class SigningKey:
    """A private key with its id."""

    def __init__(self, kid: str, algorithm: str = "RS256", *, bits: int = 2048) -> None:
        self.kid, self.algorithm = kid, algorithm
        self.private: _PrivateKey
        if algorithm.startswith("ES"):
            self.private = ec.generate_private_key(ec.SECP256R1())
            shown = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        else:
            self.private = rsa.generate_private_key(65537, bits)
            shown = jwt.algorithms.RSAAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        self.public: dict[str, Any] = shown | {"kid": kid, "use": "sig", "alg": algorithm}


class Issuer:
    """The server. `keys` are those that it publishes; `requests` the paths that were asked for."""

    def __init__(self, *keys: SigningKey) -> None:
        self.keys = list(keys) or [SigningKey("one")]
        self.requests: list[str] = []
        self.told_issuer: str | None = None
        self.is_broken = False
        routes = [Route("/.well-known/openid-configuration", self._discovery), Route("/keys", self._keys)]
        self._server = LoopbackServer(Starlette(routes=routes))

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    @property
    def url(self) -> str:
        """Its name."""
        return self._server.origin

    @property
    def environment(self) -> dict[str, str]:
        """How a runtime is told to trust it."""
        return {"KAGENT_AUTH": "oidc", "KAGENT_OIDC_ISSUER": self.url, "KAGENT_OIDC_AUDIENCE": AUDIENCE}

    def claims(self, subject: str = "ann", **changes: Any) -> dict[str, Any]:
        """Claims that are good for a minute; a change to None takes one away."""
        now = int(time.time())
        claims = {"iss": self.url, "aud": AUDIENCE, "sub": subject, "iat": now, "exp": now + 60} | changes
        return {name: value for name, value in claims.items() if value is not None}

    def token(
        self,
        subject: str = "ann",
        *,
        key: SigningKey | None = None,
        headers: dict[str, Any] | None = None,
        **changes: Any,
    ) -> str:
        """A signed token."""
        used = key or self.keys[0]
        shown = {"kid": used.kid} | (headers or {})
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", jwt.InsecureKeyLengthWarning)  # a short key is one of the cases
            return jwt.encode(self.claims(subject, **changes), used.private, used.algorithm, headers=shown)

    def unsigned(self, **claims: Any) -> str:
        """A token of the algorithm `none`, which the library rightly makes hard."""
        return f"{_encoded({'alg': 'none', 'typ': 'JWT', 'kid': self.keys[0].kid})}.{_encoded(self.claims(**claims))}."

    def confused(self, **claims: Any) -> str:
        """A token whose shared key is the public key of the issuer: the known attack on verifiers that trust `alg`."""
        import hashlib
        import hmac

        head = f"{_encoded({'alg': 'HS256', 'typ': 'JWT', 'kid': self.keys[0].kid})}.{_encoded(self.claims(**claims))}"
        secret = json.dumps(self.keys[0].public).encode()
        signature = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        return f"{head}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"

    async def _discovery(self, request: Request) -> JSONResponse:
        self.requests.append(request.url.path)
        return JSONResponse({"issuer": self.told_issuer or self.url, "jwks_uri": f"{self.url}/keys"})

    async def _keys(self, request: Request) -> JSONResponse:
        self.requests.append(request.url.path)
        if self.is_broken:
            return JSONResponse({}, 500)
        return JSONResponse({"keys": [key.public for key in self.keys]})


def _encoded(part: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()
