"""The Messages API's wire format: what the real service refuses, and the events it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tests.edge.openai_wire import JSON, TOOL_NAME, RefusedError
from tests.edge.script import Prompt, Step

VERSION = "2023-06-01"
PARAMETERS = frozenset(
    "model messages max_tokens system temperature top_p top_k stop_sequences stream tools tool_choice metadata"
    " thinking service_tier container".split()
)
ERROR_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class RefusedMessageError(RefusedError):
    """A request the real service answers with an error."""

    def __init__(self, message: str, status: int = 400) -> None:
        super().__init__(message, status=status)
        self.envelope = envelope(status, message)


def envelope(status: int, message: str) -> JSON:
    """Return the body of an error answer."""
    error = {"type": ERROR_TYPES.get(status, "api_error"), "message": message}
    return {"type": "error", "error": error, "request_id": "req_edge"}


def check_headers(headers: Mapping[str, str], api_key: str | None) -> None:
    """Raise RefusedMessageError unless the key and the version are there."""
    if api_key is not None and headers.get("x-api-key") != api_key:
        raise RefusedMessageError("invalid x-api-key", 401)
    if headers.get("anthropic-version") != VERSION:
        raise RefusedMessageError("anthropic-version: header is required")


def check_body(body: Any) -> None:
    """Raise RefusedMessageError for a request the real service refuses."""
    for name in body:
        if name not in PARAMETERS:
            raise RefusedMessageError(f"{name}: Extra inputs are not permitted")
    for name in ("model", "max_tokens", "messages"):
        if not body.get(name):
            raise RefusedMessageError(f"{name}: Field required")
    if body.get("temperature") is not None and body.get("top_p") is not None:
        raise RefusedMessageError("`temperature` and `top_p` cannot both be specified for this model.")
    _check_tools(body)
    _check_messages(body)


def _check_tools(body: JSON) -> None:
    for index, tool in enumerate(body.get("tools") or []):
        if not TOOL_NAME.match(tool["name"]):
            raise RefusedMessageError(f"tools.{index}.name: String should match pattern")
        if tool["input_schema"].get("type") != "object":
            raise RefusedMessageError(f"tools.{index}.input_schema.type: Input should be 'object'")
    if body.get("tool_choice") and not body.get("tools"):
        raise RefusedMessageError("tool_choice may only be specified while providing tools.")


def _check_messages(body: JSON) -> None:
    asked: set[str] = set()
    for index, message in enumerate(body["messages"]):
        if message["role"] not in ("user", "assistant"):
            raise RefusedMessageError(f"messages.{index}.role: Input should be 'user' or 'assistant'")
        blocks = _blocks(message)
        if not blocks or any(block["type"] == "text" and not block["text"].strip() for block in blocks):
            raise RefusedMessageError(f"messages.{index}: text content blocks must contain non-whitespace text")
        answered = {block["tool_use_id"] for block in blocks if block["type"] == "tool_result"}
        if answered != asked:
            raise RefusedMessageError(f"messages.{index}: `tool_use` ids without `tool_result` blocks: {asked}")
        uses = [block for block in blocks if block["type"] == "tool_use"]
        if uses and not body.get("tools"):
            raise RefusedMessageError("Requests which include `tool_use` blocks must define tools")
        asked = {block["id"] for block in uses}
    if asked:
        raise RefusedMessageError("the last `tool_use` has no `tool_result`")


def _blocks(message: JSON) -> list[JSON]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def prompt_of(body: JSON) -> Prompt:
    """Return the parts of `body` that a script's rules look at."""
    texts = [block.get("text", "") for message in body["messages"] for block in _blocks(message)]
    system = body.get("system") or ""
    return Prompt(
        system=system if isinstance(system, str) else "".join(block["text"] for block in system),
        text="\n".join(texts),
        assistant_messages=sum(message["role"] == "assistant" for message in body["messages"]),
    )


@dataclass(frozen=True)
class Message:
    """One answer, ready to be sent whole or as a stream."""

    request: JSON
    step: Step
    number: int

    def whole(self) -> JSON:
        """Return the body of a non-streaming answer."""
        content: list[JSON] = [{"type": "text", "text": self.step.text}] if self.step.text else []
        content += [self._use(index, call) for index, call in enumerate(self.step.tool_calls)]
        return self._head() | {"content": content, "stop_reason": self._reason(), "usage": self.usage()}

    def frames(self) -> Iterator[str]:
        """Yield the server-sent events of a streaming answer."""
        usage = self.usage() | {"output_tokens": 1}
        yield _event({"type": "message_start", "message": self._head() | {"content": [], "usage": usage}})
        yield _event({"type": "ping"})
        index = 0
        if self.step.text:
            words = re.findall(r"\s*\S+\s*?(?=\s|$)|\s+$", self.step.text)
            deltas = [{"type": "text_delta", "text": word} for word in words]
            yield from _block(0, {"type": "text", "text": ""}, deltas)
            index = 1
        for number, call in enumerate(self.step.tool_calls):
            raw = call.get("arguments", {})
            text = raw if isinstance(raw, str) else json.dumps(raw)
            deltas = [{"type": "input_json_delta", "partial_json": part} for part in re.findall(r"(?s).{1,8}", text)]
            yield from _block(index + number, self._use(number, call) | {"input": {}}, deltas)
        delta = {"stop_reason": self._reason(), "stop_sequence": None}
        usage = {"output_tokens": self.usage()["output_tokens"]}
        yield _event({"type": "message_delta", "delta": delta, "usage": usage})
        yield _event({"type": "message_stop"})

    def usage(self) -> dict[str, int]:
        """Return token counts derived from the request and the answer alone: four characters a token."""
        answer = max(1, (len(self.step.text) + len(json.dumps(list(self.step.tool_calls)))) // 4)
        return {"input_tokens": len(json.dumps(self.request["messages"])) // 4, "output_tokens": answer}

    def _head(self) -> JSON:
        return {
            "id": f"msg_{self.number:024d}",
            "type": "message",
            "role": "assistant",
            "model": self.request["model"],
            "stop_reason": None,
            "stop_sequence": None,
        }

    def _use(self, index: int, call: Mapping[str, Any]) -> JSON:
        identity = f"toolu_{self.number:016d}{index:08d}"
        return {"type": "tool_use", "id": identity, "name": call["name"], "input": call.get("arguments", {})}

    def _reason(self) -> str:
        return self.step.finish_reason or ("tool_use" if self.step.tool_calls else "end_turn")


def _block(index: int, start: JSON, deltas: list[JSON]) -> Iterator[str]:
    yield _event({"type": "content_block_start", "index": index, "content_block": start})
    for delta in deltas:
        yield _event({"type": "content_block_delta", "index": index, "delta": delta})
    yield _event({"type": "content_block_stop", "index": index})


def _event(body: JSON) -> str:
    return f"event: {body['type']}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n"
