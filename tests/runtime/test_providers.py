"""Every model provider over its own wire: conversations, parameters, headers, faults, TLS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import trustme
import yaml

from tests.edge.anthropic_server import AnthropicServer
from tests.edge.model_server import ModelRequest, ModelServer
from tests.edge.openai_variants import AzureServer, GeminiServer, VllmServer
from tests.runtime.process import Event, Runtime, runtime_config, types

JSON = dict[str, Any]
KEY = "canary-0123456789abcdefghijklmnop"  # of no known form: only its value can be recognised
TENANT = "tenant-canary-9876543210"
GET_PODS = {"name": "kubectl-get", "arguments": {"resource": "pods"}}


@dataclass(frozen=True)
class Case:
    """A provider: the server that speaks its wire, and the spec of a model of it."""

    server: Callable[..., ModelServer]
    spec: JSON
    has_key: bool = True
    keyed_by: str = "authorization"
    with_path: bool = True
    """Whether the base URL ends in the server's prefix."""

    def url(self, server: ModelServer) -> str:
        """What a user writes as baseUrl."""
        return server.base_url if self.with_path else server.origin


OPENAI = Case(ModelServer, {"provider": "OpenAI", "model": "gpt-5"})
ANTHROPIC = Case(AnthropicServer, {"provider": "Anthropic", "model": "claude-sonnet-4-5"}, keyed_by="x-api-key")
AZURE = Case(
    AzureServer,
    {"provider": "AzureOpenAI", "model": "gpt-4o", "azure": {"deployment": "chat"}},
    keyed_by="api-key",
)
GEMINI = Case(GeminiServer, {"provider": "Gemini", "model": "gemini-3-pro"})
CASES = {
    "OpenAI": OPENAI,
    "AzureOpenAI": AZURE,
    "Anthropic": ANTHROPIC,
    "Gemini": GEMINI,
    "Ollama": Case(ModelServer, {"provider": "Ollama", "model": "qwen3"}, has_key=False, with_path=False),
    "OpenAICompatible": Case(VllmServer, {"model": "meta-llama/Llama-3.3-70B-Instruct"}, has_key=False),
}
WIRES = ["OpenAI", "AzureOpenAI", "Anthropic", "Gemini"]


AGENT = {
    "description": "Looks at pods",
    "systemMessage": "You look.",
    "modelConfigRef": {"name": "llm"},
    "tools": [{"name": "kubectl-get"}],
}
SOLO = (("Agent", "solo", AGENT),)


def config_for(folder: Path, case: Case, server: ModelServer, others: Any = SOLO, **more: Any) -> JSON:
    """What the compiler makes of an agent, or of other documents, with this model."""
    key = {"apiKeySecretRef": {"name": "model", "key": "api-key"}} if case.has_key else {}
    spec = {**case.spec, "baseUrl": case.url(server), "maxRetries": 1, "timeoutSeconds": 10.0, **key, **more}
    documents = [
        {"apiVersion": "kagent.dev/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": body}
        for kind, name, body in (("ModelConfig", "llm", spec), *others)
    ]
    specs = folder / "specs"
    specs.mkdir(parents=True, exist_ok=True)
    (specs / "specs.yaml").write_text(yaml.safe_dump_all(documents))
    return runtime_config(specs)


def runtime_for(folder: Path, config: JSON, *flags: str, **environment: str) -> Runtime:
    """The real process, over the sample cluster."""
    variables = {"KAGENT_LLM_API_KEY": KEY} | environment
    return Runtime(config, folder / "state", "--cluster", "sample", *flags, **variables)


def only(events: list[Event], type: str) -> Event:
    """The one event of this type."""
    (found,) = [event for event in events if event["type"] == type]
    return found


def opened(case: Case, script: Any, **more: Any) -> ModelServer:
    """The case's server, refusing callers without the key when the provider has one."""
    return case.server(script, api_key=KEY if case.has_key else None, **more)


@pytest.mark.parametrize("name", CASES)
def test_a_conversation_with_a_tool_is_streamed(name: str, tmp_path: Path) -> None:
    """Two turns: a call, its result, an answer in pieces; then one that builds on all of it."""
    case = CASES[name]
    steps = [{"text": "Let me look.", "tool_calls": [GET_PODS]}, {"text": "All pods run."}, {"text": "Still so."}]
    with opened(case, [{"system": "You look", "steps": steps}]) as server:
        config = config_for(tmp_path, case, server)
        with runtime_for(tmp_path, config) as process:
            session = process.new_session()
            events = process.ask(session, "How are the pods?")
            again = process.ask(session, "And now?")
    assert [request.status for request in server.requests] == [200, 200, 200]
    assert all("stream" in request.body for request in server.requests)
    assert types(events) == [
        "message.user", "run.started", "message", "tool.call", "tool.result", "message", "run.finished"
    ]  # fmt: skip
    assert only(events, "tool.result")["isError"] is False
    streamed = "".join(event["content"] for event in events if event["type"] == "message.delta")
    assert streamed == "Let me look.All pods run."
    assert [event["content"] for event in events if event["type"] == "message"][-1] == "All pods run."
    assert only(again, "message")["content"] == "Still so."
    usage = only(events, "run.finished")["usage"]
    asked = [len(json.dumps(request.body["messages"])) // 4 for request in server.requests[:2]]
    assert usage["promptTokens"] == sum(asked)
    assert usage["completionTokens"] > 0
    if case.has_key:
        assert KEY in server.requests[0].headers[case.keyed_by]


@pytest.mark.parametrize("name", WIRES)
def test_a_selector_asks_outside_a_stream(name: str, tmp_path: Path) -> None:
    """And is counted; the agent it selects answers."""
    case = CASES[name]
    others = [
        ("Agent", member, {**AGENT, "systemMessage": f"You are {member}.", "tools": []}) for member in ("one", "two")
    ]
    team = {"teamType": "Selector", "agents": [{"name": "one"}, {"name": "two"}], "maxTurns": 1}
    script = [{"selector": ["two"]}, {"system": "You are two", "steps": [{"text": "Second here."}]}]
    with opened(case, script) as server:
        config = config_for(tmp_path, case, server, [*others, ("AgentTeam", "pair", team)])
        with runtime_for(tmp_path, config) as process:
            events = process.ask(process.new_session(), "Who is it?")
    assert only(events, "message")["content"] == "Second here."
    assert [bool(request.body.get("stream")) for request in server.requests] == [False, True]
    asked = sum(len(json.dumps(request.body["messages"])) // 4 for request in server.requests)
    assert events[-1]["usage"]["promptTokens"] == asked


@pytest.mark.parametrize("name", WIRES)
def test_the_last_answer_after_tools_is_asked_without_them(name: str, tmp_path: Path) -> None:
    """What each wire wants to see of them then: Anthropic their declarations, the others nothing."""
    case = CASES[name]
    agent = {**AGENT, "limits": {"toolIterations": 1}}
    with opened(case, [{"system": "You look", "steps": [{"tool_calls": [GET_PODS]}, {"text": "Done."}]}]) as server:
        with runtime_for(tmp_path, config_for(tmp_path, case, server, [("Agent", "solo", agent)])) as process:
            events = process.ask(process.new_session(), "How are the pods?")
    assert events[-1]["outcome"] == "completed"
    assert [event["content"] for event in events if event["type"] == "message"][-1] == "Done."
    assert bool(server.requests[1].body.get("tools")) is (name == "Anthropic")


@pytest.mark.parametrize("name", ["OpenAI", "Anthropic"])
def test_a_model_that_is_too_slow_is_asked_again_and_given_up(name: str, tmp_path: Path) -> None:
    """For each HTTP library; the words say how long and how often."""
    case = CASES[name]
    with opened(case, lambda _: {"text": "late", "sleep": 5}) as server:
        with runtime_for(tmp_path, config_for(tmp_path, case, server, timeoutSeconds=0.4)) as process:
            detail = _failure(process.ask(process.new_session(), "hello")[-1])
    assert "no answer within 0.4 s, 1 retries included" in detail
    assert len(server.requests) == 2


@dataclass
class Faults:
    """Answers by the last message of the user, and counts the attempts."""

    attempts: dict[str, int] = field(default_factory=dict)

    def __call__(self, request: ModelRequest) -> JSON:
        """The step for a request."""
        text = next(word for word in reversed(_words(request.body)) if word.startswith("fault-"))
        self.attempts[text] = count = self.attempts.get(text, 0) + 1
        last = request.body["messages"][-1]
        is_answered = last["role"] == "tool" or "tool_result" in json.dumps(last)
        steps: dict[str, JSON] = {
            "fault-none": {"text": "Fine."},
            "fault-busy": {"error": 429, "retry_after": 0.01} if count == 1 else {"text": "Fine."},
            "fault-down": {"error": 500, "text": f"boom {KEY}"},
            "fault-refused": {"error": 401, "text": f"bad key {KEY}"},
            "fault-cut": {"text": "one two three four five six", "cut": True},
            "fault-garbled": {"text": "one two three four five six", "garbled": True},
            "fault-arguments": {"text": "Fine."}
            if is_answered
            else {"tool_calls": [{"name": "kubectl-get", "arguments": '{"resource": "po'}]},
        }
        return steps[text]


def _words(body: JSON) -> list[str]:
    return json.dumps([message for message in body["messages"] if message["role"] == "user"]).replace('"', " ").split()


@pytest.mark.parametrize("name", WIRES)
def test_faults_end_as_designed_and_leave_no_key(name: str, tmp_path: Path) -> None:
    """What is worth another try gets it; the rest fails in words, and the next message works."""
    case, faults = CASES[name], Faults()
    with opened(case, faults) as server:
        with runtime_for(tmp_path, config_for(tmp_path, case, server)) as process:
            session = process.new_session()
            seen: list[list[Event]] = []

            def ask(text: str) -> Event:
                seen.append(process.ask(session, text))
                return seen[-1][-1]

            assert ask("fault-busy")["outcome"] == "completed"
            assert faults.attempts["fault-busy"] == 2
            assert "HTTP 500" in _failure(ask("fault-down"))
            assert faults.attempts["fault-down"] == 2
            refused = _failure(ask("fault-refused"))
            assert "HTTP 401, check the key in KAGENT_LLM_API_KEY" in refused
            assert faults.attempts["fault-refused"] == 1
            assert "model `llm`" in _failure(ask("fault-cut"))
            assert "while reading the answer" in _failure(ask("fault-garbled"))
            assert ask("fault-arguments")["outcome"] == "completed"
            assert only(seen[-1], "tool.result")["isError"] is True
            assert ask("fault-none")["outcome"] == "completed"
            stored = json.dumps(process.log(session))
            process.process.terminate()
            logged = process.wait_stderr()
    assert KEY not in stored + logged + json.dumps(seen)
    assert "Traceback" not in stored + logged


def _failure(finished: Event) -> str:
    assert finished["outcome"] == "failed", finished
    detail = str(finished["error"]["detail"])
    assert KEY not in detail
    return detail


ONE_TURN = [{"system": "You look", "steps": [{"text": "Fine."}]}]
PARAMETERS: dict[str, tuple[Case, JSON, JSON]] = {
    "OpenAI's newer ones": (
        OPENAI,
        {"maxCompletionTokens": 500, "reasoningEffort": "none", "seed": 7},
        {"max_completion_tokens": 500, "reasoning_effort": "none", "seed": 7},
    ),
    "Azure's": (AZURE, {"maxCompletionTokens": 9, "stop": ["END"]}, {"max_completion_tokens": 9, "stop": ["END"]}),
    "vLLM's own": (
        CASES["OpenAICompatible"],
        {"topK": 20, "extraBody": {"min_p": 0.1, "chat_template_kwargs": {"enable_thinking": False}}},
        {"top_k": 20, "min_p": 0.1, "chat_template_kwargs": {"enable_thinking": False}},
    ),
    "Anthropic's": (
        ANTHROPIC,
        {"topP": 0.9, "topK": 5, "stop": ["END"], "maxTokens": 100},
        {"top_p": 0.9, "top_k": 5, "stop_sequences": ["END"], "max_tokens": 100, "temperature": None},
    ),
    "Anthropic's temperature": (
        ANTHROPIC,
        {"temperature": 0.0},
        {"temperature": 0.0, "top_p": None, "max_tokens": 4096},
    ),
    "Gemini's": (GEMINI, {"reasoningEffort": "low", "maxTokens": 5}, {"reasoning_effort": "low", "max_tokens": 5}),
}


@pytest.mark.parametrize("name", PARAMETERS)
def test_parameters_and_headers_reach_the_wire(name: str, tmp_path: Path) -> None:
    """Also those that AutoGen's configs drop; and no parameter that the spec does not have."""
    case, given, expected = PARAMETERS[name]
    headers = [
        {"name": "X-Team", "value": "sre"},
        {"name": "X-Tenant", "secretRef": {"name": "tenant", "key": "id"}},
    ]
    with opened(case, ONE_TURN) as server:
        config = config_for(tmp_path, case, server, headers=headers, **given)
        assert TENANT not in json.dumps(config)
        with runtime_for(tmp_path, config, KAGENT_LLM_HEADER_X_TENANT=TENANT) as process:
            assert process.ask(process.new_session(), "hello")[-1]["outcome"] == "completed"
    (request,) = server.requests
    assert {key: request.body.get(key) for key in expected} == expected
    assert (request.headers["x-team"], request.headers["x-tenant"]) == ("sre", TENANT)


def test_a_header_of_a_secret_is_never_told(tmp_path: Path) -> None:
    """A gateway that repeats it in an error."""
    headers = [{"name": "X-Tenant", "secretRef": {"name": "tenant", "key": "id"}}]
    with ModelServer(lambda _: {"error": 403, "text": f"tenant {TENANT} is unknown"}, api_key=KEY) as server:
        config = config_for(tmp_path, OPENAI, server, headers=headers)
        with runtime_for(tmp_path, config, KAGENT_LLM_HEADER_X_TENANT=TENANT) as process:
            events = process.ask(process.new_session(), "hello")
            process.process.terminate()
            logged = process.wait_stderr()
    assert "tenant [redacted] is unknown" in _failure(events[-1])
    assert TENANT not in json.dumps(events) + logged


def test_a_cancel_reaches_anthropic_in_the_middle_of_a_stream(tmp_path: Path) -> None:
    """AutoGen's own loop reads on to the end, and bills for it."""
    slow = {"text": "word " * 200, "chunk_sleep": 0.05}
    with opened(ANTHROPIC, lambda _: slow) as server:
        with runtime_for(tmp_path, config_for(tmp_path, ANTHROPIC, server)) as process:
            session = process.new_session()
            process.send(session, "hello")
            server.wait_for_requests(1)
            time.sleep(0.5)
            process.client.post(f"/api/v1/sessions/{session}/cancel")
            assert process.wait_finished(session, 3)[-1]["outcome"] == "cancelled"
            deadline = time.monotonic() + 3
            while not server.requests[0].hung_up:
                assert time.monotonic() < deadline, "the stream is still open"
                time.sleep(0.05)


def test_another_server_for_every_model_gets_no_secret_but_the_key(
    certificate: tuple[Path, Path], tmp_path: Path
) -> None:
    """`--model-base-url` switches the wire to OpenAI's; certificates and headers are for the provider."""
    more = {
        "headers": [{"name": "X-Tenant", "secretRef": {"name": "tenant", "key": "id"}}],
        "tls": {"caConfigMapRef": {"name": "ca", "key": "ca.crt"}},
    }
    with AnthropicServer(ONE_TURN, tls=certificate) as own, ModelServer(ONE_TURN, api_key=KEY) as other:
        config = config_for(tmp_path, ANTHROPIC, own, **more)
        with runtime_for(tmp_path, config, "--model-base-url", other.base_url) as process:
            assert process.ask(process.new_session(), "hello")[-1]["outcome"] == "completed"
    assert len(other.requests) == 1
    assert own.requests == []
    assert "x-tenant" not in other.requests[0].headers


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A private CA."""
    return trustme.CA()


@pytest.fixture
def certificate(authority: trustme.CA, tmp_path: Path) -> tuple[Path, Path]:
    """The server's certificate and key."""
    folder = tmp_path / "server"
    folder.mkdir()
    issued = authority.issue_cert("127.0.0.1")
    issued.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
    issued.private_key_pem.write_to_path(str(folder / "tls.key"))
    return folder / "tls.crt", folder / "tls.key"


def _mounted(config: JSON, folder: Path) -> JSON:
    """The config with the folder in place of the one in a pod."""
    return json.loads(json.dumps(config).replace("/etc/kagent-tls/", f"{folder}/"))  # type: ignore[no-any-return]


def _write_client(authority: trustme.CA, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    issued = authority.issue_cert("agent")
    issued.cert_chain_pems[0].write_to_path(str(folder / "tls.crt"))
    issued.private_key_pem.write_to_path(str(folder / "tls.key"))


def _write_ca(authority: trustme.CA, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    authority.cert_pem.write_to_path(str(folder / "ca.crt"))


MUTUAL = {
    "caSecretRef": {"name": "ca", "key": "bundle.pem"},
    "clientCertificateSecretRef": {"name": "agent-tls"},
    "useSystemCAs": False,
}


@pytest.fixture(params=["OpenAI", "Anthropic"])
def mutual(
    request: pytest.FixtureRequest, authority: trustme.CA, certificate: tuple[Path, Path], tmp_path: Path
) -> Iterator[tuple[Case, ModelServer]]:
    """A server of a private CA that wants a certificate of it: for each HTTP library that the SDKs use."""
    _write_ca(authority, tmp_path / "authority")
    case = CASES[request.param]
    with opened(case, lambda _: {"text": "Fine."}, tls=certificate, client_ca=tmp_path / "authority/ca.crt") as server:
        yield case, server


def test_a_private_ca_and_a_client_certificate(
    mutual: tuple[Case, ModelServer], authority: trustme.CA, tmp_path: Path
) -> None:
    """Accepted both ways; and a certificate that is renewed under a running process is used."""
    case, server = mutual
    files = tmp_path / "mounts"
    _write_ca(authority, files / "models/llm/ca")
    _write_client(trustme.CA(), files / "models/llm/client")
    config = _mounted(config_for(tmp_path, case, server, tls=MUTUAL), files)
    with runtime_for(tmp_path, config) as process:
        session = process.new_session()
        assert "cannot reach https://" in _failure(process.ask(session, "as a stranger")[-1])
        assert server.requests == []
        _write_client(authority, files / "models/llm/client")
        assert process.ask(session, "as one of us")[-1]["outcome"] == "completed"
    assert len(server.requests) == 1


def test_a_server_of_an_unknown_ca_is_told_as_such(mutual: tuple[Case, ModelServer], tmp_path: Path) -> None:
    """The words of TLS, not only that the connection failed."""
    case, server = mutual
    files = tmp_path / "mounts"
    _write_ca(trustme.CA(), files / "models/llm/ca")
    config = _mounted(config_for(tmp_path, case, server, tls={"caSecretRef": MUTUAL["caSecretRef"]}), files)
    with runtime_for(tmp_path, config) as process:
        detail = _failure(process.ask(process.new_session(), "hello")[-1])
    assert "CERTIFICATE_VERIFY_FAILED" in detail
    assert server.requests == []


def test_a_missing_certificate_ends_the_start_with_its_path(certificate: tuple[Path, Path], tmp_path: Path) -> None:
    """As a missing key does."""
    with ModelServer(ONE_TURN, tls=certificate) as server:
        config = config_for(tmp_path, OPENAI, server, tls={"caSecretRef": {"name": "ca", "key": "ca.crt"}})
        process = runtime_for(tmp_path, _mounted(config, tmp_path / "nowhere"))
        with pytest.raises(AssertionError, match=r"models/llm/ca/ca.crt: No such file"):
            process.__enter__()
