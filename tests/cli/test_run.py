"""`kagent-render run` on a machine without a cluster: which models it really calls."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.edge.anthropic_server import AnthropicServer
from tests.edge.mcp_server import McpServer
from tests.edge.model_server import ModelServer
from tests.harness import ROOT, kagent_render

AGENT = """
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: solo}
spec: {description: Talks, systemMessage: You talk., modelConfigRef: {name: llm}}
"""


def _specs(folder: Path, spec: str) -> Path:
    document = f"apiVersion: kagent.dev/v1alpha1\nkind: ModelConfig\nmetadata: {{name: llm}}\nspec: {spec}{AGENT}"
    (folder / "specs.yaml").write_text(document)
    return folder


@contextmanager
def _run(specs: Path, *flags: str, **environment: str) -> Iterator[tuple[httpx.Client, str]]:
    """The process, once it serves: a client, and what it said before."""
    inherited = {key: value for key, value in os.environ.items() if not key.endswith("_API_KEY")}
    command = [sys.executable, "-m", "kagent_render", "run", str(specs), "--port", "0", *flags]
    with subprocess.Popen(
        command, cwd=ROOT, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            said = ""
            assert process.stdout is not None
            while not (match := re.search(r"serving \S+ on (http://\S+)", said)):
                line = process.stdout.readline()
                assert line, said
                said += line
            with httpx.Client(base_url=match[1], timeout=30) as client:
                yield client, said
        finally:
            process.terminate()
            process.wait(20)


def _answer(client: httpx.Client) -> str:
    session = client.post("/api/v1/sessions", json={}).json()["id"]
    path, headers = f"/api/v1/sessions/{session}/messages", {"Accept": "text/event-stream"}
    return client.post(path, json={"content": "hello"}, headers=headers).text


def test_a_server_of_this_machine_is_asked_without_a_key(tmp_path: Path) -> None:
    """Ollama's way: a host and a port."""
    with ModelServer(lambda _: {"text": "From the real model."}) as server:
        specs = _specs(tmp_path, f"{{provider: Ollama, model: qwen3, baseUrl: '{server.origin}'}}")
        with _run(specs) as (client, said):
            assert "From the real model." in _answer(client)
    assert "replay" not in said


def test_a_key_in_the_models_own_variable_is_used(tmp_path: Path) -> None:
    """At whatever address the spec says."""
    with AnthropicServer(lambda _: {"text": "From the real model."}, api_key="k-0123456789") as server:
        spec = f"{{provider: Anthropic, model: c, baseUrl: '{server.origin}', apiKeySecretRef: {{name: a, key: k}}}}"
        with _run(_specs(tmp_path, spec), KAGENT_LLM_API_KEY="k-0123456789") as (client, said):
            assert "From the real model." in _answer(client)
    assert "k-0123456789" not in said


def test_it_says_what_is_missing_and_replays(tmp_path: Path) -> None:
    """Every variable by its name, and the usual one."""
    spec = "{provider: Anthropic, model: c, apiKeySecretRef: {name: a, key: k}}"
    with _run(_specs(tmp_path, spec)) as (client, said):
        assert "run.finished" in _answer(client)
    assert "model: replay, no LLM is called because:\n    set KAGENT_LLM_API_KEY or ANTHROPIC_API_KEY\n" in said


def test_another_server_serves_any_provider(tmp_path: Path) -> None:
    """`--model-url`: no key is missed, and a Service of the cluster is not in the way."""
    with ModelServer(lambda _: {"text": "From the real model."}) as server:
        specs = _specs(tmp_path, "{model: x, inferenceServiceRef: {name: llama}}")
        with _run(specs, "--model-url", server.base_url) as (client, _):
            assert "From the real model." in _answer(client)


def _prompt_in(client: httpx.Client, server: ModelServer) -> str:
    _answer(client)
    return str(server.requests[-1].body["messages"][0]["content"])


def _wait_for(client: httpx.Client, server: ModelServer, prompt: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if _prompt_in(client, server) == prompt:
                return
        except httpx.TransportError:
            pass  # between the two processes
        assert time.monotonic() < deadline, f"never asked with {prompt!r}"
        time.sleep(0.3)


def test_a_saved_prompt_is_served_with_the_conversations_of_before(tmp_path: Path) -> None:
    """An error in between changes nothing; a new file counts too; the address stays."""
    with ModelServer(lambda _: {"text": "Fine."}) as server:
        specs = _specs(tmp_path, f"{{model: x, baseUrl: '{server.base_url}'}}")
        file = specs / "specs.yaml"
        with _run(specs) as (client, _):
            session = client.post("/api/v1/sessions", json={"title": "kept"}).json()["id"]
            assert _prompt_in(client, server) == "You talk."
            good = file.read_text()
            file.write_text(good.replace("systemMessage: You talk.", "systemMesage: You talk."))
            time.sleep(3)
            assert _prompt_in(client, server) == "You talk."
            (specs / "prompt.md").write_text("You sing.")
            file.write_text(good.replace("systemMessage: You talk.", "systemMessageFrom: {file: prompt.md}"))
            _wait_for(client, server, "You sing.")
            (specs / "prompt.md").write_text("You dance.")
            _wait_for(client, server, "You dance.")
            assert client.get(f"/api/v1/sessions/{session}").json()["title"] == "kept"


TOOL = """
---
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}
spec: {python: {modules: [capacity]}}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: forecast}
spec: {type: python, description: Forecast, python: {file: capacity.py, function: forecast}}
"""


def test_a_saved_function_is_served(tmp_path: Path) -> None:
    """The file that a tool names: with the runtime's own variables, and another process after a save."""

    def called(body: dict[str, object]) -> dict[str, object]:
        is_first = "tool_call_id" not in json.dumps(body["messages"][-1])  # type: ignore[index]
        return {"tool_calls": [{"name": "forecast", "arguments": {}}]} if is_first else {"text": "Fine."}

    with ModelServer(lambda request: called(request.body)) as server:
        specs = _specs(tmp_path, f"{{model: x, baseUrl: '{server.base_url}'}}")
        file = specs / "specs.yaml"
        file.write_text(file.read_text().replace("{name: llm}}\n", "{name: llm}, tools: [{name: forecast}]}\n") + TOOL)
        code = specs / "capacity.py"
        code.write_text("def forecast() -> str:\n    return 'ten nodes'\n")
        with _run(specs) as (client, _):
            assert "ten nodes" in _answer(client)
            code.write_text("def forecast() -> str:\n    return 'two nodes'\n")
            deadline = time.monotonic() + 60
            while "two nodes" not in _try(client):
                assert time.monotonic() < deadline, "the saved function was never called"
                time.sleep(0.3)


def _try(client: httpx.Client) -> str:
    try:
        return _answer(client)
    except httpx.TransportError:
        return ""  # between the two processes


_TOOL = """
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: %s}
spec: {type: mcp, description: d, mcp: {server: {image: ghcr.io/acme/%s:1, placement: %s}, tools: [%s]}}
"""


def _specs_with_servers(folder: Path, model: ModelServer) -> Path:
    specs = _specs(folder, f"{{model: x, baseUrl: '{model.base_url}'}}")
    text = (
        (specs / "specs.yaml").read_text().replace("{name: llm}}", "{name: llm}, tools: [{name: sums}, {name: units}]}")
    )
    text += _TOOL % ("sums", "sums", "Deployment", "add") + _TOOL % ("units", "units", "Sidecar", "convert")
    (specs / "specs.yaml").write_text(text)
    return specs


def test_a_server_that_is_not_started_here_may_run_elsewhere(tmp_path: Path) -> None:
    """`--tool-url`: one of the official SDK answers; of the other, the model is told that it is not available."""

    def answer(request: Any) -> dict[str, Any]:
        if request.body["messages"][-1]["role"] == "tool":
            return {"text": f"It is {request.body['messages'][-1]['content']}."}
        return {"tool_calls": [{"name": "add", "arguments": {"a": 1, "b": 2}}]}

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with (
        ModelServer(answer) as model,
        McpServer("streamable-http", port=port, log=tmp_path / "log") as server,
        _run(_specs_with_servers(tmp_path, model), "--tool-url", f"sums={server.url}") as (client, said),
    ):
        assert "It is 3." in _answer(client)
        offered = {item["function"]["name"]: item["function"] for item in model.requests[-1].body["tools"]}
        assert server.calls() == ["add"]
    assert offered["add"]["description"] == "Adds two numbers."
    assert offered["convert"]["description"].startswith("Not available now: ")
    assert f"  tool sums: {server.url}\n" in said
    assert "  tool units: its server is not started here, so that what it offers is not available;\n" in said
    assert "    --tool-url units=URL takes one that runs\n" in said


def test_a_tool_url_that_fits_nothing_is_a_usage_error(tmp_path: Path) -> None:
    """In a line, before anything is started."""
    with ModelServer(lambda _: {"text": "Never."}) as model:
        specs = str(_specs_with_servers(tmp_path, model))
        for given, says in (
            ("sums", "is not NAME=URL"),
            ("sums=ftp://127.0.0.1/", "is not NAME=URL"),
            ("summs=http://127.0.0.1/mcp", "no MCP server over HTTP is called `summs`; there are: sums, units"),
        ):
            outcome = kagent_render("run", specs, "--port", "0", "--tool-url", given)
            assert (outcome.code, outcome.stdout) == (2, "")
            assert says in outcome.stderr
