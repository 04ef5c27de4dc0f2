"""Dapr pub/sub: `POST /dapr/events` takes CloudEvents and starts a turn for each, once.

The answer follows Dapr's contract (docs: reference/api/pubsub_api, expected HTTP response): SUCCESS when the message
is in the database, RETRY when it could be later, DROP when it never can. Events of one `subject` share a session.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from fastapi import APIRouter, Request

from kagent_runtime.admission import Overloaded
from kagent_runtime.problems import problem
from kagent_runtime.routes import MAX_MESSAGE
from kagent_runtime.sessions import Busy, Draining, Sessions
from kagent_runtime.store import DuplicateMessage, Store

_log = logging.getLogger(__name__)
STRUCTURED = "application/cloudevents+json"
ENABLED = "KAGENT_DAPR_EVENTS"
TOKEN = "APP_API_TOKEN"
Status = Literal["SUCCESS", "RETRY", "DROP"]


class EventError(Exception):
    """Not a CloudEvent that can become a message. The text does not quote it."""


@dataclass(frozen=True, slots=True)
class CloudEvent:
    """The parts of a CloudEvent that matter here."""

    id: str
    source: str
    type: str
    subject: str | None
    content: str

    @property
    def key(self) -> str:
        """Its identity: the specification makes `source` with `id` unique."""
        return _hash("event", self.source, self.id)

    @property
    def session_id(self) -> str:
        """The session it belongs to: that of its subject, else one of its own."""
        parts = ("subject", self.source, self.subject) if self.subject else ("single", self.source, self.id)
        return _hash(*parts)[:32]


def is_enabled(environment: Mapping[str, str]) -> bool:
    """Whether events are taken; off unless the workload is rendered for Dapr."""
    return environment.get(ENABLED, "").lower() == "true"


def event_routes(environment: Mapping[str, str]) -> APIRouter:
    """The route; with APP_API_TOKEN only Dapr's sidecar, which knows the token, may call it."""
    router = APIRouter(include_in_schema=False)
    token = environment.get(TOKEN, "")

    @router.post("/dapr/events")
    async def receive(request: Request) -> dict[str, Status]:
        """Take one event."""
        given = request.headers.get("dapr-api-token", "")
        if token and not hmac.compare_digest(given.encode(), token.encode()):
            raise problem(403, "the dapr-api-token header is missing or wrong")
        try:
            event = read_event(dict(request.headers), await request.body())
        except EventError as error:
            _log.warning("an event is dropped", extra={"reason": str(error)})
            return {"status": "DROP"}
        return {"status": await _accept(event, request.app.state.sessions, request.app.state.store)}

    return router


async def _accept(event: CloudEvent, sessions: Sessions, store: Store) -> Status:
    try:
        # Asked first: a repeated event of a busy session would otherwise be retried until the run ends.
        if await store.is_accepted(event.key):
            return "SUCCESS"
        await store.ensure_session(event.session_id, (event.subject or event.type)[:200])
        await sessions.send(event.session_id, event.content, event.key)
    except DuplicateMessage:
        return "SUCCESS"
    except (Busy, Draining, Overloaded):
        return "RETRY"
    except Exception as error:  # the database is away, say: Dapr delivers it again
        _log.error("an event was not stored", extra={"error": type(error).__name__})
        return "RETRY"
    return "SUCCESS"


def read_event(headers: Mapping[str, str], body: bytes) -> CloudEvent:
    """The event of a request in structured or binary mode (CloudEvents 1.0, HTTP binding). Raises EventError."""
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if "ce-specversion" in headers:
        attributes: dict[str, Any] = {name[3:]: value for name, value in headers.items() if name.startswith("ce-")}
        data: Any = _json(body) if _is_json(media_type) else _text(body)
    else:
        if media_type not in (STRUCTURED, "application/json"):
            raise EventError("neither a structured nor a binary CloudEvent")
        attributes = _object(body)
        data = attributes.get("data")
        if data is None and isinstance(encoded := attributes.get("data_base64"), str):
            data = _decoded(encoded)
    return _event(attributes, data)


def _event(attributes: Mapping[str, Any], data: Any) -> CloudEvent:
    missing = [n for n in ("id", "source", "type") if not isinstance(attributes.get(n), str) or not attributes[n]]
    if missing or not str(attributes.get("specversion", "")).startswith("1."):
        raise EventError(f"not a CloudEvent 1.0: {', '.join(missing) or 'specversion'} is missing or not a text")
    content = _content(data)
    if not content.strip() or len(content) > MAX_MESSAGE:
        raise EventError(f"its data makes no message of 1 to {MAX_MESSAGE} characters")
    subject = attributes.get("subject")
    return CloudEvent(attributes["id"], attributes["source"], attributes["type"], subject or None, content)


def _content(data: Any) -> str:
    """The message: a text as it is, the `content` of an object as in our own API, any other JSON as JSON."""
    if isinstance(data, dict) and isinstance(data.get("content"), str):
        data = data["content"]
    return data if isinstance(data, str) else "" if data is None else json.dumps(data, ensure_ascii=False, indent=2)


def _object(body: bytes) -> dict[str, Any]:
    value = _json(body)
    if not isinstance(value, dict):
        raise EventError("the body is not a JSON object")
    return value


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise EventError("the body is not JSON") from None


def _text(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError:
        raise EventError("the data is not UTF-8") from None


def _decoded(encoded: str) -> str:
    try:
        return _text(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise EventError("data_base64 is not base64") from None


def _is_json(media_type: str) -> bool:
    return media_type == "application/json" or media_type.endswith("+json")


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
