"""Traces over real OTLP: the tree of spans, their attributes, and that nothing of a conversation is in them."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.edge.otlp_collector import OtlpCollector, ReceivedSpan
from tests.runtime.configs import agent, runtime_config, team, text_mention, tools
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.surroundings import SilentServer, kubeconfig
from tests.runtime.test_agent_runs import GET_PODS, POD

ASKED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
ANSWER = "canary-answer-77"
PROMPT_TOKENS = "gen_ai.usage.input_tokens"
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "100"}


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture
def collector() -> Iterator[OtlpCollector]:
    with OtlpCollector() as server:
        yield server


def one(spans: list[ReceivedSpan], name: str) -> ReceivedSpan:
    """The one span of this name."""
    (found,) = [span for span in spans if span.name == name]
    return found


def ask_traced(runtime: Runtime, content: str) -> str:
    """Send a message as a caller that traces; its session."""
    session = runtime.new_session()
    path = f"/api/v1/sessions/{session}/messages"
    assert runtime.client.post(path, json={"content": content}, headers={"traceparent": ASKED}).status_code == 202
    runtime.wait_finished(session)
    return session


def test_a_run_of_an_agent_is_one_tree_below_the_caller(
    model: ModelServer, cluster: KubernetesApi, collector: OtlpCollector, tmp_path: Path
) -> None:
    """invoke_agent, and below it chat, execute_tool, chat: with usage, and without a word that was said."""
    config = runtime_config(agent("solo", model.base_url, workbench=tools("get")))
    before = len(model.requests)
    environment = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.origin,
        "OTEL_SERVICE_NAME": "shown",
        "OTEL_RESOURCE_ATTRIBUTES": "k8s.namespace.name=ai-agents",
        "KUBECONFIG": kubeconfig(tmp_path, cluster.origin),
    }
    with Runtime(config, tmp_path, "--cluster", "kubeconfig", **environment, **QUICK) as runtime:
        session = ask_traced(runtime, task(solo=[{"tool_calls": [GET_PODS]}, {"text": ANSWER}]))
        spans = collector.wait_for_span("invoke_agent under-test")
    assert sorted(span.name for span in spans) == [
        "chat gpt-4o",
        "chat gpt-4o",
        "execute_tool kubectl-get",
        "invoke_agent under-test",
    ]
    root = one(spans, "invoke_agent under-test")
    assert {span.trace_id for span in spans} == {ASKED.split("-")[1]}
    assert root.parent == ASKED.split("-")[2]
    assert {span.parent for span in spans if span is not root} == {root.span_id}
    chats = [span for span in spans if span.name == "chat gpt-4o"]
    assert root.attributes[PROMPT_TOKENS] == sum(span.attributes[PROMPT_TOKENS] for span in chats) > 0
    assert root.attributes["gen_ai.conversation.id"] == session
    assert root.attributes["kagent.run.outcome"] == "completed"
    assert {key: chats[0].attributes[key] for key in ("gen_ai.operation.name", "gen_ai.provider.name")} == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
    }
    assert [span.attributes["gen_ai.response.finish_reasons"] for span in chats] == [["function_calls"], ["stop"]]
    tool = one(spans, "execute_tool kubectl-get").attributes
    assert tool["gen_ai.tool.name"] == "kubectl-get"
    assert tool["gen_ai.tool.call.id"]
    assert root.resource["service.name"] == "shown"
    assert root.resource["k8s.namespace.name"] == "ai-agents"
    for content in (ANSWER, "You are solo", "checkout-1", KEY):
        assert content.encode() not in collector.raw
    # The model is told of the trace, by the span of its own call.
    parents = [request.headers["traceparent"].split("-") for request in model.requests[before:]]
    assert [parent[2] for parent in parents] == [span.span_id for span in chats]


def test_the_members_of_a_team_are_spans_of_their_own(
    model: ModelServer, collector: OtlpCollector, tmp_path: Path
) -> None:
    """Each with its model call, under the name of the spec; the failure of one is told without its text."""
    members = [agent("first_one", model.base_url), agent("second_one", model.base_url)]
    config = runtime_config(team("RoundRobinGroupChat", members, text_mention("DONE", "second_one")))
    steps = {"first_one": [{"text": "to you"}], "second_one": [{"text": "DONE"}]}
    with Runtime(config, tmp_path, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT=f"{collector.origin}/v1/traces") as runtime:
        runtime.ask(runtime.new_session(), task(**steps))
        broken = runtime.ask(runtime.new_session(), task(first_one=[{"error": 400, "text": "canary-text"}]))
        assert broken[-1]["outcome"] == "failed"
        runtime.process.send_signal(signal.SIGTERM)
        assert runtime.process.wait(20) == 0  # what is left is sent at the end, although the delay is 5 s
    spans = collector.spans
    good, bad = [span for span in spans if span.name == "invoke_agent under-test"]
    first = next(span for span in spans if span.name == "invoke_agent first-one" and span.parent == good.span_id)
    second = one(spans, "invoke_agent second-one")
    assert (good.parent, second.parent) == ("", good.span_id)
    assert [s.name for s in spans if s.parent == first.span_id] == ["chat gpt-4o"]
    assert [s.name for s in spans if s.parent == second.span_id] == ["chat gpt-4o"]
    assert bad.status == 2
    assert bad.attributes["kagent.run.outcome"] == "failed"
    failed = [span for span in spans if span.trace_id == bad.trace_id]
    assert {span.attributes.get("error.type") for span in failed} == {"EngineError", "ModelError"}
    assert not any(span.status_message or span.events for span in spans)
    assert b"canary-text" not in collector.raw


def test_no_sampled_trace_is_sent_and_a_run_is_as_ever(
    model: ModelServer, collector: OtlpCollector, tmp_path: Path
) -> None:
    """The standard sampler variables hold."""
    config = runtime_config(agent("solo", model.base_url))
    sampler = {"OTEL_TRACES_SAMPLER": "parentbased_traceidratio", "OTEL_TRACES_SAMPLER_ARG": "0"}
    with Runtime(config, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.origin, **sampler) as runtime:
        events = runtime.ask(runtime.new_session(), task(solo=[{"text": "fine"}]))
        runtime.process.send_signal(signal.SIGTERM)
        runtime.process.wait(20)
    assert events[-1]["outcome"] == "completed"
    assert collector.requests == 0


def test_a_collector_that_fails_or_hangs_harms_nothing(model: ModelServer, tmp_path: Path) -> None:
    """Runs go on, one log line says it, and the end is not held up for long."""
    config = runtime_config(agent("solo", model.base_url))
    with (
        OtlpCollector(status=400) as refusing,
        Runtime(config, tmp_path / "a", OTEL_EXPORTER_OTLP_ENDPOINT=refusing.origin, **QUICK) as runtime,
    ):
        for _ in range(3):
            seen = refusing.requests
            assert runtime.ask(runtime.new_session(), task(solo=[{"text": "x"}]))[-1]["outcome"] == "completed"
            deadline = time.monotonic() + 10
            while refusing.requests == seen and time.monotonic() < deadline:
                time.sleep(0.02)
        assert refusing.requests >= 3
        runtime.process.send_signal(signal.SIGTERM)
        log = [json.loads(line) for line in runtime.wait_stderr().splitlines()]
    told = [line["message"] for line in log if line["level"] != "info"]
    assert told == ["traces cannot be sent; they are dropped"]
    with (
        SilentServer() as hanging,
        Runtime(config, tmp_path / "b", OTEL_EXPORTER_OTLP_ENDPOINT=hanging.origin) as runtime,
    ):
        assert runtime.ask(runtime.new_session(), task(solo=[{"text": "x"}]))[-1]["outcome"] == "completed"
        started = time.monotonic()
        runtime.process.send_signal(signal.SIGTERM)
        assert runtime.process.wait(20) == 0
        assert time.monotonic() - started < 8


def test_log_lines_name_the_trace(model: ModelServer, collector: OtlpCollector, tmp_path: Path) -> None:
    """So that a log store and a trace store lead to each other."""
    config = runtime_config(agent("solo", model.base_url))
    with Runtime(config, tmp_path, OTEL_EXPORTER_OTLP_ENDPOINT=collector.origin, **QUICK) as runtime:
        session = runtime.new_session()
        runtime.ask(session, task(solo=[{"text": "first"}]))
        with closing(sqlite3.connect(tmp_path / "sessions.db")) as database, database:
            database.execute("UPDATE sessions SET state = '{\"type\": 1}'")  # which does not load
        ask_again = runtime.ask(session, task(solo=[{"text": "second"}]))
        assert ask_again[-1]["outcome"] == "completed"
        runtime.process.send_signal(signal.SIGTERM)
        log = [json.loads(line) for line in runtime.wait_stderr().splitlines()]
    (told,) = [line for line in log if line["message"] == "the saved state does not load"]
    _, second = [span for span in collector.spans if span.name == "invoke_agent under-test"]
    assert (told["trace_id"], told["span_id"]) == (second.trace_id, second.span_id)


def test_without_an_endpoint_the_sdk_is_not_loaded(tmp_path: Path, model: ModelServer) -> None:
    """Tracing costs nothing to those who do not use it."""
    path = tmp_path / "runtime.json"
    path.write_text(json.dumps(runtime_config(agent("solo", model.base_url))))
    code = (
        "import sys\n"
        "from kagent_runtime.config import load_config\n"
        "from kagent_runtime.telemetry import start_telemetry\n"
        f"start_telemetry(load_config({str(path)!r}), dict(arg.split('=') for arg in sys.argv[1:]))\n"
        "print('opentelemetry.sdk' in sys.modules)"
    )
    endpoint = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:9"
    for arguments, is_loaded in (
        ([], "False"),
        ([endpoint], "True"),
        ([endpoint, "OTEL_SDK_DISABLED=true"], "False"),
        ([endpoint, "OTEL_TRACES_EXPORTER=none"], "False"),
    ):
        outcome = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
        assert outcome.stdout.strip() == is_loaded, arguments
