"""Whose is what: every query about a session adds this, so that what belongs to another caller is not found."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import ColumnElement, select, true

from kagent_runtime.auth.identity import only_owner, owner
from kagent_runtime.storage.tables import SESSIONS


def mine(session_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether the caller may know of the session of this id: always, for the process itself."""
    subject = only_owner()
    if subject is None:
        return true()
    if session_id is SESSIONS.c.id:
        return SESSIONS.c.owner == subject
    return session_id.in_(select(SESSIONS.c.id).where(SESSIONS.c.owner == subject))


def own_key(key: str) -> str:
    """A key that a caller chose, apart from the same key of another one: at most 64 characters."""
    subject = owner()
    return hashlib.sha256(f"{subject}\0{key}".encode()).hexdigest() if subject else key
