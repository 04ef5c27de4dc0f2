"""The OpenAI chat completions wire format: what the real service refuses, and the bytes it answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.edge.script import Prompt, Step

JSON = dict[str, Any]

TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")
MESSAGE_NAME = re.compile(r"^[^\s<|\\/>]{1,64}$")
ROLES = ("system", "developer", "user", "assistant", "tool")
PARAMETERS = frozenset(
    "audio frequency_penalty logit_bias logprobs max_completion_tokens max_tokens messages metadata"
    " modalities model n parallel_tool_calls prediction presence_penalty prompt_cache_key"
    " reasoning_effort response_format safety_identifier seed service_tier stop store stream"
    " stream_options temperature tool_choice tools top_logprobs top_p user verbosity"
    " web_search_options".split()
)
ERROR_TYPES = {
    401: "invalid_request_error",
    403: "invalid_request_error",
    429: "requests",
    500: "server_error",
}
CREATED = 1_700_000_000


class RefusedError(Exception):
    """A request the real service answers with an error."""

    def __init__(self, message: str, *, status: int = 400, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.envelope = error_envelope(status, message, param=param, code=code)


def error_envelope(status: int, message: str, *, param: str | None = None, code: str | None = None) -> JSON:
    """Return the body of an error answer."""
    kind = ERROR_TYPES.get(status, "invalid_request_error" if status < 500 else "server_error")
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def check_authorization(header: str | None, api_key: str | None) -> None:
    """Raise RefusedError unless `header` carries `api_key` (no key configured: anything goes)."""
    if api_key is None:
        return
    scheme, _, token = (header or "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise RefusedError("You didn't provide an API key in an Authorization header using Bearer auth.", status=401)
    if token != api_key:
        raise RefusedError("Incorrect API key provided.", status=401, code="invalid_api_key")


def check_request(body: Any, more_parameters: frozenset[str] = frozenset()) -> None:
    """Raise RefusedError for a chat completion request the real service refuses."""
    if not isinstance(body, dict):
        raise RefusedError("We could not parse the JSON body of your request.")
    for name in body:
        if name not in PARAMETERS | more_parameters:
            raise RefusedError(f"Unrecognized request argument supplied: {name}", param=name)
    if not isinstance(body.get("model"), str):
        raise RefusedError("you must provide a model parameter", param="model")
    _check_stream(body)
    _check_tools(body)
    _check_messages(body.get("messages"))


def _check_stream(body: JSON) -> None:
    if body.get("stream_options") is not None and not body.get("stream"):
        raise RefusedError(
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.", param="stream_options"
        )


def _check_tools(body: JSON) -> None:
    tools = body.get("tools")
    for name in ("parallel_tool_calls", "tool_choice"):
        if not tools and body.get(name) is not None:
            raise RefusedError(
                f"Invalid value for '{name}': '{name}' is only allowed when 'tools' are specified.",
                param=name,
            )
    if tools == []:
        raise RefusedError("Invalid 'tools': empty array. Expected an array with minimum length 1.", param="tools")
    for index, tool in enumerate(tools or []):
        name = tool.get("function", {}).get("name", "")
        if not TOOL_NAME.match(name):
            param = f"tools[{index}].function.name"
            pattern = "'^[a-zA-Z0-9_-]{1,64}$'"
            raise RefusedError(f"Invalid '{param}': string does not match the pattern {pattern}.", param=param)


def _check_messages(messages: Any) -> None:
    if not isinstance(messages, list) or not messages:
        raise RefusedError("Invalid 'messages': empty array.", param="messages")
    open_calls: set[str] = set()
    for index, message in enumerate(messages):
        _check_message(message, f"messages.[{index}]")
        open_calls = _answered(message, open_calls, f"messages.[{index}]")
    _refuse_unanswered(open_calls, "messages")


def _check_message(message: JSON, param: str) -> None:
    role = message.get("role")
    if role not in ROLES:
        raise RefusedError(f"Invalid value: {role!r}. Supported values are: {', '.join(ROLES)}.", param=f"{param}.role")
    if message.get("content") is None and not message.get("tool_calls"):
        raise RefusedError(f"Invalid value for 'content': expected a string, got null. ({param})", param=param)
    name = message.get("name")
    if name is not None and not MESSAGE_NAME.match(name):
        raise RefusedError(f"Invalid '{param}.name': string does not match pattern.", param=f"{param}.name")


def _answered(message: JSON, open_calls: set[str], param: str) -> set[str]:
    """Return the tool calls still open after `message`."""
    if message["role"] == "tool":
        if message.get("tool_call_id") not in open_calls:
            raise RefusedError(
                "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with"
                " 'tool_calls'.",
                param=param,
            )
        return open_calls - {message["tool_call_id"]}
    _refuse_unanswered(open_calls, param)
    return {call["id"] for call in message.get("tool_calls") or []}


def _refuse_unanswered(open_calls: set[str], param: str) -> None:
    if open_calls:
        raise RefusedError(
            "An assistant message with 'tool_calls' must be followed by tool messages responding to each"
            " 'tool_call_id'. The following tool_call_ids did not have response messages:"
            f" {sorted(open_calls)}",
            param=param,
        )


def prompt_of(body: JSON) -> Prompt:
    """Return the parts of `body` that a script's rules look at."""
    messages: Sequence[JSON] = body["messages"]
    system = [_text(message) for message in messages if message["role"] in ("system", "developer")]
    return Prompt(
        system="\n".join(system),
        text="\n".join(_text(message) for message in messages),
        assistant_messages=sum(message["role"] == "assistant" for message in messages),
    )


def _text(message: JSON) -> str:
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


@dataclass(frozen=True)
class Completion:
    """One answer, ready to be sent whole or as a stream."""

    request: JSON
    step: Step
    number: int

    def whole(self) -> JSON:
        """Return the body of a non-streaming answer."""
        message: JSON = {"role": "assistant", "content": self.step.text or None, "refusal": None}
        if self.step.tool_calls:
            message["tool_calls"] = [
                {"id": self._call_id(index), "type": "function", "function": _function(call)}
                for index, call in enumerate(self.step.tool_calls)
            ]
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": self._finish_reason()}
        return {**self._head("chat.completion"), "choices": [choice], "usage": self.usage()}

    def frames(self) -> Iterator[str]:
        """Yield the server-sent events of a streaming answer."""
        yield self._frame({"role": "assistant", "content": None if self.step.tool_calls else "", "refusal": None})
        for word in re.findall(r"\s*\S+\s*?(?=\s|$)|\s+$", self.step.text):
            yield self._frame({"content": word})
        for index, call in enumerate(self.step.tool_calls):
            yield from self._call_frames(index, _function(call))
        yield self._frame({}, self._finish_reason())
        if self._wants_usage():
            yield _event({**self._head("chat.completion.chunk"), "choices": [], "usage": self.usage()})
        yield "data: [DONE]\n\n"

    def usage(self) -> JSON:
        """Return token counts derived from the request and the answer alone: four characters a token."""
        prompt = len(json.dumps(self.request["messages"])) // 4
        answer = max(1, (len(self.step.text) + len(json.dumps(list(self.step.tool_calls)))) // 4)
        return {"prompt_tokens": prompt, "completion_tokens": answer, "total_tokens": prompt + answer}

    def _call_frames(self, index: int, function: Mapping[str, str]) -> Iterator[str]:
        first = {"name": function["name"], "arguments": ""}
        call = {"index": index, "id": self._call_id(index), "type": "function", "function": first}
        yield self._frame({"tool_calls": [call]})
        for piece in re.findall(r"(?s).{1,8}", function["arguments"]):
            yield self._frame({"tool_calls": [{"index": index, "function": {"arguments": piece}}]})

    def _frame(self, delta: JSON, finish_reason: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        chunk = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return _event({**chunk, "usage": None} if self._wants_usage() else chunk)

    def _head(self, kind: str) -> JSON:
        identity = f"chatcmpl-{self.number:024d}"
        return {
            "id": identity,
            "object": kind,
            "created": CREATED,
            "model": self.request["model"],
            "system_fingerprint": "fp_edge",
        }

    def _call_id(self, index: int) -> str:
        return str(self.step.tool_calls[index].get("id") or f"call_{self.number:016d}{index:08d}")

    def _finish_reason(self) -> str:
        return self.step.finish_reason or ("tool_calls" if self.step.tool_calls else "stop")

    def _wants_usage(self) -> bool:
        options = self.request.get("stream_options") or {}
        return bool(options.get("include_usage")) and not self.step.is_silent


def _function(call: Mapping[str, Any]) -> dict[str, str]:
    arguments = call.get("arguments", {})
    return {
        "name": call["name"],
        "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments),
    }


def _event(body: JSON) -> str:
    return f"data: {json.dumps(body, ensure_ascii=False)}\n\n"
