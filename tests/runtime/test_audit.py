"""The audit log: who had which tool called, who allowed it, what came of it; and nothing of what was said."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.edge.otlp_collector import OtlpCollector
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled
from tests.runtime.surroundings import kubeconfig
from tests.runtime.test_approvals import APPROVED, FREE, POD, decide, get, wait_for

ANN = "canary-ann-0123456789abcdef"
CANARY = "sk-canaryargument0123456789abcdef"
Line = dict[str, Any]


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    """A cluster with one pod."""
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    """A model that says what the message tells it to."""
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


def _started(folder: Path, model: ModelServer, cluster: KubernetesApi, *flags: str, **environment: str) -> Runtime:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "tokens").write_text(f"ann:{ANN}\n")
    config = compiled(folder / "specs", model.base_url, agent("solo", APPROVED))
    settings = {"KAGENT_AUTH": "bearer", "KAGENT_AUTH_TOKENS_FILE": str(folder / "tokens"), "POD_NAMESPACE": "default"}
    settings |= {"KUBECONFIG": kubeconfig(folder, cluster.origin)} | environment
    more = ("--cluster", "kubeconfig", "--management-port", "0", *flags)
    return Runtime(config, folder / "state", *more, **settings)


def _audited(log: str, event: str = "tool.call") -> list[Line]:
    lines = [json.loads(line) for line in log.splitlines()]
    return [line for line in lines if line["logger"] == "kagent_runtime.audit" and line["event"] == event]


def _play(runtime: Runtime) -> tuple[str, str]:
    """A free call, one that is approved, one that is denied, one that fails; the session and its run."""
    runtime.client.headers["Authorization"] = f"Bearer {ANN}"
    session = runtime.new_session()
    absent = {"name": "kubectl-describe", "arguments": {"resource": "pods", "name": "canary-absent", "apiKey": CANARY}}
    steps = [{"tool_calls": [call]} for call in (FREE, get(), get("canary-pod"), absent)]
    run = runtime.send(session, task(solo=[*steps, {"text": "The canary sings."}]))["runId"]
    for number, verdict in enumerate(("approve", "deny"), 1):
        asked = wait_for(runtime, session, "approval.requested", number)[-1]
        assert decide(runtime, session, asked["callId"], verdict).status_code == 200
    assert runtime.wait_finished(session)[-1]["outcome"] == "completed"
    return session, run


def test_every_call_is_one_line(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """Whatever the level of the log; the arguments as a hash that anyone can make again."""
    with _started(tmp_path, model, cluster, "--log-level", "error") as runtime:
        session, run = _play(runtime)
        runtime.process.terminate()
        log = runtime.wait_stderr()
    calls = _audited(log)
    told = [(line["tool"], line.get("decision"), line.get("approvedBy"), line["outcome"]) for line in calls]
    assert told == [
        ("kubectl-describe", None, None, "ok"),
        ("kubectl-get", "approve", "token:ann", "ok"),
        ("kubectl-get", "deny", "token:ann", "refused"),
        ("kubectl-describe", None, None, "error"),
    ]
    for line in calls:
        assert (line["subject"], line["session"], line["run"], line["agent"]) == ("token:ann", session, run, "solo")
        assert line["durationMs"] >= 0
        assert line["callId"]
    canonical = json.dumps(FREE["arguments"], sort_keys=True, separators=(",", ":"))
    assert calls[0]["argumentsSha256"] == hashlib.sha256(canonical.encode()).hexdigest()
    decided = _audited(log, "approval.decided")
    assert [(line["decision"], line["subject"], line["session"]) for line in decided] == [
        ("approve", "token:ann", session),
        ("deny", "token:ann", session),
    ]
    assert [line["callId"] for line in decided] == [line["callId"] for line in calls[1:3]]
    assert "canary" not in log
    assert KEY not in log


def test_arguments_are_told_as_configured(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """Redacted: values, but never what looks like a credential. Omitted: not even a hash."""
    with _started(tmp_path / "redacted", model, cluster, "--audit-arguments", "redacted") as runtime:
        _play(runtime)
        runtime.process.terminate()
        log = runtime.wait_stderr()
    assert [line["arguments"] for line in _audited(log)][2:] == [
        {"resource": "pods", "name": "canary-pod"},
        {"resource": "pods", "name": "canary-absent", "apiKey": "[redacted]"},
    ]
    assert ANN not in log
    assert CANARY not in log
    assert "The canary sings." not in log
    with _started(tmp_path / "omitted", model, cluster, KAGENT_AUDIT_ARGUMENTS="omitted") as runtime:
        _play(runtime)
        runtime.process.terminate()
        log = runtime.wait_stderr()
    assert len(_audited(log)) == 4
    assert not [key for line in _audited(log) for key in line if key.startswith("arguments")]


def test_lines_name_the_trace(tmp_path: Path, model: ModelServer, cluster: KubernetesApi) -> None:
    """The caller's, when there is tracing."""
    parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with OtlpCollector() as collector:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.origin}
        with _started(tmp_path, model, cluster, **environment) as runtime:
            runtime.client.headers["traceparent"] = parent
            _play(runtime)
            runtime.process.terminate()
            log = runtime.wait_stderr()
    assert {line["trace_id"] for line in _audited(log)} == {"0af7651916cd43dd8448eb211c80319c"}
    assert all(len(line["span_id"]) == 16 for line in _audited(log))
