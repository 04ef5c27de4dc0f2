"""What a client of another protocol sees of a turn: the answer as content, the team's activity as reasoning.

Content is for programs, so it holds what is said and nothing else: of one agent all it says, as it is written; of a
team, or of an agent that answers with JSON, the last message, once the turn is over. Reasoning holds who speaks, what
tools are called, and handovers: `reasoning_content`, DeepSeek's extension that Open WebUI and LibreChat fold away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from kagent_runtime.component_tree import answering_with_json
from kagent_runtime.config import LoadedConfig
from kagent_runtime.interfaces.turns import answer_of
from kagent_runtime.store import Event

Piece = tuple[Literal["content", "reasoning_content"], str]
_LINE = 200


def is_live(loaded: LoadedConfig) -> bool:
    """Whether all that is written is the answer: not of a team, nor where JSON is asked for."""
    return loaded.config.metadata.kind == "Agent" and not answering_with_json(loaded.component)


class ChatView:
    """Turns the events of one turn into pieces of text. `is_live`: content is what is being written.

    `is_joining`: the turn goes on already, so the message that is being written now is shown once it is whole.
    """

    def __init__(self, *, is_live: bool, is_joining: bool = False) -> None:
        self.content = ""
        self.reasoning = ""
        self._is_live = is_live
        self._is_joining, self._begun = is_joining, ""
        self._whole: set[str] = set()
        self._events: list[Event] = []
        self._shown: dict[str, str] = {}  # by message, what was streamed of it

    def see(self, event: Event) -> list[Piece]:
        """What an event adds."""
        if event["type"] != "message.delta":
            self._events.append(event)
        pieces = [piece for piece in self._pieces(event) if piece[1]]
        for kind, text in pieces:
            if kind == "content":
                self.content += text
            else:
                self.reasoning += text
        return pieces

    def _pieces(self, event: Event) -> Iterator[Piece]:
        match event["type"]:
            case "message.delta" | "message":
                yield from self._speech(event)
            case "tool.call":
                arguments = json.dumps(event["arguments"], ensure_ascii=False)
                yield self._line(f"{event['agent']} calls {event['name']} {_short(arguments)}")
            case "tool.result":
                failed = " failed" if event["isError"] else ""
                yield self._line(f"{event['name']}{failed}: {_short(event['content'])}")
            case "handoff":
                yield self._line(f"{event['agent']} hands over to {event['target']}")
            case "approval.decided":
                reason = f": {event['reason']}" if event["reason"] else ""
                yield self._line(f"{event['name']}: {event['decision']} by {event['by']}{reason}")
            case "notice":
                yield self._line(event["content"])
            case "run.finished":
                yield from self._end(event)

    def _speech(self, event: Event) -> Iterator[Piece]:
        if event["type"] == "message.delta":
            if self._is_joining and not self._begun:
                self._begun = event["messageId"]
            if event["messageId"] in (self._begun, *self._whole):
                return
        else:
            self._whole.add(event["messageId"])
        id, before = event["messageId"], self._shown.get(event["messageId"])
        new = event["content"] if event["type"] == "message.delta" else event["content"].removeprefix(before or "")
        if event["type"] == "message" and before and not event["content"].startswith(before):
            new = ""  # put in other words than it was streamed in; the log has both
        self._shown[id] = (before or "") + new
        if self._is_live:
            gap = "\n\n" if before is None and self.content else ""
            yield "content", gap + new if new else ""
        else:
            head = f"{_gap(self.reasoning)}{event['agent']}: " if before is None else ""
            yield "reasoning_content", head + new

    def _end(self, event: Event) -> Iterator[Piece]:
        if event["outcome"] == "limited":
            yield self._line(str(event["stopReason"]))
        answer = answer_of(self._events)
        if not self._is_live:
            yield "content", answer
        elif not self.content.rstrip().endswith(answer.rstrip()):  # a question to the user is said by a handover
            yield "content", ("\n\n" if self.content else "") + answer

    def say(self, text: str) -> Piece:
        """Text of ours, after what was said."""
        piece = ("\n\n" if self.content else "") + text
        self.content += piece
        return "content", piece

    def _line(self, text: str) -> Piece:
        return "reasoning_content", f"{_gap(self.reasoning)}{text}\n"


def _gap(before: str) -> str:
    return "\n" if before and not before.endswith("\n") else ""


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LINE else line[:_LINE] + "…"


def approval_line(call: Event) -> str:
    """How a call that waits is shown; the same call is always the same line."""
    arguments = json.dumps(call["arguments"], ensure_ascii=False, sort_keys=True)
    return f"- `{call['name']}` of {call['agent']}: `{arguments}` (call {call['callId']})"


def _approval_lines(call: Event) -> list[str]:
    """With what it would change, as a code block of the list's item."""
    shown = ["", *(f"      {line}" for line in call["preview"].splitlines()), ""] if call.get("preview") else []
    return [approval_line(call), *shown]


def approval_question(calls: list[Event]) -> str:
    """Asks a person to decide on calls."""
    what = "This call needs" if len(calls) == 1 else "These calls need"
    lines = [f"{what} your approval:", "", *(line for call in calls for line in _approval_lines(call)), ""]
    return "\n".join([*lines, "Answer `approve`, or `deny` with a reason."])
