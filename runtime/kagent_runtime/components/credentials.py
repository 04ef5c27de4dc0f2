"""The credentials of a tool: read from the environment at each call, sent, and never shown."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Iterable
from urllib.parse import quote, quote_plus

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import RemoteHeader

_MASK = "[redacted]"
_HEADER_VALUE = re.compile(r"[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?\Z")
_SHORTEST = 4  # a shorter secret would mask half of every answer, and protect nothing


class Credentials:
    """Collects the secrets of one call, and takes them out of every text."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()

    def read(self, variable: str) -> str:
        """The value of a variable. Raises ToolFailureError, which names the variable only."""
        value = os.environ.get(variable, "").strip("\r\n")
        if not value:
            raise ToolFailureError(f"the credential {variable} is not set")
        self.add(value)
        if not _HEADER_VALUE.match(value):
            raise ToolFailureError(f"the credential {variable} cannot be sent: it is not one line of ASCII")
        return value

    def add(self, secret: str) -> None:
        """A text that must never be shown, in the forms in which a server may repeat it."""
        forms = {secret, quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1]}
        forms.add(base64.b64encode(secret.encode()).decode())
        self._secrets |= {form for form in forms if len(form) >= _SHORTEST}

    def headers(self, declared: Iterable[RemoteHeader]) -> dict[str, str]:
        """The headers to send."""
        return {item.name: item.prefix + self.read(item.env) if item.env else item.value or "" for item in declared}

    def basic(self, username: str, variable: str) -> str:
        """The value of an Authorization header (RFC 7617)."""
        pair = f"{username}:{self.read(variable)}"
        self.add(pair)
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def redact(self, text: str, *, was_cut: bool = False) -> str:
        """The text without any secret; of a text that was cut, without the start of one at its end either."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, _MASK)
        if was_cut:
            for secret in self._secrets:
                sizes = range(min(len(secret) - 1, len(text)), _SHORTEST - 1, -1)
                cut = next((size for size in sizes if text.endswith(secret[:size])), 0)
                text = text[: len(text) - cut] + (_MASK if cut else "")
        return text
