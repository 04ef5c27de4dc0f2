"""Agents to the official A2A client, over JSON-RPC."""

from __future__ import annotations

import asyncio
import json
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.client.errors import A2AClientError
from a2a.types import (
    AgentCard,
    CancelTaskRequest,
    GetTaskRequest,
    ListTasksRequest,
    Message,
    Part,
    Role,
    SendMessageConfiguration,
    SendMessageRequest,
    StreamResponse,
    SubscribeToTaskRequest,
    Task,
    TaskState,
)
from a2a.utils.errors import (
    A2AError,
    ContentTypeNotSupportedError,
    InvalidParamsError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnsupportedOperationError,
)
from google.protobuf.json_format import MessageToDict, ParseDict
from google.protobuf.struct_pb2 import Value

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.runtime.process import Runtime
from tests.runtime.puppet import task
from tests.runtime.specs import agent, compiled

EXTENSION = "https://kagent.dev/extensions/hitl/v1"
FREE = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "checkout-1"}}
HELD = {"name": "kubectl-get", "arguments": {"resource": "pods"}}
WAITS = {"name": "transfer_to_user", "arguments": {}}
DONE, WORKING, INPUT, CANCELED, FAILED = (
    TaskState.TASK_STATE_COMPLETED,
    TaskState.TASK_STATE_WORKING,
    TaskState.TASK_STATE_INPUT_REQUIRED,
    TaskState.TASK_STATE_CANCELED,
    TaskState.TASK_STATE_FAILED,
)


@asynccontextmanager
async def connected(runtime: Runtime, *, streaming: bool = True) -> AsyncIterator[tuple[Client, AgentCard]]:
    """The official client, made from the card."""
    async with httpx.AsyncClient(timeout=30) as http:
        card = await A2ACardResolver(http, runtime.url).get_agent_card()
        config = ClientConfig(streaming=streaming, httpx_client=http)
        async with ClientFactory(config).create(card) as client:
            yield client, card


def message(text: str, **more: Any) -> Message:
    """A message of the user."""
    return Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, parts=[Part(text=text)], **more)


def decision(task: Task, *decisions: dict[str, Any]) -> Message:
    """A message with decisions on calls that wait."""
    sent = Message(message_id=str(uuid.uuid4()), role=Role.ROLE_USER, task_id=task.id, parts=[Part(text="decided")])
    ParseDict({EXTENSION: {"type": "tool_approval_response", "approvals": list(decisions)}}, sent.metadata)
    return sent


async def streamed(client: Client, sent: Message) -> list[StreamResponse]:
    """Everything that a message brings."""
    return [item async for item in client.send_message(SendMessageRequest(message=sent))]


async def sent(client: Client, sent: Message, **configuration: Any) -> Task:
    """The task of a message, without streaming."""
    request = SendMessageRequest(message=sent, configuration=SendMessageConfiguration(**configuration))
    (response,) = [item async for item in client.send_message(request)]
    return response.task


def answer(task: Task) -> str:
    """The text of the task's artifacts."""
    return "".join(part.text for artifact in task.artifacts for part in artifact.parts)


def written(responses: list[StreamResponse]) -> str:
    """The text of the artifact as it grew."""
    updates = [item.artifact_update for item in responses if item.HasField("artifact_update")]
    assert [update.append for update in updates] == [False, *[True] * (len(updates) - 1)]
    assert [update.last_chunk for update in updates] == [*[False] * (len(updates) - 1), True]
    return "".join(part.text for update in updates for part in update.artifact.parts)


def states(responses: list[StreamResponse]) -> list[int]:
    """The states that were told, without repeats."""
    told = [item.status_update.status.state for item in responses if item.HasField("status_update")]
    return list(dict.fromkeys(told))


def activity(responses: list[StreamResponse]) -> list[str]:
    """What the statuses say."""
    told = [item.status_update.status for item in responses if item.HasField("status_update")]
    return [part.text for status in told if status.state == WORKING for part in status.message.parts]


async def test_the_card_says_what_the_agent_is(desk: Runtime, solo: Runtime) -> None:
    """With a skill for the whole, and one for each member; its address is the one that was asked."""
    async with connected(desk) as (_, card):
        assert (card.name, card.capabilities.streaming) == ("the-team", True)
        assert [skill.id for skill in card.skills] == ["the-team", "front", "back"]
        assert {item.url for item in card.supported_interfaces} == {f"{desk.url}/a2a"}
        assert [item.protocol_version for item in card.supported_interfaces] == ["1.0", "0.3"]
        assert [item.uri for item in card.capabilities.extensions] == [EXTENSION]
    async with connected(solo) as (_, card):
        assert [(skill.id, skill.description) for skill in card.skills] == [("solo", "The solo")]
        assert list(card.skills[0].tags) == ["kubectl-describe", "kubectl-get"]


async def test_an_answer_streams_into_an_artifact(solo: Runtime) -> None:
    text = "word " * 60 + "end"
    async with connected(solo) as (client, _):
        got = await streamed(client, message(task(solo=[{"text": text, "chunk_sleep": 0.01}])))
        assert got[0].task.status.state == WORKING
        assert got[0].task.history[0].parts[0].text.startswith('{"solo"')
        assert written(got) == text
        assert 3 < len([item for item in got if item.HasField("artifact_update")]) < 100
        assert states(got) == [DONE]
        whole = await client.get_task(GetTaskRequest(id=got[0].task.id))
        assert (answer(whole), whole.status.state) == (text, DONE)


async def test_tools_are_activity_beside_the_answer(solo: Runtime) -> None:
    async with connected(solo) as (client, _):
        got = await streamed(client, message(task(solo=[{"tool_calls": [FREE]}, {"text": "It runs."}])))
    assert written(got) == "It runs."
    assert 'solo calls kubectl-describe {"resource": "pods", "name": "checkout-1"}' in activity(got)


async def test_a_conversation_goes_on_in_its_context(solo: Runtime, model: ModelServer) -> None:
    """Every message is a task of its own there; a context's tasks can be listed."""
    async with connected(solo, streaming=False) as (client, _):
        first = await sent(client, message(task(solo=[{"text": "one"}])))
        second = await sent(client, message(task(solo=[{"text": "two"}]), context_id=first.context_id))
        heard = [item["content"] for item in model.requests[-1].messages if item["role"] == "assistant"]
        assert (answer(second), second.context_id, heard) == ("two", first.context_id, ["one"])
        assert second.id != first.id
        session = uuid.UUID(first.context_id).hex
        assert solo.client.get(f"/api/v1/sessions/{session}").status_code == 200
        listed = await client.list_tasks(ListTasksRequest(context_id=first.context_id))
        assert [item.id for item in listed.tasks] == [second.id, first.id]


async def test_a_context_of_the_clients_own_is_kept(solo: Runtime) -> None:
    """When it is a UUID, as clients make them."""
    own = str(uuid.uuid4())
    async with connected(solo, streaming=False) as (client, _):
        assert (await sent(client, message(task(solo=[{"text": "one"}]), context_id=own))).context_id == own
        with pytest.raises(InvalidParamsError):
            await sent(client, message("x", context_id="chat-1"))


async def test_a_repeated_message_is_accepted_once(solo: Runtime, model: ModelServer) -> None:
    """A client that missed the answer sends it again, by the same id."""
    said = message(task(solo=[{"text": "once"}]))
    async with connected(solo, streaming=False) as (client, _):
        first = await sent(client, said)
        before = len(model.requests)
        second = await sent(client, said)
    assert (second.id, answer(second)) == (first.id, "once")
    assert len(model.requests) == before


async def test_a_team_asks_the_user_and_goes_on_with_the_same_task(desk: Runtime) -> None:
    """Input-required, with the question as its message; the members speak beside the answer."""
    async with connected(desk) as (client, _):
        asks = await streamed(client, message(task(front=[{"text": "Which cluster?", "tool_calls": [WAITS]}])))
        assert states(asks) == [WORKING, INPUT]
        assert asks[-1].status_update.status.message.parts[0].text == "Which cluster?"
        waiting = asks[0].task
        hand = {"name": "transfer_to_back", "arguments": {}}
        steps = task(front=[{"text": "Over to you.", "tool_calls": [hand]}], back=[{"text": "Solved. DONE"}] * 3)
        got = await streamed(client, message(steps, task_id=waiting.id, context_id=waiting.context_id))
        assert got[0].task.id == waiting.id
        assert written(got) == "Solved. DONE"
        assert "front: Over to you." in activity(got)
        assert states(got) == [WORKING, DONE]
        whole = await client.get_task(GetTaskRequest(id=waiting.id))
        assert [item.role for item in whole.history] == [Role.ROLE_USER, Role.ROLE_AGENT, Role.ROLE_USER]
        assert whole.history[1].parts[0].text == "Which cluster?"
        short = await client.get_task(GetTaskRequest(id=waiting.id, history_length=1))
        assert [item.role for item in short.history] == [Role.ROLE_USER]


async def test_an_approval_is_input_required(solo: Runtime, cluster: KubernetesApi) -> None:
    """In the form of kagent's extension: text alone decides nothing, since an agent may have written it."""
    before = len(cluster.requests)
    async with connected(solo) as (client, _):
        asks = await streamed(client, message(task(solo=[{"tool_calls": [HELD]}, {"text": "One pod."}])))
        assert states(asks) == [WORKING, INPUT]
        request = MessageToDict(asks[-1].status_update.status.message.metadata)[EXTENSION]
        assert request["type"] == "tool_approval_request"
        (tool,) = request["tools"]
        assert (tool["name"], tool["args"]) == ("kubectl-get", {"resource": "pods"})
        waiting = asks[0].task
        for wrong in (message("approve", task_id=waiting.id), decision(waiting, {"id": "other", "approved": True})):
            with pytest.raises(InvalidParamsError):
                await streamed(client, wrong)
        assert (await client.get_task(GetTaskRequest(id=waiting.id))).status.state == INPUT
        assert len(cluster.requests) == before
        got = await streamed(client, decision(waiting, {"id": tool["id"], "approved": True}))
        assert written(got) == "One pod."
        assert states(got)[-1] == DONE
        assert len(cluster.requests) == before + 1


async def test_calls_made_at_once_are_decided_one_by_one(solo: Runtime, cluster: KubernetesApi) -> None:
    """A denial with its reason; the task waits until every call is decided."""
    calls = [HELD, {"name": "kubectl-get", "arguments": {"resource": "pods", "name": "checkout-1"}}]
    before = len(cluster.requests)
    async with connected(solo, streaming=False) as (client, _):
        waiting = await sent(client, message(task(solo=[{"tool_calls": calls}, {"text": "Half of it."}])))
        tools = MessageToDict(waiting.status.message.metadata)[EXTENSION]["tools"]
        assert len(tools) == 2
        no = {"id": tools[0]["id"], "approved": False, "rejection_reason": "Not today."}
        rest = await sent(client, decision(waiting, no))
        assert rest.status.state == INPUT
        assert [t["id"] for t in MessageToDict(rest.status.message.metadata)[EXTENSION]["tools"]] == [tools[1]["id"]]
        over = await sent(client, decision(waiting, {"id": tools[1]["id"], "approved": True}))
    assert (over.status.state, answer(over)) == (DONE, "Half of it.")
    assert len(cluster.requests) == before + 1
    denied = [e for e in solo.log(uuid.UUID(over.context_id).hex) if e["type"] == "approval.decided"]
    assert [(event["decision"], event["reason"]) for event in denied] == [("deny", "Not today."), ("approve", None)]


async def test_a_client_that_left_follows_the_task_again(solo: Runtime) -> None:
    """The run goes on without it; what it joins in the middle comes as a whole."""
    text = "word " * 60 + "end"
    async with connected(solo) as (client, _):
        request = SendMessageRequest(message=message(task(solo=[{"text": text, "chunk_sleep": 0.05}])))
        stream = client.send_message(request)
        first = await anext(stream)
        await anext(stream)
        await stream.aclose()  # type: ignore[attr-defined]
        again = [item async for item in client.subscribe(SubscribeToTaskRequest(id=first.task.id))]
        assert again[0].task.status.state == WORKING
        assert written(again) == text
        assert states(again) == [DONE]
        with pytest.raises(UnsupportedOperationError):
            [item async for item in client.subscribe(SubscribeToTaskRequest(id=first.task.id))]


async def test_a_task_can_be_sent_off_and_cancelled(solo: Runtime) -> None:
    """A task that is over cannot; its context takes no second task before."""
    async with connected(solo, streaming=False) as (client, _):
        slow = await sent(client, message(task(solo=[{"text": "late", "sleep": 20}])), return_immediately=True)
        assert slow.status.state == WORKING
        for busy in ({"task_id": slow.id}, {"context_id": slow.context_id}):
            with pytest.raises(UnsupportedOperationError):
                await sent(client, message("more", **busy))
        assert (await client.cancel_task(CancelTaskRequest(id=slow.id))).status.state == CANCELED
        with pytest.raises(TaskNotCancelableError):
            await client.cancel_task(CancelTaskRequest(id=slow.id))
        with pytest.raises(UnsupportedOperationError):
            await sent(client, message("more", task_id=slow.id))


async def test_a_failed_run_is_a_failed_task(solo: Runtime) -> None:
    async with connected(solo) as (client, _):
        got = await streamed(client, message(task(solo=[{"error": 400}])))
    final = got[-1].status_update.status
    assert final.state == FAILED
    assert final.message.parts[0].text.startswith("The model call failed: model `gpt4-config`: HTTP 400")


async def test_what_does_not_exist_is_said(solo: Runtime) -> None:
    unknown = str(uuid.uuid4())
    async with connected(solo, streaming=False) as (client, _):
        for call in (
            client.get_task(GetTaskRequest(id=unknown)),
            client.get_task(GetTaskRequest(id="no-uuid")),
            client.cancel_task(CancelTaskRequest(id=unknown)),
            sent(client, message("x", task_id=unknown)),
        ):
            with pytest.raises(TaskNotFoundError):
                await call
        picture = Message(message_id="1", role=Role.ROLE_USER, parts=[Part(url="https://example.com/x.png")])
        with pytest.raises(ContentTypeNotSupportedError):
            await sent(client, picture)
        with pytest.raises(InvalidParamsError):
            await sent(client, message(" "))
        with pytest.raises((A2AError, A2AClientError)):
            await client.list_tasks(ListTasksRequest())


async def test_data_is_read_as_json(tmp_path: Path) -> None:
    """And an agent that answers with JSON answers with data."""
    schema = "outputSchema: {type: object, properties: {ok: {type: boolean}}, required: [ok]}"
    info = "structuredOutput: true"
    with ModelServer(lambda request: {"text": '{"ok": true}'}) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo", schema), model_info=info)
        with Runtime(config, tmp_path / "run") as runtime:
            async with connected(runtime) as (client, card):
                assert list(card.default_output_modes) == ["application/json"]
                data = Part(data=ParseDict({"order": 17}, Value()))
                got = await streamed(client, Message(message_id="1", role=Role.ROLE_USER, parts=[data]))
            assert json.loads(model.requests[-1].messages[-1]["content"]) == {"order": 17}
    (update,) = [item.artifact_update for item in got if item.HasField("artifact_update")]
    assert MessageToDict(update.artifact.parts[0].data) == {"ok": True}


async def test_clients_of_version_0_3_are_served(solo: Runtime) -> None:
    """By their method names, on the same address; without the header that 1.0 asks for."""
    sent = {"messageId": "m1", "role": "user", "parts": [{"kind": "text", "text": task(solo=[{"text": "old"}])}]}
    body = {"jsonrpc": "2.0", "id": 1, "method": "message/send", "params": {"message": sent}}
    async with httpx.AsyncClient(timeout=30) as http:
        result = (await http.post(f"{solo.url}/a2a/", json=body)).json()["result"]
        assert (result["kind"], result["status"]["state"]) == ("task", "completed")
        assert result["artifacts"][0]["parts"][0]["text"] == "old"
        found = body | {"method": "tasks/get", "params": {"id": result["id"]}}
        assert (await http.post(f"{solo.url}/a2a", json=found)).json()["result"]["id"] == result["id"]
        card = (await http.get(f"{solo.url}/.well-known/agent-card.json")).json()
        assert (card["url"], card["preferredTransport"]) == (f"{solo.url}/a2a", "JSONRPC")


async def test_two_clients_are_served_at_once(solo: Runtime) -> None:
    async with connected(solo) as (one, _), connected(solo) as (two, _):
        got = await asyncio.gather(
            *(
                streamed(client, message(task(solo=[{"text": f"{name} " * 20, "chunk_sleep": 0.02}])))
                for name, client in (("one", one), ("two", two))
            )
        )
    assert [written(stream) for stream in got] == ["one " * 20, "two " * 20]


async def test_the_card_has_the_public_address(tmp_path: Path) -> None:
    """Where a gateway is in front."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:9/v1", agent("solo"))
    with Runtime(config, tmp_path / "run", KAGENT_PUBLIC_URL="https://agents.example.com/solo/") as runtime:
        card = runtime.client.get("/.well-known/agent-card.json").json()
    assert card["supportedInterfaces"][0]["url"] == "https://agents.example.com/solo/a2a"


async def test_a_process_that_ends_lets_the_task_finish(tmp_path: Path) -> None:
    """As for every other client; nothing of a message is logged, valid or not."""
    with ModelServer(lambda _: {"text": "in time", "sleep": 1}) as model:
        with Runtime(compiled(tmp_path / "specs", model.base_url, agent("solo")), tmp_path / "run") as runtime:
            async with connected(runtime) as (client, _):
                broken = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {"message": "SECRET-1"}}
                headers = {"A2A-Version": "1.0"}
                assert "error" in runtime.client.post("/a2a", json=broken, headers=headers).json()
                running = asyncio.ensure_future(streamed(client, message("SECRET-2")))
                await asyncio.to_thread(model.wait_for_requests, 1)
                runtime.process.send_signal(signal.SIGTERM)
                got = await running
            assert (written(got), states(got)) == ("in time", [DONE])
            assert runtime.process.wait(30) == 0
            assert [json.loads(line)["message"] for line in runtime.wait_stderr().splitlines()] == ["draining"]
