"""A client of a running agent's HTTP API, with the standard library only: the compiler stays light."""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import quote, urlsplit

Event = dict[str, Any]
_SECONDS = 60.0  # the server says something at least every 15 s
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}
BROKEN = (OSError, http.client.HTTPException)
"""What a connection that breaks raises."""


class AnswerError(Exception):
    """The server refused a request; the text is its own explanation."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"HTTP {status}: {detail}")
        self.status = status


class ChatClient:
    """The API at an address. Methods raise AnswerError, and one of BROKEN."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._base = url.rstrip("/") + "/api/v1"
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        is_local = urlsplit(url).hostname in _LOOPBACK
        proxies = [urllib.request.ProxyHandler({})] if is_local else []
        self._opener = urllib.request.build_opener(*proxies)

    def agent(self) -> dict[str, Any]:
        """Who answers."""
        return self._json("GET", "/agent")

    def new_session(self, title: str) -> str:
        """A new conversation's id."""
        return str(self._json("POST", "/sessions", {"title": title})["id"])

    def session(self, id: str) -> dict[str, Any]:
        """A conversation that there is."""
        return self._json("GET", f"/sessions/{quote(id, safe='')}")

    def send(self, session: str, content: str) -> Iterator[Event]:
        """Send a message; the events of its run."""
        return self._events("POST", f"/sessions/{quote(session, safe='')}/messages", {"content": content})

    def follow(self, session: str, after: int) -> Iterator[Event]:
        """The events after a sequence number, for ever."""
        return self._events("GET", f"/sessions/{quote(session, safe='')}/events?after={after}")

    def cancel(self, session: str) -> None:
        """Cut off what runs, if something does."""
        with suppress(AnswerError):
            self._json("POST", f"/sessions/{quote(session, safe='')}/cancel")

    def decide(self, session: str, call_id: str, decision: str, reason: str | None) -> None:
        """Approve or deny a call."""
        path = f"/sessions/{quote(session, safe='')}/approvals/{quote(call_id, safe='')}"
        self._json("POST", path, {"decision": decision} | ({"reason": reason} if reason else {}))

    def _json(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        with self._open(method, path, body, {"Accept": "application/json"}) as answer:
            try:
                found = json.load(answer)
            except ValueError:
                raise AnswerError(answer.status, "not an answer of an agent") from None
        if not isinstance(found, dict):
            raise AnswerError(answer.status, "not an answer of an agent")
        return found

    def _events(self, method: str, path: str, body: Any = None) -> Iterator[Event]:
        with self._open(method, path, body, {"Accept": "text/event-stream"}) as answer:
            for line in answer:
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def _open(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        data = None if body is None else json.dumps(body).encode()
        more = {"Content-Type": "application/json"} if data is not None else {}
        request = urllib.request.Request(self._base + path, data, {**self._headers, **headers, **more}, method=method)
        try:
            opened: http.client.HTTPResponse = self._opener.open(request, timeout=_SECONDS)
        except urllib.error.HTTPError as refused:
            with refused:
                raise AnswerError(refused.code, _detail(refused.read(4096), refused.reason)) from None
        return opened


def _detail(body: bytes, reason: str) -> str:
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError):
        return reason
    return str(detail)
