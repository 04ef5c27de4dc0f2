"""Bearer tokens of a file: one a line, `NAME:TOKEN` or just the token; read again when the file changes.

Several tokens of one name are one caller, so that a token is changed without a moment in which none works: add the
new one, let everyone change over, take the old one away.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import os
import re
import time
from pathlib import Path

from kagent_runtime.auth.settings import AuthError

DEFAULT_NAME = "default"
AGENTS_NAME = "agents"
MIN_LENGTH = 16
_CHECK_SECONDS = 1.0
_MAX_BYTES = 1 << 20
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*\Z")  # b64token of RFC 6750, section 2.1: it has no colon
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")
_log = logging.getLogger("kagent_runtime.auth")


def read_tokens(path: str) -> list[tuple[str, str]]:
    """Names and tokens, in the order of the file. Raises AuthError, which quotes no token."""
    try:
        with open(path, "rb") as file:
            raw = file.read(_MAX_BYTES + 1)
        lines = raw.decode().splitlines()
    except OSError as error:
        raise AuthError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise AuthError(f"{path}: not UTF-8") from None
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, _, token = line.strip().rpartition(":")
            name = name.strip() or DEFAULT_NAME
            if not _NAME.match(name) or not _TOKEN.match(token) or len(token) < MIN_LENGTH:
                wanted = f"NAME:TOKEN or a token of at least {MIN_LENGTH} letters, digits and -._~+/"
                raise AuthError(f"{path}: line {number} is not {wanted}")
            found.append((name, token))
    return found


def own_tokens(path: str) -> list[str]:
    """What an agent shows another one, in the order to try: the tokens named `agents`, else all. Raises AuthError."""
    found = read_tokens(path)
    return [token for name, token in found if name == AGENTS_NAME] or [token for _, token in found]


class TokenFile:
    """The tokens that are valid now."""

    def __init__(self, path: str) -> None:
        """Raises AuthError for a file that cannot be read, or holds no token."""
        self._path = path
        self._stamp = self._current_stamp()
        self._digests = self._read()
        self._checked = time.monotonic()
        if not self._digests:
            raise AuthError(f"{path}: there is no token in it")

    def name_of(self, token: str) -> str | None:
        """Whose token it is; None: nobody's. Takes as long whichever it is."""
        self._refresh()
        digest = hashlib.sha256(token.encode()).digest()
        found = None
        for name, known in self._digests:
            if hmac.compare_digest(digest, known):
                found = name
        return found

    def _refresh(self) -> None:
        if time.monotonic() - self._checked < _CHECK_SECONDS:
            return
        self._checked = time.monotonic()
        stamp = self._current_stamp()
        # A file that is away for a moment is being swapped; an empty one is meant: it locks everyone out.
        if stamp is None or stamp == self._stamp:
            return
        try:
            self._digests, self._stamp = self._read(), stamp
            _log.info("the tokens were read again", extra={"count": len(self._digests)})
        except AuthError as error:
            self._stamp = stamp
            _log.error("the changed tokens cannot be used; the former ones hold: %s", error)

    def _current_stamp(self) -> tuple[int, int, int] | None:
        try:
            found = os.stat(Path(self._path))
        except OSError:
            return None
        return (found.st_ino, found.st_mtime_ns, found.st_size)

    def _read(self) -> list[tuple[str, bytes]]:
        return [(name, hashlib.sha256(token.encode()).digest()) for name, token in read_tokens(self._path)]
