"""The seam to the agent library: our own events, so that another engine than AutoGen fits."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

State = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SavedState:
    """A state, and the version of the engine's tree that it fits."""

    version: str
    data: State


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens, and what they cost where prices are known."""

    prompt: int = 0
    completion: int = 0
    cost: Decimal | None = None
    currency: str | None = None

    def plus(self, other: Usage | None) -> Usage:
        """The sum."""
        if other is None:
            return self
        costs = [usage.cost for usage in (self, other) if usage.cost is not None or usage.prompt or usage.completion]
        # A sum without the part that has no price would be taken for the whole.
        cost = None if not costs or None in costs else sum(filter(None, costs), Decimal())
        tokens = self.prompt + other.prompt, self.completion + other.completion
        return Usage(*tokens, cost, self.currency or other.currency)


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of a message that is being written."""

    message_id: str
    agent: str
    content: str


@dataclass(frozen=True, slots=True)
class SpeakerSelected:
    """Who speaks next."""

    agent: str


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message of an agent."""

    message_id: str
    agent: str
    content: str
    usage: Usage | None
    output: Any = None
    """The content as data, of an agent that answers with JSON."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """An agent calls a tool. `arguments` is the text when it is not JSON."""

    call_id: str
    agent: str
    name: str
    arguments: dict[str, Any] | str


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What the tool answered."""

    call_id: str
    agent: str
    name: str
    content: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """A call waits for a person, until `expires_at` (RFC 3339)."""

    call_id: str
    agent: str
    name: str
    arguments: dict[str, Any]
    expires_at: str
    preview: str | None = None
    """What it would change, by a dry run."""


@dataclass(frozen=True, slots=True)
class ApprovalDecided:
    """A call waits no longer. `by` is `person`, `expiry` or `cancel`."""

    call_id: str
    agent: str
    name: str
    decision: str
    by: str
    reason: str | None


@dataclass(frozen=True, slots=True)
class Handoff:
    """An agent hands the conversation over."""

    agent: str
    target: str
    content: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know of this turn."""

    content: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The run ended by itself; `state` continues the conversation, and without one the state before it does.

    `is_limited`: a limit kept a call from it.
    """

    stop_reason: str | None
    state: State | None
    usage: Usage = field(default_factory=Usage)
    is_limited: bool = False


EngineEvent = (
    Delta
    | SpeakerSelected
    | Message
    | ToolCall
    | ToolResult
    | ApprovalRequested
    | ApprovalDecided
    | Handoff
    | Notice
    | Finished
)


class EngineError(Exception):
    """A run failed. `title` and `detail` are for people; there is no traceback and no secret in them."""

    def __init__(self, title: str, detail: str, usage: Usage | None = None) -> None:
        super().__init__(f"{title}: {detail}")
        self.title, self.detail, self.usage = title, detail, usage or Usage()


class Engine(Protocol):
    """Runs turns of one agent or team. Stateless between runs: the state goes in and out."""

    state_version: str
    """States saved under another version do not fit."""
    config_version: str
    """A turn that was begun under another version cannot go on."""

    async def start(self) -> None:
        """Build everything once, so that a bad config or a missing key is known before readiness."""

    def run(self, task: str, state: SavedState | None, stop: Stop) -> AsyncIterator[EngineEvent]:
        """One turn. Ends with Finished; raises EngineError, Cancelled when `stop` was used, and Limited."""


class Stop:
    """Ends a run from outside: at once, or after its current turn. `limit` is the reason when it is a limit."""

    def __init__(self) -> None:
        self._callbacks: list[Any] = []
        self.is_requested = False
        self.is_finish_requested = False
        self.limit: str | None = None

    def finish(self) -> None:
        """Stop when the current turn is over."""
        self.is_finish_requested = True

    def request(self, limit: str | None = None) -> None:
        """Stop as soon as possible; the first reason holds."""
        if not self.is_requested:
            self.limit = limit
        self.is_requested = True
        for callback in self._callbacks:
            callback()

    def on_request(self, callback: Any) -> None:
        """Call back when the stop is requested, at once if it was."""
        self._callbacks.append(callback)
        if self.is_requested:
            callback()


class Cancelled(Exception):
    """The run was stopped from outside; `usage` is what it cost until then."""

    def __init__(self, usage: Usage) -> None:
        super().__init__()
        self.usage = usage


class Limited(Exception):
    """A limit ended the run; the text is the stop reason, `usage` is what it cost until then."""

    def __init__(self, reason: str, usage: Usage) -> None:
        super().__init__(reason)
        self.usage = usage
