"""The servers of other wires refuse what the real services refuse, and their SDKs read what they answer."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from tests.edge.anthropic_server import AnthropicServer
from tests.edge.openai_variants import AZURE_VERSION, AzureServer, GeminiServer, VllmServer

KEY = "k-0123456789"
ASK: list[Any] = [{"role": "user", "content": "hello"}]
TOOL = {"name": "look", "description": "d", "input_schema": {"type": "object", "properties": {}}}
CALL = {"name": "look", "arguments": {"where": "here and there"}}
USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1", "name": "look", "input": {}}]}
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "x"}]}


@pytest.fixture
def claude() -> Iterator[tuple[AnthropicServer, anthropic.Anthropic]]:
    """The server, and the real SDK at it."""
    with AnthropicServer(lambda _: {"text": "Let me look.", "tool_calls": [CALL]}, api_key=KEY) as server:
        with anthropic.Anthropic(base_url=server.base_url, api_key=KEY, max_retries=0) as client:
            yield server, client


def test_a_message_is_the_same_whole_and_streamed(claude: tuple[AnthropicServer, anthropic.Anthropic]) -> None:
    """By the SDK's own accumulation of events."""
    arguments: dict[str, Any] = {"model": "m", "max_tokens": 9, "messages": ASK, "tools": [TOOL]}
    whole = claude[1].messages.create(**arguments)
    with claude[1].messages.stream(**arguments) as stream:
        streamed = stream.get_final_message()
    assert [block.type for block in streamed.content] == ["text", "tool_use"]
    assert [_plain(block) for block in streamed.content] == [_plain(block) for block in whole.content]
    assert (streamed.stop_reason, streamed.usage.input_tokens) == (whole.stop_reason, whole.usage.input_tokens)
    assert streamed.usage.output_tokens == whole.usage.output_tokens


def _plain(block: Any) -> Any:
    """Without the identity, which counts requests."""
    return (block.type, getattr(block, "text", None), getattr(block, "name", None), getattr(block, "input", None))


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "both kinds of sampling": ({"temperature": 1, "top_p": 0.5}, "cannot both be specified"),
    "a tool choice without tools": ({"tool_choice": {"type": "auto"}}, "while providing tools"),
    "a tool name": ({"tools": [{**TOOL, "name": "a b"}]}, "match pattern"),
    "an unknown field": ({"extra_body": {"seed": 1}}, "Extra inputs"),
    "an empty text": ({"messages": [{"role": "user", "content": " "}]}, "non-whitespace"),
    "an unanswered call": ({"messages": [*ASK, USE, *ASK], "tools": [TOOL]}, "without `tool_result`"),
    "calls without tools": ({"messages": [*ASK, USE, RESULT]}, "must define tools"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_anthropic_refuses_is_refused(name: str, claude: tuple[AnthropicServer, anthropic.Anthropic]) -> None:
    arguments, reason = REFUSED[name]
    with pytest.raises(anthropic.BadRequestError, match=reason):
        claude[1].messages.create(**{"model": "m", "max_tokens": 9, "messages": ASK, **arguments})


def test_anthropic_wants_its_key(claude: tuple[AnthropicServer, anthropic.Anthropic]) -> None:
    with pytest.raises(anthropic.AuthenticationError, match="x-api-key"):
        claude[1].with_options(api_key="other").messages.create(model="m", max_tokens=9, messages=ASK)


@pytest.mark.parametrize(
    ("version", "key", "error"),
    [("2023-05-15", KEY, openai.NotFoundError), (AZURE_VERSION, "other", openai.AuthenticationError)],
)
def test_azure_wants_its_version_and_key(version: str, key: str, error: type[Exception]) -> None:
    with AzureServer(lambda _: {"text": "x"}, api_key=KEY) as server:
        with openai.AzureOpenAI(
            azure_endpoint=server.base_url, azure_deployment="chat", api_version=version, api_key=key, max_retries=0
        ) as client:
            with pytest.raises(error):
                client.chat.completions.create(model="m", messages=ASK)


UNSIGNED = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"seed": 1}, "Unknown name"),
        ({"messages": [{"role": "user", "content": ""}]}, "must have a text"),
        ({"messages": [*ASK, UNSIGNED, {"role": "tool", "tool_call_id": "c", "content": "x"}]}, "thought_signature"),
    ],
)
def test_what_gemini_refuses_is_refused(arguments: dict[str, Any], reason: str) -> None:
    with GeminiServer(lambda _: {"text": "x"}, api_key=KEY) as server:
        with openai.OpenAI(base_url=server.base_url, api_key=KEY, max_retries=0) as client:
            with pytest.raises(openai.BadRequestError, match=reason):
                client.chat.completions.create(**{"model": "gemini-3-pro", "messages": ASK, **arguments})


def test_vllm_takes_fields_of_its_own() -> None:
    with VllmServer(lambda _: {"text": "x"}) as server:
        with openai.OpenAI(base_url=server.base_url, api_key="none", max_retries=0) as client:
            client.chat.completions.create(model="m", messages=ASK, extra_body={"top_k": 3})
            with pytest.raises(openai.BadRequestError, match="topk"):
                client.chat.completions.create(model="m", messages=ASK, extra_body={"topk": 3})
