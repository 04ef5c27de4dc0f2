"""GitHub's REST API for one call of a tool: its headers, its errors, its rate limits, its pages."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode

from kagent_runtime.components import texts
from kagent_runtime.components.credentials import Credentials
from kagent_runtime.components.egress import Answer, Call, UnansweredError, fetch
from kagent_runtime.components.failures import UNKNOWN, ToolFailureError
from kagent_runtime.components.github_limits import MAX_WAIT_SECONDS, GithubLimits
from kagent_runtime.model import GithubTool

JSON_TYPE = "application/vnd.github+json"
RAW_TYPE = "application/vnd.github.raw+json"
MAX_JSON_BYTES = 8 << 20
MAX_PAGES = 4
_PER_PAGE = 50
Pairs = list[tuple[str, str]]
_READ_HINTS = {
    401: "; the token is not accepted",
    403: "; the token may not read this",
    404: "; there is no such thing, or the token may not read it",
}
_WRITE_HINTS = _READ_HINTS | {
    403: "; the token may not write this",
    404: "; there is no such thing, or the token may not see or write it",
    409: "; this conflicts with what is there now: read that again",
}


class GithubError(ToolFailureError):
    """GitHub refused a request, with this status."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class GithubApi:
    """What the operations ask."""

    def __init__(self, tool: GithubTool, credentials: Credentials) -> None:
        self._tool, self._credentials = tool, credentials
        self._headers = {"X-GitHub-Api-Version": "2022-11-28"} | credentials.headers(tool.headers)
        self._limits = GithubLimits(tool.url, self._headers)
        self._deadline = asyncio.get_running_loop().time() + tool.timeout_seconds
        self._has_waited = False

    async def get(self, path: str, parameters: Pairs | None = None) -> Any:
        """A JSON answer. Raises ToolFailureError."""
        return _parsed(await self._fetch(path, parameters or [], JSON_TYPE))

    async def find(self, path: str) -> Any:
        """A JSON answer; None if there is no such thing, or the token may not see it. Raises ToolFailureError."""
        try:
            return await self.get(path)
        except GithubError as error:
            if error.status == 404:
                return None
            raise

    async def change(self, method: str, path: str, body: Any) -> dict[str, Any]:
        """Have something changed. It is sent once: what got no answer may have been done. Raises ToolFailureError."""
        answer = await self._send(path, self._write(method, path, body), UNKNOWN)
        try:
            data = json.loads(answer.body)
        except (ValueError, RecursionError):
            data = None
        if not isinstance(data, dict):
            raise ToolFailureError("GitHub has done this, but its answer cannot be read")
        return data

    async def store(self, path: str, body: Any) -> str:
        """The SHA of a new Git object, to which nothing refers yet. Raises ToolFailureError."""
        try:
            answer = await self._send(path, self._write("POST", path, body), "; nothing was changed")
        except UnansweredError:
            raise ToolFailureError("GitHub broke off before the branch was touched; nothing was changed") from None
        data = _parsed(answer)
        if not isinstance(data, dict) or not isinstance(data.get("sha"), str):
            raise ToolFailureError("GitHub does not say what it has stored; nothing was changed")
        return str(data["sha"])

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
        return await self._send(path, replace(call, limit=limit, keep="tail", max_redirects=2))

    async def blob(self, path: str, limit: int) -> Answer:
        """The content of a Git object, as it is. Raises ToolFailureError."""
        return await self._fetch(path, [], RAW_TYPE, limit=limit)

    async def _fetch(self, path: str, parameters: Pairs, accept: str, limit: int = MAX_JSON_BYTES) -> Answer:
        return await self._send(path, replace(self._call(path, parameters, accept), limit=limit))

    def _call(self, path: str, parameters: Pairs, accept: str) -> Call:
        query = urlencode(parameters, quote_via=quote)
        url = f"{self._tool.url.rstrip('/')}/{path}{'?' if query else ''}{query}"
        private, headers = self._tool.allow_private_addresses, self._headers | {"Accept": accept}
        # A repository that was renamed or moved redirects, perhaps to one that is not granted.
        return Call("GET", url, headers, tls=self._tool.tls, allow_private=private, max_redirects=0)

    def _write(self, method: str, path: str, body: Any) -> Call:
        call, text = self._call(path, [], JSON_TYPE), json.dumps(body, ensure_ascii=False)
        if self._credentials.redact(text) != text:
            raise ToolFailureError("not sent: it would publish the token of this tool")
        headers = {**call.headers, "Content-Type": "application/json"}
        return replace(call, method=method, headers=headers, content=text.encode(), limit=MAX_JSON_BYTES)

    async def _send(self, path: str, call: Call, when_broken: str = "") -> Answer:
        """The answer to a request. One that a rate limit refused was not carried out, and may be sent again."""
        for _ in range(2):
            await self._wait(path)
            answer = await fetch(call)
            if not self._limits.note(path, answer):
                return _checked(call.method, answer, when_broken)
        raise self._used_up(path)

    async def _wait(self, path: str) -> None:
        """Wait for a rate limit: once in a call, if it is short. Raises ToolFailureError, and nothing is sent then."""
        seconds, now = self._limits.seconds(path), asyncio.get_running_loop().time()
        if seconds <= 0:
            return
        if self._has_waited or seconds > MAX_WAIT_SECONDS or now + seconds >= self._deadline:
            raise self._used_up(path)
        self._has_waited = True
        await asyncio.sleep(seconds)

    def _used_up(self, path: str) -> ToolFailureError:
        seconds = max(1, round(self._limits.seconds(path)))
        when = texts.stamp(time.time() + seconds)
        return ToolFailureError(f"GitHub's rate limit is used up; try again in {seconds} s, at {when}, and not before")


def _checked(method: str, answer: Answer, when_broken: str) -> Answer:
    if answer.status < 400:
        return answer
    hints = _READ_HINTS if method == "GET" else _WRITE_HINTS
    hint = hints.get(answer.status, when_broken if answer.status >= 500 else "")
    if answer.status == 403 and (wanted := answer.headers.get("x-accepted-github-permissions")):
        hint += f"; it needs {texts.one_line(texts.printable(wanted), 100)}"
    raise GithubError(answer.status, f"GitHub answered {answer.status}: {_message(answer)}{hint}")


def _message(answer: Answer) -> str:
    try:
        body = json.loads(answer.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        return texts.one_line(texts.decoded(answer), 300) or answer.reason
    errors = body.get("errors")
    details = [_detail(item) for item in errors] if isinstance(errors, list) else []
    return texts.one_line(texts.printable("; ".join([str(body.get("message", "")), *details])), 500)


def _detail(error: Any) -> str:
    """One error of a validation: a text, or which field has what defect."""
    if not isinstance(error, dict):
        return str(error)
    return str(error.get("message") or f"{error.get('field', 'a field')}: {error.get('code')}")


def _parsed(answer: Answer) -> Any:
    if answer.was_cut:
        raise ToolFailureError(f"the answer is larger than {MAX_JSON_BYTES >> 20} MiB")
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise ToolFailureError(f"{answer.host} did not answer with JSON; is this GitHub's API?") from None
