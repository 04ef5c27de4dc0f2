"""Tools of real MCP servers, over each transport, as an agent in the real process calls them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from kagent_runtime.closing import close_all
from kagent_runtime.components.mcp_tools import McpTools
from kagent_runtime.model import McpToolsConfig
from tests.edge.certificate import loopback_certificate
from tests.edge.mcp_server import PATHS, ROOT, McpServer
from tests.edge.mcp_sessions import McpSessions
from tests.edge.model_server import ModelServer
from tests.runtime.configs import agent, component, runtime_config
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task

CANARY = "mcp-canary-5f0c9d1e7a"
TOOLS = ["add", "send", "fail", "hang", "freeze", "crash", "show", "large", "environment", "headers", "process"]
TRANSPORTS = ["streamable-http", "sse", "stdio"]
JSON = dict[str, Any]


def server(transport: str, port: int, log: Path, **changes: Any) -> JSON:
    """The config of one server."""
    config: JSON = {"name": "under-test", "description": "A server", "transport": transport}
    config |= {"allowed": [*TOOLS, "absent"], "timeout_seconds": 3.0, "max_output_bytes": 4096}
    if transport == "stdio":
        own = {"MCP_LOG": str(log), "PYTHONPATH": str(ROOT)}
        env = [{"name": name, "value": value} for name, value in own.items()]
        env.append({"name": "DOCS_TOKEN", "env": "KAGENT_TOOL_UNDER_TEST_ENV_DOCS_TOKEN"})
        config |= {"command": sys.executable, "args": ["-m", "tests.edge.mcp_server", "stdio"], "env": env}
    else:
        header = {"name": "X-Key", "env": "KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY"}
        url = f"http://127.0.0.1:{port}{PATHS[transport]}"
        config |= {"url": url, "headers": [header], "allow_private_addresses": True}
    return config | changes


def workbench(*servers: JSON) -> JSON:
    """The workbench of an agent."""
    return component("kagent_runtime.components.McpTools", "workbench", {"tools": list(servers)})


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Bench:
    """A runtime with one MCP server, and the model that says what to call."""

    def __init__(self, runtime: Runtime, model: ModelServer, mcp: McpServer | None, log: Path) -> None:
        self.runtime, self.model, self.mcp, self._log = runtime, model, mcp, log

    def call(self, name: str, **arguments: Any) -> tuple[str, bool]:
        """What the tool answers, and whether as an error."""
        return self.calls({"name": name, "arguments": arguments})[0]

    def calls(self, *wanted: JSON) -> list[tuple[str, bool]]:
        """The same of several calls at once."""
        steps: list[JSON] = [{"tool_calls": list(wanted)}, {"text": "ok"}]
        events = self.runtime.ask(self.runtime.new_session(), task(solo=steps))
        assert events[-1]["outcome"] == "completed", events[-1]
        results = [event for event in events if event["type"] == "tool.result"]
        return [(event["content"], event["isError"]) for event in results]

    def offered(self) -> dict[str, JSON]:
        """The tools as the model was told of them in its last request."""
        return {item["function"]["name"]: item["function"] for item in self.model.requests[-1].body["tools"]}

    def log(self) -> list[str]:
        """What reached the server."""
        return self._log.read_text().split() if self._log.exists() else []


@contextmanager
def bench(transport: str, folder: Path, **changes: Any) -> Iterator[Bench]:
    """Everything started, for one transport."""
    log, port = folder / "mcp.log", free_port()
    mcp = McpServer(transport, port=port, log=log) if transport != "stdio" else None
    secrets = {"KAGENT_TOOL_UNDER_TEST_ENV_DOCS_TOKEN": CANARY, "KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY": CANARY}
    with ModelServer(puppet()) as model:
        root = agent("solo", model.base_url, workbench=workbench(server(transport, port, log, **changes)))
        if mcp:
            mcp.start()
        try:
            with Runtime(runtime_config(root), folder / "runtime", **secrets) as runtime:
                yield Bench(runtime, model, mcp, log)
        finally:
            if mcp:
                mcp.kill()


@pytest.fixture(scope="module", params=TRANSPORTS)
def any_bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench(request.param, tmp_path_factory.mktemp(request.param)) as started:
        yield started


def test_the_model_sees_the_listed_tools_with_their_whole_schemas(any_bench: Bench) -> None:
    """`$defs` included, which AutoGen's own workbench drops."""
    assert any_bench.call("add", a=1, b=2) == ("3", False)
    offered = any_bench.offered()
    assert set(offered) == {*TOOLS, "absent"}
    schema = offered["send"]["parameters"]
    assert schema["properties"]["to"] == {"$ref": "#/$defs/Address"}
    assert schema["$defs"]["Address"]["properties"]["street"]["description"] == "Street and number"
    assert offered["add"]["description"] == "Adds two numbers."
    assert offered["absent"]["description"].startswith("Not available now: the MCP server `under-test` has no tool")


def test_arguments_may_be_objects(any_bench: Bench) -> None:
    """As the schema says."""
    answer = any_bench.call("send", to={"street": "s", "city": "Rome"}, copies=[{"street": "t", "city": "Oslo"}])
    assert answer == ("sent to Rome, copies to Oslo", False)


def test_what_the_server_refuses_reaches_the_model(any_bench: Bench) -> None:
    """In its own words."""
    text, is_error = any_bench.call("fail", reason="no such order")
    assert is_error
    assert "no such order" in text
    text, is_error = any_bench.call("add", a="x")
    assert is_error
    assert "b" in text


async def test_a_tool_that_is_not_listed_is_not_called(any_bench: Bench) -> None:
    """Although the server has it: neither AutoGen nor the workbench by itself lets it through."""
    text, is_error = any_bench.call("hidden")
    assert (text, is_error) == ("Error: tool 'hidden' not found in any workbench", True)
    port = any_bench.mcp.port if any_bench.mcp else 0
    config = workbench(server(any_bench.mcp.transport if any_bench.mcp else "stdio", port, Path("log")))["config"]
    answer = await McpTools(McpToolsConfig.model_validate(config)).call_tool("hidden")
    assert answer.is_error
    assert answer.to_text().startswith("there is no tool `hidden`; there are: add, ")
    assert "hidden" not in any_bench.log()


def test_a_listed_tool_that_the_server_does_not_have_says_so(any_bench: Bench) -> None:
    """To the model, when it calls it all the same."""
    assert any_bench.call("absent") == ("the MCP server `under-test` has no tool `absent`", True)


def test_what_is_no_text_is_told_of(any_bench: Bench) -> None:
    """Pictures, links and pages."""
    text, is_error = any_bench.call("show")
    assert not is_error
    assert text.splitlines() == [
        "a text",
        "[image: image/png, 300 bytes, not shown]",
        "[link: manual https://docs.example.com/manual]",
        "a page",
    ]


def test_a_large_answer_is_cut_and_says_so(any_bench: Bench) -> None:
    """A model must not take a part for the whole."""
    text, is_error = any_bench.call("large")
    assert not is_error
    assert len(text) < 4300
    assert "cut after 4,096 bytes" in text


def test_a_call_that_hangs_ends_and_the_others_go_on(any_bench: Bench) -> None:
    """Over one connection."""
    started = time.monotonic()
    answers = any_bench.calls({"name": "hang", "arguments": {}}, {"name": "add", "arguments": {"a": 2, "b": 2}})
    assert answers == [("no complete answer within 3 s", True), ("4", False)]
    assert time.monotonic() - started < 6


def test_a_cancelled_turn_cancels_the_call(any_bench: Bench) -> None:
    """At once, and at the server too."""
    before = any_bench.log().count("hang-cancelled")
    session = any_bench.runtime.new_session()
    any_bench.runtime.send(session, task(solo=[{"tool_calls": [{"name": "hang", "arguments": {}}]}, {"text": "no"}]))
    count = any_bench.log().count("hang")
    _wait(lambda: any_bench.log().count("hang") > count or any_bench.log()[-1:] == ["hang"])
    started = time.monotonic()
    assert any_bench.runtime.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
    assert any_bench.runtime.wait_finished(session)[-1]["outcome"] == "cancelled"
    assert time.monotonic() - started < 1.5
    _wait(lambda: any_bench.log().count("hang-cancelled") > before)


def test_one_connection_serves_all_sessions(any_bench: Bench) -> None:
    """The same process of the server answers."""
    assert any_bench.call("process") == any_bench.call("process")


def test_no_credential_is_shown(any_bench: Bench) -> None:
    """The server gets it, and the model does not, even when the server repeats it."""
    is_stdio = any_bench.mcp is None
    text, _ = any_bench.call("environment" if is_stdio else "headers")
    assert CANARY not in text
    assert ("DOCS_TOKEN=[redacted]" if is_stdio else "x-key=[redacted]") in text


def test_a_server_that_crashes_is_used_again(any_bench: Bench) -> None:
    """A call that it took with it is not repeated: it may have been carried out."""
    before = any_bench.log().count("crash")
    text, is_error = any_bench.call("crash")
    assert is_error
    assert "may or may not have carried it out" in text
    if any_bench.mcp:
        text, is_error = any_bench.call("add", a=1, b=1)
        assert is_error
        assert "cannot be reached" in text
        any_bench.mcp.start()
    assert any_bench.call("add", a=5, b=5) == ("10", False)
    assert any_bench.log().count("crash") == before + 1


def test_a_server_that_restarts_between_calls_is_not_noticed(any_bench: Bench) -> None:
    """The next call simply works."""
    assert any_bench.call("add", a=1, b=1) == ("2", False)
    if any_bench.mcp:
        any_bench.mcp.kill()
        any_bench.mcp.start()
    else:
        process, _ = any_bench.call("process")
        os.kill(int(process), 9)
    time.sleep(0.3)
    assert any_bench.call("add", a=1, b=3) == ("4", False)


def test_a_server_that_answers_nobody_is_let_go_of(any_bench: Bench) -> None:
    """A process that hangs is ended and started again; of a remote one the connection is new."""
    assert any_bench.call("freeze") == ("no complete answer within 3 s", True)
    if any_bench.mcp:
        any_bench.mcp.kill()
        any_bench.mcp.start()
    time.sleep(2.5)
    assert any_bench.call("add", a=1, b=4) == ("5", False)


def test_a_child_gets_nothing_of_our_environment(tmp_path: Path) -> None:
    """No key of a model, no token of another tool; and it ends with us."""
    with bench("stdio", tmp_path, max_output_bytes=60_000) as started:
        text, _ = started.call("environment")
        names = {line.partition("=")[0] for line in text.splitlines()}
        assert names <= {"PATH", "HOME", "LOGNAME", "SHELL", "TERM", "USER", "MCP_LOG", "PYTHONPATH", "DOCS_TOKEN"} | {
            "LC_CTYPE"  # Python's own
        }
        process = int(started.call("process")[0])
        started.runtime.process.terminate()
        assert started.runtime.process.wait(20) == 0
        assert not _is_alive(process)
        assert CANARY not in started.runtime.wait_stderr()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_server_that_is_not_there_leaves_the_agent_working(transport: str, tmp_path: Path) -> None:
    """It says what is missing; when the server comes, it is used."""
    port, log = free_port(), tmp_path / "mcp.log"
    config = server(transport, port, log, **({"command": "no-such-program"} if transport == "stdio" else {}))
    mcp = McpServer(transport, port=port, log=log) if transport != "stdio" else None
    secrets = {"KAGENT_TOOL_UNDER_TEST_ENV_DOCS_TOKEN": CANARY, "KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY": CANARY}
    with ModelServer(puppet()) as model:
        root = agent("solo", model.base_url, workbench=workbench(config))
        with Runtime(runtime_config(root), tmp_path / "runtime", **secrets) as runtime:
            started = Bench(runtime, model, mcp, log)
            text, is_error = started.call("add", a=1, b=1)
            assert is_error
            missing = "no-such-program: No such file" if mcp is None else f"127.0.0.1 cannot be reached on port {port}"
            assert missing in text
            assert missing in started.offered()["add"]["description"]
            if mcp:
                with mcp:
                    assert started.call("add", a=1, b=1) == ("2", False)


def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    """By its variable."""
    with ModelServer(puppet()) as model:
        root = agent("solo", model.base_url, workbench=workbench(server("stdio", 0, tmp_path / "log")))
        with Runtime(runtime_config(root), tmp_path / "runtime") as runtime:
            text, is_error = Bench(runtime, model, None, tmp_path / "log").call("add", a=1, b=1)
            assert is_error
            assert "the credential KAGENT_TOOL_UNDER_TEST_ENV_DOCS_TOKEN is not set" in text


def test_an_address_that_no_tool_may_call_is_not_called(tmp_path: Path) -> None:
    """As of every tool."""
    config = server("streamable-http", free_port(), tmp_path / "log", allow_private_addresses=False)
    with ModelServer(puppet()) as model:
        root = agent("solo", model.base_url, workbench=workbench(config))
        with Runtime(runtime_config(root), tmp_path, KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY=CANARY) as runtime:
            text, is_error = Bench(runtime, model, None, tmp_path / "log").call("add", a=1, b=1)
            assert is_error
            assert "127.0.0.1, which this tool may not call" in text


def test_a_server_with_sessions_that_restarts_is_not_noticed_either(tmp_path: Path) -> None:
    """The protocol of most servers: a call with a session of before reached nothing, so it is made again."""
    with McpSessions() as old, ModelServer(puppet()) as model:
        config = server("streamable-http", old.port, tmp_path / "log", allowed=["add"])
        root = agent("solo", model.base_url, workbench=workbench(config))
        with Runtime(runtime_config(root), tmp_path, KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY=CANARY) as runtime:
            started = Bench(runtime, model, None, tmp_path / "log")
            assert started.call("add", a=1) == ("2", False)
            old.forget()
            assert started.call("add", a=2) == ("3", False)
            assert (old.opened, old.called) == (2, 2)
            for status in (401, 503):
                old.status = status
                text, is_error = started.call("add", a=3)
                assert is_error
                assert text.startswith(f"the MCP server `under-test`: HTTP {status}")
                assert "internals" not in text
            old.status = None
            assert started.call("add", a=3) == ("4", False)
            assert old.opened == 2


async def test_the_name_of_a_server_is_verified_although_its_address_is_connected_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the CA of the spec, and no other."""
    monkeypatch.setenv("KAGENT_TOOL_UNDER_TEST_HEADER_X_KEY", CANARY)
    pair = loopback_certificate(tmp_path, names=["localhost"])
    with McpSessions(tls=pair) as old:
        for host, tls, works in (
            ("localhost", {"system_cas": False, "ca": str(pair[0])}, True),
            ("127.0.0.1", {"system_cas": False, "ca": str(pair[0])}, False),
            ("localhost", None, False),
        ):
            trust = {"tls": tls} if tls else {}
            url = f"https://{host}:{old.port}/mcp"
            config = server("streamable-http", old.port, tmp_path / "log", allowed=["add"], url=url, **trust)
            tools = McpTools(McpToolsConfig.model_validate({"tools": [config]}))
            answer = await tools.call_tool("add", {"a": 1})
            assert answer.is_error is not works
            assert ("2" if works else "CERTIFICATE_VERIFY_FAILED") in answer.to_text()
        await close_all()


def _is_alive(process: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True).stdout.strip()
    return bool(state) and not state.startswith("Z")


def _wait(holds: Any, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
