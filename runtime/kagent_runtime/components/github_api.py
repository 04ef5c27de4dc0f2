"""GitHub's REST API for one tool: its headers, its errors, its rate limit, its pages."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from kagent_runtime.components import texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import Answer, Call, fetch
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.model import GithubTool

JSON_TYPE = "application/vnd.github+json"
RAW_TYPE = "application/vnd.github.raw+json"
MAX_JSON_BYTES = 8 << 20
MAX_PAGES = 4
_PER_PAGE = 50
Pairs = list[tuple[str, str]]


class GithubApi:
    """What the operations ask."""

    def __init__(self, tool: GithubTool, credentials: Credentials) -> None:
        self._tool = tool
        self._headers = {"X-GitHub-Api-Version": "2022-11-28"} | credentials.headers(tool.headers)

    async def get(self, path: str, parameters: Pairs | None = None) -> Any:
        """A JSON answer. Raises ToolFailureError."""
        return _parsed(await self._fetch(path, parameters or [], JSON_TYPE))

    async def pages(self, path: str, parameters: Pairs, limit: int, key: str | None = None) -> list[dict[str, Any]]:
        """The items of a list, over as many pages as `limit` needs. Raises ToolFailureError."""
        found: list[dict[str, Any]] = []
        size = min(limit, _PER_PAGE)
        for page in range(1, MAX_PAGES + 1):
            asked = [*parameters, ("per_page", str(size)), ("page", str(page))]
            answer = await self._fetch(path, asked, JSON_TYPE)
            data = _parsed(answer)
            items = data.get(key) if key and isinstance(data, dict) else data
            found += items if isinstance(items, list) else []
            if len(found) >= limit or 'rel="next"' not in answer.headers.get("link", ""):
                break
        return found[:limit]

    async def raw(self, path: str, parameters: Pairs) -> Answer:
        """The content of a file, or the JSON list of a folder. Raises ToolFailureError."""
        return await self._fetch(path, parameters, RAW_TYPE, limit=max(self._tool.max_bytes + 4096, 1 << 20))

    async def log(self, path: str, limit: int) -> Answer:
        """The end of a log, which is kept elsewhere: the one answer that may redirect. Raises ToolFailureError."""
        call = self._call(path, [], JSON_TYPE)
        return _checked(await fetch(replace(call, limit=limit, keep="tail", max_redirects=2)))

    async def _fetch(self, path: str, parameters: Pairs, accept: str, limit: int = MAX_JSON_BYTES) -> Answer:
        # A repository that was renamed or moved redirects, perhaps to one that is not granted.
        call = self._call(path, parameters, accept)
        return _checked(await fetch(replace(call, limit=limit, max_redirects=0)))

    def _call(self, path: str, parameters: Pairs, accept: str) -> Call:
        query = urlencode(parameters, quote_via=quote)
        url = f"{self._tool.url.rstrip('/')}/{path}{'?' if query else ''}{query}"
        private = self._tool.allow_private_addresses
        return Call("GET", url, self._headers | {"Accept": accept}, tls=self._tool.tls, allow_private=private)


def _checked(answer: Answer) -> Answer:
    if answer.status < 400:
        return answer
    message = _message(answer)
    if again := _again(answer, message):
        raise ToolFailureError(f"GitHub's rate limit is used up; try again {again}")
    hint = {
        401: "; the token is not accepted",
        403: "; the token may not read this",
        404: "; there is no such thing, or the token may not read it",
    }
    raise ToolFailureError(f"GitHub answered {answer.status}: {message}{hint.get(answer.status, '')}")


def _message(answer: Answer) -> str:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return texts.one_line(texts.decoded(answer), 300) or answer.reason
    errors = [item for item in body.get("errors") or () if isinstance(item, dict)]
    details = [str(item.get("message") or item.get("code")) for item in errors]
    return texts.one_line("; ".join([str(body.get("message", "")), *details]), 500)


def _again(answer: Answer, message: str) -> str | None:
    """When to try again, if this is a rate limit (docs.github.com: rate limits for the REST API)."""
    if answer.status not in (403, 429):
        return None
    later = answer.headers.get("retry-after", "")
    if later.isdigit():
        return f"in {later} s, at {texts.stamp(time.time() + int(later))}"
    reset = answer.headers.get("x-ratelimit-reset", "")
    if answer.headers.get("x-ratelimit-remaining") == "0" and reset.isdigit():
        return f"in {max(0, int(reset) - int(time.time()))} s, at {texts.stamp(int(reset))}"
    return "in a minute" if answer.status == 429 or "rate limit" in message.lower() else None


def _parsed(answer: Answer) -> Any:
    if answer.was_cut:
        raise ToolFailureError(f"the answer is larger than {MAX_JSON_BYTES >> 20} MiB")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ToolFailureError(f"{answer.host} did not answer with JSON; is this GitHub's API?") from None
