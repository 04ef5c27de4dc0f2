"""When GitHub may be asked again, once it has said that it has been asked too much.

Source: docs.github.com, rate limits and best practices for the REST API. Kept for the process, by host and by a hash
of the token: a model that tries again costs nothing, and does not make a secondary limit last longer.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from hashlib import sha256
from urllib.parse import urlsplit

from kagent_runtime.components.egress import Answer

MAX_WAIT_SECONDS = 5.0
_WITHOUT_WORD = 60.0  # how long to wait at least when GitHub does not say
_LONGEST = 86_400.0  # a header that says more is not right
_ALL = "all"
# By host, token and what is limited: until when, by the clock of this process.
_until: dict[tuple[str, str, str], float] = {}


class GithubLimits:
    """The limits of one token at one host."""

    def __init__(self, url: str, headers: Mapping[str, str]) -> None:
        token = next((value for name, value in headers.items() if name.lower() == "authorization"), "")
        self._host = urlsplit(url).hostname
        self._key = urlsplit(url).netloc.lower(), sha256(token.encode()).hexdigest()

    def seconds(self, path: str) -> float:
        """How long nothing may be asked below this path; 0 or less for not at all."""
        now = time.monotonic()
        return max(_until.get((*self._key, what), now) for what in (_ALL, _resource(path))) - now

    def note(self, path: str, answer: Answer) -> bool:
        """Remember what the answer says of limits; whether it is a refusal because of one."""
        if answer.host != self._host:
            return False  # a log comes from elsewhere
        is_refused = _is_refused(answer)
        later = answer.headers.get("retry-after", "")
        if is_refused and later.isdigit():
            self._hold(_ALL, float(later))
        elif (seconds := _until_reset(answer)) is not None:
            # A search has a limit of its own; GitHub says which one this was, and an Enterprise Server may not.
            for what in {_resource(path), answer.headers.get("x-ratelimit-resource", "") or _resource(path)}:
                self._hold(what, seconds)
        elif is_refused:
            self._hold(_ALL, _WITHOUT_WORD)
        return is_refused

    def _hold(self, what: str, seconds: float) -> None:
        now = time.monotonic()
        for key in [key for key, until in _until.items() if until <= now]:
            del _until[key]
        key = (*self._key, what)
        _until[key] = max(_until.get(key, now), now + min(seconds, _LONGEST))


def _resource(path: str) -> str:
    """What GitHub counts a request as."""
    if path.startswith("search/code"):
        return "code_search"
    return "search" if path.startswith("search/") else "core"


def _is_refused(answer: Answer) -> bool:
    if answer.status not in (403, 429):
        return False
    is_said = answer.headers.get("x-ratelimit-remaining") == "0" or "retry-after" in answer.headers
    return answer.status == 429 or is_said or "rate limit" in _message(answer).lower()


def _message(answer: Answer) -> str:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    return str(body.get("message", "")) if isinstance(body, dict) else ""


def _until_reset(answer: Answer) -> float | None:
    """Seconds until the next window, if none is left in this one. By GitHub's own clock: ours may be wrong."""
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") != "0" or not reset.isdigit():
        return None
    try:
        now = parsedate_to_datetime(answer.headers.get("date", "")).timestamp()
    except ValueError:
        now = time.time()
    return max(0.0, float(reset) - now)
