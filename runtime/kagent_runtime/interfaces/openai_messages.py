"""What a client of OpenAI's Chat Completions API sends, and which of it an agent can take.

Source: OpenAI's API reference, "Create chat completion". What would change the meaning of an answer and cannot be
honoured is refused; sampling parameters are the spec's, and are accepted without effect, since most clients send some.
"""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

MAX_MESSAGE = 65_536
_MAX_MESSAGES = 2_000
_THOUGHTS = re.compile(r"<details type=\"reasoning\".*?</details>|<think>.*?</think>", re.DOTALL)
_TRANSCRIPT = "The conversation so far:"
_INSTRUCTIONS = "Instructions of the client application:"
_NOW = "The user's message now:"


class RefusedError(Exception):
    """A request that is answered with an error in OpenAI's form. `is_final`: SDKs shall not try again by themselves."""

    def __init__(
        self, status: int, message: str, *, param: str | None = None, code: str | None = None, is_final: bool = False
    ) -> None:
        super().__init__(message)
        self.status, self.param, self.code, self.is_final = status, param, code, is_final


class ChatMessage(BaseModel):
    """A message of the history."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[dict[str, Any]] | None = None


class StreamOptions(BaseModel):
    """Options of a streaming answer."""

    include_usage: bool = False


class ChatRequest(BaseModel):
    """A request for a chat completion. Fields that are not listed have no effect."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(max_length=300)
    messages: list[ChatMessage] = Field(min_length=1, max_length=_MAX_MESSAGES)
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    user: str | None = None
    n: int | None = None
    stop: str | list[str] | None = None
    tools: list[Any] | None = None
    functions: list[Any] | None = None
    tool_choice: Any = None
    response_format: dict[str, Any] | None = None
    modalities: list[str] | None = None
    logprobs: bool | None = None
    logit_bias: dict[str, Any] | None = None


class Turn(BaseModel):
    """A message of the history as text."""

    role: Literal["system", "user", "assistant"]
    text: str


_OWN_TOOLS = "the agent has its own tools, from its spec; a client cannot give it others"


def _unsupported(request: ChatRequest) -> tuple[str, str] | None:
    """The first parameter that cannot be honoured, and why."""
    kind = (request.response_format or {}).get("type", "text")
    found = (
        ("tools", request.tools, _OWN_TOOLS),
        ("functions", request.functions, _OWN_TOOLS),
        ("tool_choice", request.tool_choice not in (None, "none", "auto"), _OWN_TOOLS),
        ("n", request.n not in (None, 1), "there is one answer to a message"),
        ("stop", request.stop, "an agent's answer is not cut at a text"),
        ("response_format", kind != "text", "the form of the answers is in the agent's spec (outputSchema)"),
        ("modalities", set(request.modalities or ()) - {"text"}, "the agent answers with text"),
        ("logprobs", request.logprobs, "an agent's answer has no log probabilities"),
        ("logit_bias", request.logit_bias, "an agent's answer has no logits"),
    )
    return next(((name, why) for name, given, why in found if given), None)


def turns_of(request: ChatRequest) -> list[Turn]:
    """The history as text, the user's message last. Raises RefusedError."""
    refused = _unsupported(request)
    if refused:
        name, why = refused
        raise RefusedError(400, f"`{name}` is not supported: {why}", param=name, code="unsupported_parameter")
    turns = [_turn(index, message) for index, message in enumerate(request.messages)]
    if turns[-1].role != "user":
        raise RefusedError(400, "the last message must be the user's", param="messages", code="invalid_value")
    if not turns[-1].text.strip():
        raise RefusedError(400, "the last message has no text", param="messages", code="invalid_value")
    if len(turns[-1].text) > MAX_MESSAGE:
        limit = f"a message has at most {MAX_MESSAGE} characters"
        raise RefusedError(400, limit, param="messages", code="context_length_exceeded")
    return turns


def _turn(index: int, message: ChatMessage) -> Turn:
    place = f"messages[{index}]"
    if message.role in ("tool", "function") or message.tool_calls:
        raise RefusedError(400, f"`{place}`: {_OWN_TOOLS}", param=place, code="unsupported_value")
    role: Literal["system", "user", "assistant"] = "system"
    if message.role in ("user", "assistant"):
        role = "user" if message.role == "user" else "assistant"
    text = _text(place, message.content)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RefusedError(400, f"`{place}`: not Unicode", param=place, code="invalid_value") from None
    return Turn(role=role, text=text)


def _text(place: str, content: str | list[dict[str, Any]] | None) -> str:
    if content is None or isinstance(content, str):
        return content or ""
    texts = []
    for number, part in enumerate(content):
        text = part.get("text", part.get("refusal"))
        if part.get("type") not in ("text", "refusal") or not isinstance(text, str):
            where = f"{place}.content[{number}]"
            raise RefusedError(400, f"`{where}`: the agent reads text only", param=where, code="unsupported_value")
        texts.append(text)
    return "\n".join(texts)


def spoken(text: str) -> str:
    """An answer as it was given: clients store it with its folded thoughts, or trimmed."""
    return _THOUGHTS.sub("", text).strip()


def whole(turns: list[Turn]) -> str:
    """Everything that was sent as one message, for an agent that has heard nothing of it yet."""
    instructions = [turn.text for turn in turns[:-1] if turn.role == "system" and turn.text.strip()]
    before = [turn for turn in turns[:-1] if turn.role != "system"]
    parts = []
    if instructions:
        parts += [_INSTRUCTIONS, *instructions]
    if before:
        parts += [_TRANSCRIPT, *(f"{turn.role}: {spoken(turn.text)}" for turn in before)]
    if not parts:
        return turns[-1].text
    return "\n\n".join([*parts, _NOW, turns[-1].text])
