"""The audit log: one line of JSON for every call of a tool and every decision on one, whatever the level of the log.

Who made it, in which session and run, what came of it. Of the arguments a hash by default: enough to compare a call
with what was approved, and nothing of a conversation.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from kagent_runtime.auth.identity import CALLER
from kagent_runtime.settings import Arguments
from kagent_runtime.telemetry import spans

LOGGER = "kagent_runtime.audit"
RUN: ContextVar[str | None] = ContextVar("RUN", default=None)
_MASK = "[redacted]"
_MAX_TEXT = 200
_SECRET_NAME = re.compile(r"(key|token|passw(or)?d|secret|credential|authorization|cookie)s?\Z", re.IGNORECASE)
# Forms published by the issuers, as the compiler looks for them in specs.
_SECRET = re.compile(
    r"\bsk-[A-Za-z0-9_-]{20,}|\bAIza[\w-]{35}|\b(?:AKIA|ASIA)[0-9A-Z]{16}|\bgh[pousr]_\w{36,}|\bgithub_pat_\w{22,}"
    r"|\bglpat-[\w-]{20,}|\bxox[abpors]-[\w-]{10,}|\bhf_\w{30,}|\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]*"
    r"|PRIVATE KEY-----|[Bb]earer\s+\S{16,}|[a-z]+://[^\s/:@]+:[^\s/@]+@"
)
_log = logging.getLogger(LOGGER)
_how: Arguments = "hashed"


def show_arguments(how: Arguments) -> None:
    """How arguments are told from now on."""
    global _how
    _how = how


@dataclass(slots=True)
class Entry:
    """A call that goes on.

    `outcome` is `ok`, `error`, `refused` (it was never made), `cancelled`, or `recorded`: it was made before an
    interruption of the run, and its result was told again.
    """

    outcome: str = "refused"
    approval: dict[str, str] = field(default_factory=dict)

    def decided(self, decision: str, by: str, subject: str | None) -> None:
        """What became of its approval: `by` is `person`, `expiry` or `cancel`."""
        person = {"approvedBy": subject} if subject is not None else {}
        self.approval = {"decision": decision, "decidedBy": by} | person


@contextmanager
def tool_call(agent: str, tool: str, call_id: str | None, arguments: Mapping[str, Any]) -> Iterator[Entry]:
    """A call of a tool; the line is written when the block ends, however that is."""
    entry, started = Entry(), time.monotonic()
    try:
        yield entry
    except BaseException as error:
        entry.outcome = "error" if isinstance(error, Exception) else "cancelled"
        raise
    finally:
        about = {"agent": agent, "tool": tool, "callId": call_id or "", **_told(arguments)}
        duration = round((time.monotonic() - started) * 1000, 1)
        _write("tool.call", **about, **entry.approval, outcome=entry.outcome, durationMs=duration)


def decision(session_id: str, call_id: str, verdict: str) -> None:
    """A person's decision on a call that waits."""
    _write("approval.decided", session=session_id, callId=call_id, decision=verdict)


def _write(event: str, **fields: Any) -> None:
    caller = CALLER.get()
    about = {"event": event, "subject": caller.subject if caller else "", "session": spans.CONVERSATION.get()}
    _log.info(event, extra=about | {"run": RUN.get()} | fields)


def _told(arguments: Mapping[str, Any]) -> dict[str, Any]:
    if _how == "omitted":
        return {}
    if _how == "redacted":
        return {"arguments": _redacted(dict(arguments))}
    canonical = json.dumps(arguments, sort_keys=True, separators=(",", ":"), default=str)
    return {"argumentsSha256": hashlib.sha256(canonical.encode()).hexdigest()}


def _redacted(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {key: _redacted(item, str(key)) for key, item in value.items()}
    if isinstance(value, list):
        return [_redacted(item, name) for item in value]
    if _SECRET_NAME.search(name):
        return _MASK
    if not isinstance(value, str):
        return value
    if _SECRET.search(value):
        return _MASK
    return value if len(value) <= _MAX_TEXT else f"{value[:_MAX_TEXT]}… ({len(value)} characters)"
