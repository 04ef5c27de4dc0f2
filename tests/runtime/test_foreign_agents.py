"""Agents of somebody else, asked over A2A: the official SDK's server, in both versions, and what lies."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from a2a.server.tasks import TaskUpdater
from a2a.types import Message, Part, Role
from autogen_core import CancellationToken
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.edge.a2a_server import A2AServer, parts, saying
from tests.edge.http_target import HttpTarget, Trap
from tests.edge.loopback import LoopbackServer
from tests.runtime.benches import Bench, endpoints

each = pytest.mark.parametrize
EXTENSION = "https://kagent.dev/extensions/hitl/v1"


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Whatever comes of a call, asyncio has nothing to complain about afterwards."""
    yield
    gc.collect()
    assert [record for record in caplog.records if record.name == "asyncio"] == []


def _bench(folder: Path, url: str, **more: Any) -> Bench:
    block = json.dumps({"url": url, "timeoutSeconds": 20} | more)
    return Bench(folder, {"ask": f"type: agent\ndescription: d\nagent: {block}"})


async def _asked(folder: Path, url: str, task: str = "How far is it?", **more: Any) -> tuple[str, bool]:
    return await _bench(folder, url, **more).call("ask", task=task)


@each("version", ["1.0", "0.3"])
@each("streaming", [True, False])
async def test_an_agent_is_asked_in_the_version_that_it_speaks(tmp_path: Path, version: str, streaming: bool) -> None:
    """With streaming, or by asking for the task until it is over; and nothing but what is declared is called."""
    with A2AServer(version=version, streaming=streaming) as server:
        assert await _asked(tmp_path, server.url, "It is 42 — grün.") == ("It is 42 — grün.", False)
        (endpoint,) = endpoints(_bench(tmp_path, server.url).workload)
        assert (endpoint.host, endpoint.port) == ("127.0.0.1", server.port)
        assert (server.asked[0].method, server.asked[0].path) == ("GET", "/.well-known/agent-card.json")
        assert {(asked.method, asked.path) for asked in server.asked[1:]} == {("POST", "/")}
        named = {"1.0": ("SendMessage", "SendStreamingMessage", "GetTask")}
        sent, streamed, got = named.get(version, ("message/send", "message/stream", "tasks/get"))
        assert server.methods()[0] == (streamed if streaming else sent)
        assert set(server.methods()[1:]) <= ({got} if not streaming else set())
        last = server.asked[-1].headers
        assert (last["a2a-version"], last["x-kagent-depth"]) == (version, "1")
        assert not {"authorization", "cookie"} & set(last)
        (heard,) = server.agent.heard
        assert ([part.text for part in heard.parts], heard.role) == (["It is 42 — grün."], Role.ROLE_USER)


@each("version", ["1.0", "0.3"])
async def test_a_message_can_be_the_whole_answer(tmp_path: Path, version: str) -> None:
    with A2AServer(reply="Right away.", version=version) as server:
        assert await _asked(tmp_path, server.url) == ("Right away.", False)


async def test_an_agent_below_a_path_as_kagent_serves_them(tmp_path: Path) -> None:
    """By the address that its card's begins with, with a slash at the end or without, or by the card's own."""
    base = "/api/a2a/kagent/k8s-agent"
    with A2AServer(base=base, version="0.3") as server:
        for url in (server.url, f"{server.url}/", f"{server.url}/.well-known/agent-card.json"):
            assert await _asked(tmp_path, url, "pods?") == ("pods?", False)
        assert {asked.path for asked in server.asked} == {f"{base}/.well-known/agent-card.json", f"{base}/"}


async def test_a_card_that_knows_the_agent_by_another_name(tmp_path: Path) -> None:
    """What is below the declared path is asked at the declared origin, never at the card's."""
    with Trap() as trap:
        path = "/api/a2a/kagent/k8s-agent"

        def named(url: str) -> Callable[[A2AServer], Any]:
            return lambda server: server.card(url)

        for elsewhere in (f"http://127.0.0.1:{trap.port}", "https://agents.example.com"):
            with A2AServer(base=path, card=named(f"{elsewhere}{path}/")) as server:
                assert await _asked(tmp_path, server.url, "pods?") == ("pods?", False)
            with A2AServer(base=path, card=named(f"{elsewhere}/api/a2a/kagent/other/")) as server:
                text, is_error = await _asked(tmp_path, server.url, "pods?")
                assert (is_error, server.methods()) == (True, [])
                assert text == f"the card refers to {elsewhere}/api/a2a/kagent/other/, which is not called: " + (
                    "it is not below `url`"
                )
        assert trap.connections == 0


async def test_an_endpoint_whose_card_is_at_the_origin(tmp_path: Path) -> None:
    """The card is believed about the endpoint that was declared, and about no other."""
    with HttpTarget() as plain:
        text, is_error = await _asked(tmp_path, f"{plain.origin}/status/404/x")
        assert (is_error, text) == (True, "the card offers no JSON-RPC of A2A 1.0 or 0.3, but nothing")
        wanted = [
            "/status/404/x/.well-known/agent-card.json",
            "/status/404/x/.well-known/agent.json",
            "/.well-known/agent-card.json",
        ]
        assert [request.path for request in plain.received] == wanted
    with A2AServer(card=lambda server: server.card(f"{server.origin}/other/")) as server:
        text, is_error = await _asked(tmp_path, f"{server.origin}/mine")
        assert (is_error, server.methods()) == (True, [])
        assert "which is not called" in text


def _flood(_: A2AServer) -> Response:
    return Response(b"[" + b"1," * (3 << 20) + b"1]", media_type="application/json")


def _gzipped(_: A2AServer) -> Response:
    return Response(b"\x1f\x8b", headers={"content-encoding": "gzip"})


@each(
    ("card", "wanted"),
    [
        (lambda _: PlainTextResponse("<h1>Sign in</h1>"), "is no agent card"),
        (lambda _: Response(b"\xff\xfe{"), "is no agent card"),
        (lambda _: [1], "is no agent card"),
        (lambda _: {"skills": 5, "supportedInterfaces": "x"}, "is no agent card"),
        (lambda _: Response(b"[" * 100_000, media_type="application/json"), "is no agent card"),
        (lambda _: {}, "offers no JSON-RPC of A2A 1.0 or 0.3, but nothing"),
        (
            lambda s: {"supportedInterfaces": [{"url": s.url, "protocolBinding": "GRPC", "protocolVersion": "1.0"}]},
            "but GRPC 1.0",
        ),
        (
            lambda s: {"supportedInterfaces": [{"url": s.url, "protocolBinding": "JSONRPC", "protocolVersion": "2.0"}]},
            "but JSONRPC 2.0",
        ),
        (lambda s: s.card("http://[::1"), "which is not called"),
        (_flood, "sends more than 4 MiB at once"),
        (_gzipped, "encodes its answer as gzip"),
        (lambda s: RedirectResponse("http://169.254.169.254/"), "redirects with HTTP 307, which is not followed"),
        (lambda s: RedirectResponse(f"{s.origin}/else", 302), "redirects with HTTP 302, which is not followed"),
        (lambda _: PlainTextResponse("who are you?", 401), "the agent answered HTTP 401: who are you?"),
        (lambda _: PlainTextResponse("later", 503), "the agent answered HTTP 503: later"),
        (lambda _: PlainTextResponse("", 404), "there is no agent card at"),
    ],
)
async def test_a_card_that_cannot_be_used_is_said_so(
    tmp_path: Path, card: Callable[[A2AServer], Any], wanted: str
) -> None:
    with A2AServer(card=card) as server:
        text, is_error = await _asked(tmp_path, server.url)
    assert (is_error, wanted in text) == (True, True), text
    assert server.methods() == []
    assert len(text) < 500


async def _says_nothing(updater: TaskUpdater, _: str) -> None:
    await updater.complete()


async def _says_by_status(updater: TaskUpdater, _: str) -> None:
    await updater.complete(updater.new_agent_message(parts("All", "is well.")))


async def _says_in_kinds(updater: TaskUpdater, _: str) -> None:
    data = ParseDict({"pods": 3, "share": 0.5}, Value())
    several = [Part(text="Found "), Part(text="this:"), Part(data=data)]
    several += [Part(raw=b"\x89PNG", filename="graph.png", media_type="image/png")]
    several += [Part(url="http://169.254.169.254/x", filename="log")]
    await updater.add_artifact(several, artifact_id="a")
    await updater.add_artifact(parts("And more."), artifact_id="b")
    await updater.complete()


async def _fails(updater: TaskUpdater, _: str) -> None:
    await updater.add_artifact(parts("Half of it."), artifact_id="a")
    await updater.failed(updater.new_agent_message(parts("no credit\nleft")))


async def _rejects(updater: TaskUpdater, _: str) -> None:
    await updater.reject()


async def _wants_login(updater: TaskUpdater, _: str) -> None:
    await updater.requires_auth(updater.new_agent_message(parts("Sign in at https://vendor.example")))


async def _asks(updater: TaskUpdater, _: str) -> None:
    await updater.requires_input(updater.new_agent_message(parts("Which cluster?")))


def _holds(*, is_metadata: bool) -> Any:
    calls = [{"id": "1", "name": "delete-pod", "args": {"name": "checkout-1", "force": True}}]
    request = {"type": "tool_approval_request", "hint": "May I?", "tools": calls}

    async def work(updater: TaskUpdater, _: str) -> None:
        said = Message(message_id="m", role=Role.ROLE_AGENT, task_id=updater.task_id, context_id=updater.context_id)
        if is_metadata:
            said.parts.extend(parts("May I?"))
            ParseDict({EXTENSION: request}, said.metadata)
        else:
            said.parts.append(Part(data=ParseDict(request, Value())))
        await updater.requires_input(said)

    return work


_WAITS = (
    "the agent may go on only when a person approves its call of `delete-pod` with "
    '{"force": true, "name": "checkout-1"}. Nobody can from here, so its task was ended, and the call was not made. '
    "Ask for something that needs no approval, or say what waits"
)
_KINDS = (
    'Found this:\n{\n  "pods": 3,\n  "share": 0.5\n}\n[file graph.png (image/png), 4 bytes, not shown]\n'
    "[file log at http://169.254.169.254/x, not fetched]\n\nAnd more."
)


@each("version", ["1.0", "0.3"])
@each(
    ("work", "wanted", "is_ended"),
    [
        (_says_nothing, ("The agent ended its task without saying anything.", False), False),
        (_says_by_status, ("All\nis well.", False), False),
        (_says_in_kinds, (_KINDS, False), False),
        (
            _fails,
            ("the agent's task failed: no credit left. Before, it said: Half of it.", True),
            False,
        ),
        (_rejects, ("the agent's task was rejected: it does not say why.", True), False),
        (
            _wants_login,
            (
                "the agent's task waits for credentials: Sign in at https://vendor.example (nothing here can give "
                "them, so its task was ended).",
                True,
            ),
            True,
        ),
        (
            _asks,
            (
                "the agent asks: Which cluster?\nIts task was ended. Ask again, with the answer and all else that it "
                "needs in the new task; it remembers nothing of this one",
                True,
            ),
            True,
        ),
        (_holds(is_metadata=True), (_WAITS, True), True),
        (_holds(is_metadata=False), (_WAITS, True), True),
    ],
)
async def test_what_becomes_of_a_task_is_something_to_act_on(
    tmp_path: Path, version: str, work: Any, wanted: tuple[str, bool], is_ended: bool
) -> None:
    """And a task that only waits is ended over there."""
    with A2AServer(work, version=version) as server:
        assert await _asked(tmp_path, server.url) == wanted
        assert len(server.agent.cancelled) == is_ended


async def test_the_answer_has_a_size(tmp_path: Path) -> None:
    """However it is cut into pieces."""
    with A2AServer(saying(["x" * 50_000] * 30)) as server:
        text, is_error = await _asked(tmp_path, server.url)
        assert (is_error, len(text.encode()) < 70_000) == (False, True)
        assert "cut after 65,536 bytes" in text
    with A2AServer(saying(["x" * (5 << 20)])) as server:
        text, is_error = await _asked(tmp_path, server.url)
        assert (is_error, text) == (True, "127.0.0.1 sends more than 4 MiB at once")


async def test_line_ends_of_unicode_are_no_line_ends(tmp_path: Path) -> None:
    """The SDK's own client breaks off at each of them, where a server does not escape them as Python's JSON does."""
    odd = "one\u2028two\u2029three\x85four"
    answer = {"kind": "message", "messageId": "1", "role": "ROLE_AGENT", "parts": [{"text": odd}]}
    told = json.dumps({"jsonrpc": "2.0", "id": "1", "result": {"message": answer}}, ensure_ascii=False)
    with _Wild(f"data: {told}\n\n".encode()) as server:
        assert await _asked(tmp_path, server.origin) == (odd, False)


class _Wild(LoopbackServer):
    """Answers a message with bytes of the test's choosing, after a proper card."""

    def __init__(self, body: bytes, kind: str = "text/event-stream") -> None:
        self._body, self._kind = body, kind
        super().__init__(Starlette(routes=[Route("/{rest:path}", self._serve, methods=["GET", "POST"])]))

    async def _serve(self, request: Request) -> Response:
        if request.method == "POST":
            return Response(self._body, media_type=self._kind)
        card = {"url": f"{self.origin}/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
        return JSONResponse({"supportedInterfaces": [card], "capabilities": {"streaming": True}})


@each(
    ("body", "kind", "wanted"),
    [
        (b"", "text/event-stream", "the agent's answer was cut off: it is unknown whether it carries the task out"),
        (b": only a comment\n\n", "text/event-stream", "was cut off"),
        (b"data: {broken\n\n", "text/event-stream", "the agent refused: Invalid JSON-RPC response in SSE stream"),
        (b"data: [1]\n\n", "text/event-stream", "the agent refused: Invalid JSON-RPC response"),
        (b'data: {"result": {"task": 5}}\n\n', "text/event-stream", "what the agent answers is no A2A"),
        (b'data: {"result": "x"}\n\n', "text/event-stream", "what the agent answers is no A2A"),
        (b'data: {"result": ' + b"[" * 5000 + b"\n\n", "text/event-stream", "the agent"),
        (b"event: error\ndata: out of order\n\n", "text/event-stream", "the agent refused: SSE stream error"),
        (
            b'{"jsonrpc": "2.0", "id": "1", "error": {"code": -32601, "message": "Method not found"}}',
            "application/json",
            "the agent refused: Method not found",
        ),
        (b"<h1>Sign in</h1>", "text/html", "the agent refused: Invalid JSON-RPC response"),
        (b"data: x\n" * (1 << 20), "text/event-stream", "sends more than 4 MiB at once"),
        (b"data: " + b"x" * (5 << 20), "text/event-stream", "sends more than 4 MiB at once"),
    ],
)
async def test_an_answer_that_is_none(tmp_path: Path, body: bytes, kind: str, wanted: str) -> None:
    with _Wild(body, kind) as server:
        text, is_error = await _asked(tmp_path, server.origin)
    assert (is_error, wanted in text) == (True, True), text
    assert len(text) < 500


@each("version", ["1.0", "0.3"])
@each("frames", [1, 3])
async def test_a_stream_that_is_cut_is_no_lost_answer(tmp_path: Path, version: str, frames: int) -> None:
    """The task is asked for until it is over; it is not sent again."""
    with A2AServer(saying(["one ", "two ", "three"], sleep=0.2), version=version) as server:
        server.cut_after = frames
        assert await _asked(tmp_path, server.url) == ("one two three", False)
        assert len(server.agent.heard) == 1
        assert set(server.methods()[1:]) <= {"GetTask", "tasks/get"}


async def test_a_stream_that_is_cut_before_it_tells_of_a_task(tmp_path: Path) -> None:
    """Whether somebody else carries it out then cannot be known."""
    with A2AServer(saying(["one"])) as server:
        server.cut_after = 0
        text, is_error = await _asked(tmp_path, server.url)
        assert is_error
        assert "it is unknown whether it carries the task out" in text
        assert len(server.methods()) == 1


@each("streaming", [True, False])
@each("version", ["1.0", "0.3"])
async def test_nobody_works_for_an_answer_that_nobody_waits_for(tmp_path: Path, version: str, streaming: bool) -> None:
    """A question that takes too long, and one that is cancelled, end over there too."""

    async def works(updater: TaskUpdater, _: str) -> None:
        await updater.start_work()
        await asyncio.sleep(60)

    with A2AServer(works, version=version, streaming=streaming) as server:
        started = time.monotonic()
        assert await _asked(tmp_path, server.url, timeoutSeconds=1) == ("no complete answer within 1 s", True)
        token = CancellationToken()
        asking = asyncio.create_task(_bench(tmp_path, server.url).call("ask", token, task="x"))
        while len(server.agent.heard) < 2:
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.3)
        token.cancel()
        assert await asking == ("cancelled", True)
        while len(server.agent.cancelled) < 2:
            assert time.monotonic() - started < 20
            await asyncio.sleep(0.05)
