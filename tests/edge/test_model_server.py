"""The scripted model is only worth something if the official client believes it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.edge.model_server import ModelRequest, ModelServer, Script
from tests.edge.script import Step

WEATHER = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {}}},
}
ASK: Any = [{"role": "system", "content": "You are Ann."}, {"role": "user", "content": "hello"}]


@contextmanager
def served(script: Script, *, api_key: str = "k", retries: int = 0, **options: Any) -> Iterator[Any]:
    """Yield a server of `script` and an official client (Any: tests send what the SDK's types forbid)."""
    with (
        ModelServer(script, api_key="k", **options) as server,
        openai.OpenAI(base_url=server.base_url, api_key=api_key, max_retries=retries, timeout=5) as client,
    ):
        yield server, client


def steps(*given: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"system": "Ann", "steps": list(given)}]


def test_a_whole_answer_carries_text_and_usage() -> None:
    with served(steps({"text": "good  morning\n"})) as (server, client):
        answer = client.chat.completions.create(model="gpt-4o", messages=ASK)
    assert answer.choices[0].message.content == "good  morning\n"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert server.requests[0].system == "You are Ann."
    assert server.requests[0].messages[-1]["content"] == "hello"


@pytest.mark.parametrize("text", ["", " ", "one", "two words", "  line\n\n  next, größer\t", "a" * 500])
def test_a_stream_adds_up_to_the_text(text: str) -> None:
    with served(steps({"text": text})) as (_, client):
        chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == text
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_is_streamed_only_on_request() -> None:
    with served(steps({"text": "x"})) as (_, client):
        options = {"include_usage": True}
        chunks = list(client.chat.completions.create(model="m", messages=ASK, stream=True, stream_options=options))
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens > 0
    assert all(chunk.usage is None for chunk in chunks[:-1])


def test_tool_calls_arrive_in_pieces_and_whole() -> None:
    calls = [
        {"name": "weather", "arguments": {"city": "Zürich"}},
        {"name": "weather", "arguments": "{broken"},
    ]
    with served(steps({"text": "Let me see.", "tool_calls": calls})) as (_, client):
        with client.chat.completions.stream(model="m", messages=ASK, tools=[WEATHER]) as stream:
            streamed = stream.get_final_completion().choices[0]
        whole = client.chat.completions.create(model="m", messages=ASK, tools=[WEATHER]).choices[0]
    for choice in (streamed, whole):
        assert choice.finish_reason == "tool_calls"
        assert choice.message.content == "Let me see."
        arguments = [call.function.arguments for call in choice.message.tool_calls]
        assert json.loads(arguments[0]) == {"city": "Zürich"}
        assert arguments[1] == "{broken"
        assert len({call.id for call in choice.message.tool_calls}) == 2


def test_steps_follow_the_conversation_not_the_clock() -> None:
    script = steps({"tool_calls": [{"name": "weather"}]}, {"text": "sunny"})
    with served(script) as (_, client):
        first = client.chat.completions.create(model="m", messages=ASK, tools=[WEATHER]).choices[0].message
        again = client.chat.completions.create(model="m", messages=ASK, tools=[WEATHER]).choices[0].message
        result = {"role": "tool", "tool_call_id": first.tool_calls[0].id, "content": "22 °C"}
        conversation = [*ASK, first.to_dict(), result]
        last = client.chat.completions.create(model="m", messages=conversation).choices[0].message
        assert again.tool_calls
        assert last.content == "sunny"
        done = [*conversation, {"role": "assistant", "content": "sunny"}]
        with pytest.raises(openai.BadRequestError, match="used up"):
            client.chat.completions.create(model="m", messages=done)


def test_a_selector_is_answered_by_turn() -> None:
    prompt: Any = [{"role": "system", "content": "Then select the next role from ['a', 'b']."}]
    with served([{"selector": ["a", "b"]}]) as (_, client):
        names = [
            client.chat.completions.create(model="m", messages=prompt).choices[0].message.content for _ in range(2)
        ]
    assert names == ["a", "b"]


def test_an_error_is_answered_so_many_times_and_retried_by_the_client() -> None:
    script = steps({"error": 429, "times": 2, "retry_after": 0.01}, {"text": "at last"})
    with served(script, retries=2) as (server, client):
        answer = client.chat.completions.create(model="m", messages=ASK)
    assert answer.choices[0].message.content == "at last"
    assert [request.status for request in server.requests] == [429, 429, 200]


def test_an_error_without_a_number_of_times_stays() -> None:
    with served(steps({"error": 503, "text": "overloaded"})) as (_, client):
        for _ in range(3):
            with pytest.raises(openai.InternalServerError, match="overloaded"):
                client.chat.completions.create(model="m", messages=ASK)


@pytest.mark.parametrize("stream", [True, False])
def test_a_cut_connection_is_an_error_to_the_client(stream: bool) -> None:
    with served(steps({"text": "one two three four five six", "cut": True})) as (_, client):

        def read() -> None:
            answer = client.chat.completions.create(model="m", messages=ASK, stream=stream)
            if stream:
                list(answer)

        # The SDK wraps what breaks before the headers; a body that breaks is raised as its transport's error.
        with pytest.raises(Exception, match=r"(?i)connection|peer closed|incomplete"):
            read()


def test_a_sleep_delays_and_a_client_that_leaves_is_noticed() -> None:
    with served(steps({"text": "slow", "sleep": 3})) as (server, client):
        with pytest.raises(openai.APITimeoutError):
            client.chat.completions.create(model="m", messages=ASK, timeout=0.2)
        deadline = time.monotonic() + 2
        while not server.requests[0].hung_up and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.requests[0].hung_up


def test_a_stream_the_client_closes_is_noticed() -> None:
    with served(steps({"text": "word " * 50, "chunk_sleep": 0.02})) as (server, client):
        stream = client.chat.completions.create(model="m", messages=ASK, stream=True)
        next(iter(stream))
        stream.close()
        deadline = time.monotonic() + 2
        while not server.requests[0].hung_up and time.monotonic() < deadline:
            time.sleep(0.01)
        assert server.requests[0].hung_up


def test_a_function_can_be_the_script() -> None:
    def answer(request: ModelRequest) -> Step:
        return Step(text=request.messages[-1]["content"].upper())

    with served(answer) as (_, client):
        assert client.chat.completions.create(model="m", messages=ASK).choices[0].message.content == "HELLO"


def test_keys_are_checked() -> None:
    with served(steps({"text": "x"}), api_key="wrong") as (_, client):
        with pytest.raises(openai.AuthenticationError, match="Incorrect API key"):
            client.chat.completions.create(model="m", messages=ASK)
        with pytest.raises(openai.AuthenticationError):
            client.models.list()


def test_models_are_listed_and_others_unknown() -> None:
    with served(steps({"text": "x"}), models=["gpt-4o"]) as (_, client):
        assert [model.id for model in client.models.list()] == ["gpt-4o"]
        with pytest.raises(openai.NotFoundError, match="does not exist"):
            client.chat.completions.create(model="gpt-5", messages=ASK)


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "stream options without a stream": ({"stream_options": {"include_usage": True}}, "stream_options"),
    "parallel calls without tools": ({"parallel_tool_calls": False}, "parallel_tool_calls"),
    "tool choice without tools": ({"tool_choice": "auto"}, "tool_choice"),
    "an empty list of tools": ({"tools": []}, "empty array"),
    "a bad tool name": ({"tools": [{"type": "function", "function": {"name": "kubectl get"}}]}, "pattern"),
    "a long tool name": ({"tools": [{"type": "function", "function": {"name": "a" * 65}}]}, "pattern"),
    "an unknown argument": ({"extra_body": {"temprature": 1}}, "Unrecognized request argument"),
    "no messages": ({"messages": []}, "empty array"),
    "an unknown role": ({"messages": [{"role": "robot", "content": "x"}]}, "robot"),
    "a name with a space": ({"messages": [{"role": "user", "name": "a b", "content": "x"}]}, "pattern"),
    "no content": ({"messages": [{"role": "user", "content": None}]}, "got null"),
    "an unknown tool call": (
        {"messages": [*ASK, {"role": "tool", "tool_call_id": "call_9", "content": "x"}]},
        "must be a response to a preceeding message",
    ),
    "an unanswered tool call": (
        {"messages": [*ASK, {"role": "assistant", "tool_calls": [CALL]}, {"role": "user", "content": "x"}]},
        "did not have response messages",
    ),
    "a script without a rule": ({"messages": [{"role": "user", "content": "x"}]}, "no rule matches"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_the_real_service_refuses_is_refused(name: str) -> None:
    arguments, reason = REFUSED[name]
    with served(steps({"text": "x"})) as (_, client):
        with pytest.raises(openai.BadRequestError, match=reason):
            client.chat.completions.create(**{"model": "m", "messages": ASK, **arguments})


@pytest.mark.parametrize("rule", [{"steps": [{"txt": "x"}]}, {"sytem": "x", "steps": []}])
def test_a_misspelt_script_is_refused_at_once(rule: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="unknown"):
        ModelServer([rule])


def test_requests_can_be_awaited() -> None:
    with served(steps({"text": "x"})) as (server, client):
        ask = {"model": "m", "messages": ASK}
        late = threading.Timer(0.05, client.chat.completions.create, kwargs=ask)
        late.start()
        assert len(server.wait_for_requests(1)) == 1
        late.join()
        with pytest.raises(TimeoutError):
            server.wait_for_requests(2, timeout=0.05)


def test_another_process_can_serve_a_script_file(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps({"api_key": "k", "rules": steps({"text": "from afar"})}), encoding="utf-8")
    command = [sys.executable, "-m", "tests.edge.model_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            base_url = process.stdout.readline().removeprefix("model-server: ").strip()
            with openai.OpenAI(base_url=base_url, api_key="k", max_retries=0) as client:
                answer = client.chat.completions.create(model="m", messages=ASK)
        finally:
            process.terminate()
    assert answer.choices[0].message.content == "from afar"
