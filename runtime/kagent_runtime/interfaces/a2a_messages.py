"""What an A2A message says to an agent: text, or decisions on tool calls.

Source of the decisions: kagent's documentation of its extension for approvals, `tool_approval_response`.
"""

from __future__ import annotations

import json
from typing import Any

from a2a.types import Message
from a2a.utils.errors import ContentTypeNotSupportedError, InvalidParamsError
from google.protobuf.json_format import MessageToDict

from kagent_runtime.a2a_sdk import as_sent
from kagent_runtime.approvals import Verdict
from kagent_runtime.interfaces.a2a_card import APPROVALS_EXTENSION
from kagent_runtime.interfaces.openai_messages import MAX_MESSAGE

Decisions = dict[str, tuple[Verdict, str | None]]
_RESPONSE = "tool_approval_response"


def text_of(message: Message) -> str:
    """The text parts, and data as JSON. Raises A2AError for what no agent can read."""
    texts = []
    for part in message.parts:
        if part.HasField("text"):
            texts.append(part.text)
        elif part.HasField("data"):
            data = MessageToDict(part.data)
            if not _is_response(data):
                texts.append(json.dumps(as_sent(data), ensure_ascii=False, indent=2))
        else:
            raise ContentTypeNotSupportedError("the agent reads text and JSON: files and URLs are not taken")
    text = "\n".join(texts)
    if len(text) > MAX_MESSAGE:
        raise InvalidParamsError(f"a message has at most {MAX_MESSAGE} characters")
    return text


def decisions_in(message: Message) -> Decisions:
    """The decisions by call, from the extension's metadata or a data part. Raises A2AError."""
    given: list[Any] = [MessageToDict(message.metadata).get(APPROVALS_EXTENSION)]
    given += [MessageToDict(part.data) for part in message.parts if part.HasField("data")]
    return {id: decision for found in given if _is_response(found) for id, decision in _decisions(found)}


def _is_response(value: Any) -> bool:
    return isinstance(value, dict) and value.get("type") == _RESPONSE


def _decisions(response: dict[str, Any]) -> list[tuple[str, tuple[Verdict, str | None]]]:
    found: list[tuple[str, tuple[Verdict, str | None]]] = []
    approvals = response.get("approvals")
    for item in approvals if isinstance(approvals, list) else [None]:
        if (
            not isinstance(item, dict)
            or not isinstance(item.get("id"), str)
            or not isinstance(item.get("approved"), bool)
        ):
            raise InvalidParamsError("`approvals` is a list of objects with `id` (text) and `approved` (true or false)")
        reason = item.get("rejection_reason")
        verdict: Verdict = "approve" if item["approved"] else "deny"
        found.append((item["id"], (verdict, str(reason)[:2_000] if reason else None)))
    return found
