"""Agents as models of an OpenAI-compatible server, to the official SDK."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types.chat import ChatCompletionMessageParam as Param

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.process import Runtime, types
from tests.runtime.puppet import task
from tests.runtime.specs import agent, compiled

FREE = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "checkout-1"}}
HELD = {"name": "kubectl-get", "arguments": {"resource": "pods"}}


def client(runtime: Runtime, **options: Any) -> OpenAI:
    """The SDK as people use it, without its own retries."""
    given = {"max_retries": 0, "timeout": 30} | options
    _OPEN.append(OpenAI(base_url=f"{runtime.url}/v1", api_key="any", **given))
    return _OPEN[-1]


_OPEN: list[OpenAI] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Close what a test opened: the garbage collector would, some time, and complain in another test."""
    yield
    while _OPEN:
        _OPEN.pop().close()


def user(text: str) -> Param:
    return {"role": "user", "content": text}


def assistant(text: str) -> Param:
    return {"role": "assistant", "content": text}


def stream(runtime: Runtime, model: str, messages: list[Param], **more: Any) -> tuple[str, str, list[Any]]:
    """Content, reasoning and all chunks of a streaming answer."""
    chunks = list(client(runtime).chat.completions.create(model=model, messages=messages, stream=True, **more))
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    content = "".join(delta.content or "" for delta in deltas)
    return content, "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas), chunks


def echo(request: ModelRequest) -> dict[str, Any]:
    """Says how many messages it has heard, and the last one."""
    heard = [message for message in request.messages if message["role"] != "system"]
    return {"text": f"{len(heard)} heard, the last: {heard[-1]['content']}"}


@pytest.fixture(scope="module")
def parrot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    folder = tmp_path_factory.mktemp("parrot")
    with ModelServer(echo) as model:
        with Runtime(compiled(folder / "specs", model.base_url, agent("parrot")), folder / "run") as runtime:
            yield runtime


def _sessions(runtime: Runtime) -> int:
    return len(runtime.client.get("/api/v1/sessions?limit=500").json()["sessions"])


def test_the_agent_is_the_only_model(solo: Runtime) -> None:
    (model,) = client(solo).models.list().data
    assert (model.id, model.object) == ("solo", "model")
    assert client(solo).models.retrieve("solo") == model
    with pytest.raises(openai.NotFoundError) as refused:
        client(solo).models.retrieve("gpt-4o")
    assert refused.value.code == "model_not_found"


def test_an_answer_streams_as_it_is_written(solo: Runtime) -> None:
    """Many chunks, the usage in a last one of its own, and no event of ours among them."""
    text = "word " * 30 + "end"
    message = task(solo=[{"text": text, "chunk_sleep": 0.01}])
    content, reasoning, chunks = stream(solo, "solo", [user(message)], stream_options={"include_usage": True})
    assert (content, reasoning) == (text, "")
    assert len([chunk for chunk in chunks if chunk.choices and chunk.choices[0].delta.content]) > 3
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage.total_tokens == chunks[-1].usage.prompt_tokens + chunks[-1].usage.completion_tokens > 0
    assert len({chunk.id for chunk in chunks}) == 1


def test_a_whole_answer_has_its_usage(solo: Runtime) -> None:
    message = task(solo=[{"text": "All is well."}])
    answer = client(solo).chat.completions.create(model="solo", messages=[user(message)])
    assert answer.choices[0].message.content == "All is well."
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens > 0
    assert answer.usage.completion_tokens > 0


def test_tools_are_reasoning_and_not_content(solo: Runtime) -> None:
    message = task(solo=[{"tool_calls": [FREE]}, {"text": "It runs."}])
    content, reasoning, _ = stream(solo, "solo", [user(message)])
    assert content == "It runs."
    assert 'solo calls kubectl-describe {"resource": "pods", "name": "checkout-1"}' in reasoning
    answer = client(solo).chat.completions.create(model="solo", messages=[user(message)])
    assert answer.choices[0].message.content == "It runs."
    assert answer.choices[0].message.tool_calls is None


def test_of_a_team_the_last_message_is_the_answer(desk: Runtime) -> None:
    """The others are reasoning, with their speakers; streaming and whole answers are the same."""
    hand = {"name": "transfer_to_back", "arguments": {}}
    message = task(front=[{"text": "I ask the back.", "tool_calls": [hand]}], back=[{"text": "Solved. DONE"}] * 3)
    content, reasoning, _ = stream(desk, "the-team", [user(message)])
    assert content == "Solved. DONE"
    assert "front: I ask the back." in reasoning
    assert "front hands over to back" in reasoning
    answer = client(desk).chat.completions.create(model="the-team", messages=[user(message)])
    assert answer.choices[0].message.content == content


def test_a_team_that_asks_the_user_goes_on_with_the_answer(desk: Runtime) -> None:
    """In the same session, with the agent that asked."""
    asks = task(front=[{"text": "Which cluster?", "tool_calls": [{"name": "transfer_to_user", "arguments": {}}]}])
    question, _, _ = stream(desk, "the-team", [user(asks)])
    assert question == "Which cluster?"
    before = _sessions(desk)
    reply = task(front=[{"text": "Then it is DONE"}])
    content, _, _ = stream(desk, "the-team", [user(asks), assistant(question), user(reply)])
    assert content == "Then it is DONE"
    assert _sessions(desk) == before


def test_a_history_continues_its_session(parrot: Runtime) -> None:
    """The agent hears only what is new, also when a client trims answers or keeps thoughts in them."""
    history = [user("one")]
    first, _, _ = stream(parrot, "parrot", history)
    assert first == "1 heard, the last: one"
    before = _sessions(parrot)
    stored = f'<details type="reasoning" done="true">\n> Thinking\n</details>\n{first}  '
    history += [assistant(stored), user("two")]
    second, _, _ = stream(parrot, "parrot", history)
    assert second == "3 heard, the last: two"
    assert _sessions(parrot) == before


def test_an_edited_history_is_a_conversation_of_its_own(parrot: Runtime) -> None:
    """The agent reads the history as text; the first conversation is left as it is."""
    history = [user("blue")]
    first, _, _ = stream(parrot, "parrot", history)
    second, _, _ = stream(parrot, "parrot", [*history, assistant(first), user("green")])
    again, _, _ = stream(parrot, "parrot", [*history, assistant(first), user("red")])
    assert second == "3 heard, the last: green"
    assert again.startswith("1 heard, the last: The conversation so far:")
    assert "user: blue" in again
    assert f"assistant: {first}" in again
    assert again.endswith("The user's message now:\n\nred")
    foreign, _, _ = stream(parrot, "parrot", [user("x"), assistant("never said"), user("y")])
    assert "assistant: never said" in foreign


def test_instructions_of_the_client_are_told_once(parrot: Runtime) -> None:
    """As part of the user's message: they do not replace the prompt of the spec."""
    system: Param = {"role": "system", "content": "Answer in French."}
    first, _, _ = stream(parrot, "parrot", [system, user("hello")])
    assert "Instructions of the client application:\n\nAnswer in French." in first
    second, _, _ = stream(parrot, "parrot", [system, user("hello"), assistant(first), user("again")])
    assert second == "3 heard, the last: again"


def test_a_named_conversation_needs_no_history(parrot: Runtime) -> None:
    """And is another one for another caller."""
    named = {"X-Conversation-Id": "ticket-17"}
    stream(parrot, "parrot", [user("one")], extra_headers=named)
    second, _, _ = stream(parrot, "parrot", [user("two")], extra_headers=named)
    assert second == "3 heard, the last: two"
    other, _, _ = stream(parrot, "parrot", [user("two")], extra_headers=named, user="somebody-else")
    assert other == "1 heard, the last: two"


def test_an_approval_is_asked_for_and_answered_in_the_chat(solo: Runtime, cluster: KubernetesApi) -> None:
    """What is neither yes nor no decides nothing."""
    before = len(cluster.requests)
    history = [user(task(solo=[{"tool_calls": [HELD]}, {"text": "One pod."}]))]
    question, _, chunks = stream(solo, "solo", history)
    assert "This call needs your approval:" in question
    assert '`kubectl-get` of solo: `{"resource": "pods"}`' in question
    assert chunks[-1].choices[0].finish_reason == "stop"
    history += [assistant(question), user("yes, but only in staging")]
    repeated, _, _ = stream(solo, "solo", history)
    assert repeated == question
    assert len(cluster.requests) == before
    history += [assistant(repeated), user("approve")]
    answer, _, _ = stream(solo, "solo", history)
    assert answer == "One pod."
    assert len(cluster.requests) == before + 1


def test_a_denial_tells_its_reason(solo: Runtime, model: ModelServer, cluster: KubernetesApi) -> None:
    before = len(cluster.requests)
    history = [user(task(solo=[{"tool_calls": [HELD]}, {"text": "Then not."}]))]
    question, _, _ = stream(solo, "solo", history)
    answer = client(solo).chat.completions.create(
        model="solo", messages=[*history, assistant(question), user("no, it is Friday")]
    )
    assert answer.choices[0].message.content == "Then not."
    assert "a person denied this call: it is Friday" in model.requests[-1].messages[-1]["content"]
    assert len(cluster.requests) == before


UNSUPPORTED: list[tuple[str, Any]] = [
    ("tools", [{"type": "function", "function": {"name": "f", "parameters": {}}}]),
    ("functions", [{"name": "f"}]),
    ("tool_choice", "required"),
    ("n", 2),
    ("stop", ["END"]),
    ("response_format", {"type": "json_object"}),
    ("modalities", ["text", "audio"]),
    ("logprobs", True),
    ("logit_bias", {"50256": -100}),
]


@pytest.mark.parametrize(("name", "value"), UNSUPPORTED, ids=[name for name, _ in UNSUPPORTED])
def test_what_cannot_be_honoured_is_refused(solo: Runtime, name: str, value: Any) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client(solo).chat.completions.create(model="solo", messages=[user("hi")], extra_body={name: value})
    assert (refused.value.param, refused.value.code) == (name, "unsupported_parameter")
    assert refused.value.type == "invalid_request_error"


HISTORIES: list[tuple[list[Any], str]] = [
    ([assistant("x")], "messages"),
    ([user("  ")], "messages"),
    ([user("x" * 70_000)], "messages"),
    ([{"role": "tool", "tool_call_id": "1", "content": "x"}, user("x")], "messages[0]"),
    ([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}], "messages[0].content[0]"),
    ([{"role": "king", "content": "x"}], "messages.0.role"),
]


@pytest.mark.parametrize(("messages", "param"), HISTORIES, ids=[str(number) for number in range(len(HISTORIES))])
def test_messages_that_no_agent_can_read_are_refused(solo: Runtime, messages: list[Any], param: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client(solo).chat.completions.create(model="solo", messages=messages)
    assert refused.value.param == param


def test_half_a_character_is_refused(solo: Runtime) -> None:
    """No database takes it."""
    body = b'{"model": "solo", "messages": [{"role": "user", "content": "\\ud800"}]}'
    answer = solo.client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "messages[0]")


def test_another_model_is_not_found(solo: Runtime) -> None:
    with pytest.raises(openai.NotFoundError) as refused:
        client(solo).chat.completions.create(model="gpt-4o", messages=[user("hi")])
    assert refused.value.code == "model_not_found"


def test_text_parts_and_sampling_parameters_are_taken(parrot: Runtime) -> None:
    """Most clients send some; the spec's are used."""
    parts: Param = {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}
    content, _, _ = stream(parrot, "parrot", [parts], temperature=0.2, max_tokens=5, seed=1, top_p=0.5)
    assert content == "1 heard, the last: a\nb"


def test_a_failed_run_is_an_error_that_is_not_tried_again(solo: Runtime, model: ModelServer) -> None:
    """A whole turn would be repeated by the SDK; as a stream, the error is its last event."""
    message = task(solo=[{"error": 400, "text": "The model has a bad day."}])
    before = len(model.requests)
    retrying = client(solo, max_retries=3)
    with pytest.raises(openai.InternalServerError) as failed:
        retrying.chat.completions.create(model="solo", messages=[user(message)])
    assert (failed.value.status_code, failed.value.code) == (502, "run_failed")
    assert "The model call failed" in failed.value.message
    assert len(model.requests) == before + 1
    with pytest.raises(openai.APIError) as streamed:
        stream(solo, "solo", [user(message)])
    assert streamed.value.code == "run_failed"


def _finished(runtime: Runtime, session: str, within: float) -> dict[str, Any]:
    deadline = time.monotonic() + within
    while runtime.log(session)[-1]["type"] != "run.finished":
        assert time.monotonic() < deadline, runtime.log(session)
        time.sleep(0.02)
    return runtime.log(session)[-1]


@pytest.mark.parametrize("is_streaming", [True, False])
def test_a_client_that_leaves_cancels_the_run(solo: Runtime, model: ModelServer, is_streaming: bool) -> None:
    """And may say the same again at once, in the same conversation."""
    slow = task(solo=[{"text": "late", "sleep": 15}])
    headers = {"X-Conversation-Id": f"leaving-{is_streaming}"}
    request = {"model": "solo", "messages": [user(slow)], "stream": is_streaming}
    before = len(model.requests)
    with pytest.raises(httpx.ReadTimeout):
        solo.client.post("/v1/chat/completions", json=request, headers=headers, timeout=0.7)
    model.wait_for_requests(before + 1)
    session = solo.client.get("/api/v1/sessions").json()["sessions"][0]["id"]
    assert _finished(solo, session, 3)["outcome"] == "cancelled"
    again = solo.client.post(
        "/v1/chat/completions",
        json={"model": "solo", "messages": [user(task(solo=[{"text": "now"}]))]},
        headers=headers,
    )
    assert again.headers["x-kagent-session"] == session
    assert again.json()["choices"][0]["message"]["content"] == "now"


def test_a_conversation_has_one_turn_at_a_time_and_conversations_do_not_wait(solo: Runtime) -> None:
    """409 for the first, which SDKs try again; the others are served at once."""
    named = {"X-Conversation-Id": "busy", "Authorization": "Bearer any"}
    slow = {"model": "solo", "messages": [user(task(solo=[{"text": "slow", "sleep": 1.5}]))]}
    answers: list[httpx.Response] = []
    with httpx.Client(base_url=solo.url, timeout=30) as other:
        thread = threading.Thread(
            target=lambda: answers.append(other.post("/v1/chat/completions", json=slow, headers=named))
        )
        thread.start()
        time.sleep(0.5)
        with pytest.raises(openai.ConflictError) as busy:
            stream(solo, "solo", [user(task(solo=[{"text": "x"}]))], extra_headers=named)
        assert busy.value.code == "conversation_busy"
        started = time.monotonic()
        assert stream(solo, "solo", [user(task(solo=[{"text": "quick"}]))])[0] == "quick"
        assert time.monotonic() - started < 1
        thread.join(20)
    assert answers[0].json()["choices"][0]["message"]["content"] == "slow"


def test_the_page_sees_what_a_chat_client_does(parrot: Runtime) -> None:
    """It is a session like any other, named after its first message."""
    answer = parrot.client.post("/v1/chat/completions", json={"model": "parrot", "messages": [user("seen?")]})
    session = answer.headers["x-kagent-session"]
    assert types(parrot.log(session)) == ["message.user", "run.started", "message", "run.finished"]
    assert parrot.client.get(f"/api/v1/sessions/{session}").json()["title"] == "seen?"


def test_an_interface_can_be_switched_off(tmp_path: Path) -> None:
    """Nothing of it is there then, not in the OpenAPI document either; an unknown name is a usage error."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", agent("solo"))
    with Runtime(config, tmp_path / "run", KAGENT_INTERFACES="mcp") as runtime:
        assert runtime.client.get("/v1/models").status_code == 404
        assert "/v1/chat/completions" not in json.dumps(runtime.client.get("/api/v1/openapi.json").json())
    with pytest.raises(AssertionError, match=r"grpc: not one of openai, a2a, mcp"):
        Runtime(config, tmp_path / "run", KAGENT_INTERFACES="openai,grpc").__enter__()
