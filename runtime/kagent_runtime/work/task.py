"""A task as JSON: `{"id"?, "session"?, "message", "metadata"?}`."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_MESSAGE = 65_536
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,127}\Z")
SESSION = re.compile(r"[0-9a-zA-Z_-]{1,32}\Z")
_FIELDS = {"id", "session", "message", "metadata"}
_MAX_METADATA = 8_192


class TaskError(Exception):
    """Not a task, now or ever. The text does not quote it."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done. `id` is its identity: two of one id are one task."""

    id: str
    message: str
    session: str | None
    metadata: dict[str, Any]

    @property
    def session_id(self) -> str:
        """The conversation it belongs to: the one it names, else one of its own."""
        return self.session or _hash("task-session", self.id)[:32]

    @property
    def key(self) -> str:
        """What the message is accepted under, once."""
        return _hash("task", self.id)

    @property
    def title(self) -> str:
        """A name for a conversation that begins with it."""
        return " ".join(self.message.split())[:80]


def _hash(*parts: str) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def read_task(body: str | bytes, id: str) -> Task:
    """The task of a body. `id` names one that gives no id of its own. Raises TaskError."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        raise TaskError("it is not JSON") from None
    if not isinstance(data, dict):
        raise TaskError("it is not a JSON object")
    if unknown := sorted(set(data) - _FIELDS):
        raise TaskError(f"it has {len(unknown)} fields other than {', '.join(sorted(_FIELDS))}")
    return _checked(data, id)


def _checked(data: Mapping[str, Any], id: str) -> Task:
    message, session, metadata = data.get("message"), data.get("session"), data.get("metadata") or {}
    if not isinstance(message, str) or not message.strip() or len(message) > MAX_MESSAGE:
        raise TaskError(f"its `message` is no text of 1 to {MAX_MESSAGE} characters")
    if session is not None and not (isinstance(session, str) and SESSION.match(session)):
        raise TaskError("its `session` is no id of a conversation: up to 32 letters, digits, `-` and `_`")
    if not isinstance(metadata, dict) or len(json.dumps(metadata)) > _MAX_METADATA:
        raise TaskError(f"its `metadata` is no object of at most {_MAX_METADATA} characters")
    return Task(identity(data.get("id", id)), message, session, metadata)


def identity(id: Any) -> str:
    """The id, if it can be one. Raises TaskError."""
    if not isinstance(id, str) or not ID.match(id):
        raise TaskError("its `id` is not 1 to 128 letters, digits and `.`, `_`, `:`, `-`")
    return id


def metadata_of(body: str) -> dict[str, Any]:
    """The metadata of a body that may be no task."""
    try:
        return read_task(body, "unknown").metadata
    except TaskError:
        return {}
