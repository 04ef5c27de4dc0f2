"""The caller of a request. A context variable brings it to the store, to runs and to the audit log."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller. The subject says how it was found out, too: `token:NAME`, `ISSUER#SUB`, `certificate:NAME`, `dapr`.

    `sees_all`: an administrator who reads.
    """

    subject: str
    sees_all: bool = False


# Without authentication nobody can be told apart, and everyone shares what nobody in particular owns.
ANONYMOUS = Identity("")
CALLER: ContextVar[Identity | None] = ContextVar("CALLER", default=None)
"""None outside of requests: the process itself, at its start or its end."""


def owner() -> str:
    """To whom belongs what is created now."""
    caller = CALLER.get()
    return caller.subject if caller else ANONYMOUS.subject


def only_owner() -> str | None:
    """Whose sessions are to be found now; None: everyone's."""
    caller = CALLER.get()
    return None if caller is None or caller.sees_all else caller.subject


class RefusedError(Exception):
    """The request is refused; the text is for the caller, and holds nothing of the credential."""

    def __init__(self, status: int, detail: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers or {}


def unknown(detail: str, error: str | None = None) -> RefusedError:
    """401 with the challenge that belongs to it. Source: RFC 6750, section 3."""
    challenge = 'Bearer realm="kagent"' + (f', error="{error}"' if error else "")
    return RefusedError(401, detail, {"WWW-Authenticate": challenge})
