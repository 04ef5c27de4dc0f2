"""The committed manifests of the quickstart run as a container and answer, confined as they say."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator

import pytest

from tests.e2e.containers import Containers
from tests.e2e.manifests import JSON, load_example, playable
from tests.e2e.pod import of_type, wait_for
from tests.e2e.surroundings import FAILING, Running, running
from tests.edge.model_server import ModelRequest
from tests.edge.script import Step

ANSWER = f"The pod {FAILING} is in CrashLoopBackOff because its database refuses connections."


def diagnose(request: ModelRequest) -> Step:
    """Look at the cluster once, then answer; words in the user's message pick what and how fast."""
    task = next(message["content"] for message in request.messages if message["role"] == "user")
    if request.messages[-1]["role"] != "tool":
        arguments = {"resource": "secrets" if "secrets" in task else "pods"}
        return Step(tool_calls=[{"name": "kubectl-get", "arguments": arguments}])
    return Step(text=ANSWER, chunk_sleep=0.2 if "slowly" in task else 0.02)


@pytest.fixture(scope="module")
def quickstart(containers: Containers, image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The quickstart, ready."""
    folder = tmp_path_factory.mktemp("quickstart")
    with running(containers, image, load_example("quickstart"), diagnose, folder) as started:
        yield started


def test_the_probes_of_the_manifest_succeed(quickstart: Running) -> None:
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert quickstart.pod.status(quickstart.workload.probe_path(probe)) == 200
    agent = quickstart.pod.get("/api/v1/agent")
    assert agent["name"] == quickstart.workload.runtime_config["metadata"]["name"]
    assert (agent["modelMode"], agent["clusterMode"]) == ("real", "in-cluster")


def test_a_question_is_answered_with_a_look_at_the_cluster(quickstart: Running) -> None:
    events = quickstart.pod.ask("Why does the checkout fail?")
    (call,) = of_type(events, "tool.call")
    (result,) = of_type(events, "tool.result")
    assert (call["name"], call["arguments"]) == ("kubectl-get", {"resource": "pods"})
    assert not result["isError"]
    assert FAILING in result["content"]
    assert of_type(events, "message")[-1]["content"] == ANSWER
    deltas = [delta["content"] for delta in of_type(events, "message.delta")]
    assert len(deltas) > 1
    assert "".join(deltas) == ANSWER
    assert events[-1]["type"] == "run.finished"
    assert events[-1]["outcome"] == "completed"
    assert events[-1]["usage"]["promptTokens"] > 0
    path = f"/api/v1/namespaces/{quickstart.workload.namespace}/pods"
    assert quickstart.cluster.requests[-1].path == path


def test_what_was_not_granted_never_reaches_the_cluster(quickstart: Running) -> None:
    events = quickstart.pod.ask("Show me the secrets.")
    (result,) = of_type(events, "tool.result")
    assert result["isError"]
    assert "pods" in result["content"]
    assert "secrets" not in [request.resource for request in quickstart.cluster.requests]


def test_the_container_is_confined_as_the_manifest_says(quickstart: Running) -> None:
    pod = quickstart.pod
    assert pod.exec("id", "-u") == (0, "10001\n")
    code, output = pod.exec("touch", "/x", "/etc/kagent/x", "/opt/kagent/x", "/usr/x")
    assert code != 0
    assert output.count("Read-only file system") == 4
    assert pod.exec("touch", "/tmp/x", "/var/lib/kagent/x") == (0, "")
    status = dict(line.split(":\t", 1) for line in pod.exec("cat", "/proc/1/status")[1].splitlines())
    sets = ("CapEff", "CapPrm", "CapBnd", "CapInh", "CapAmb")
    assert {name: int(status[name], 16) for name in sets} == dict.fromkeys(sets, 0)
    assert status["NoNewPrivs"] == "1"
    assert status["Seccomp"] == "2"


def test_no_credential_shows(quickstart: Running) -> None:
    pod = quickstart.pod
    events = pod.ask("Why does the checkout fail?")
    shown = [events, pod.logs(), pod.get("/api/v1/agent"), pod.get("/api/v1/sessions")]
    shown += [request.body for request in quickstart.model.requests]
    for value in (quickstart.credentials.api_key, quickstart.credentials.token):
        assert value not in str(shown)


def test_a_killed_container_comes_back_with_its_conversations(quickstart: Running) -> None:
    pod = quickstart.pod
    before = pod.ask("Why does the checkout fail?")
    session = pod.get("/api/v1/sessions")["sessions"][0]["id"]
    restarts = pod.inspect()["RestartCount"]
    os.kill(pod.inspect()["State"]["Pid"], signal.SIGKILL)
    wait_for(lambda: pod.inspect()["RestartCount"] > restarts, 20)
    quickstart.wait_until_ready()
    stored = pod.get(f"/api/v1/sessions/{session}/events")["events"]
    assert stored == [event for event in before if "seq" in event]


def test_sigterm_drains_the_run_and_exits_cleanly(quickstart: Running, containers: Containers) -> None:
    pod = quickstart.pod
    grace = quickstart.workload.pod_spec["terminationGracePeriodSeconds"]
    events: list[JSON] = []
    session = pod.post("/api/v1/sessions", {})["id"]
    reader = threading.Thread(target=lambda: events.extend(pod.chat(session, "Tell me slowly.")))
    reader.start()
    wait_for(lambda: bool(pod.get(f"/api/v1/sessions/{session}/events")["events"]), 10)
    seconds = pod.stop(grace)
    reader.join()
    assert seconds < grace
    assert pod.inspect()["State"]["ExitCode"] == 0
    assert events[-1]["outcome"] == "completed"
    containers.run("podman", "start", pod.container)
    quickstart.wait_until_ready()
    stored = pod.get(f"/api/v1/sessions/{session}/events")["events"]
    assert stored[-1]["outcome"] == "completed"


def test_the_pod_reaches_nothing_but_this_machine(quickstart: Running) -> None:
    # 192.0.2.0/24 is reserved for documentation (RFC 5737): nobody is disturbed if this should get out.
    code = "import socket; socket.create_connection(('192.0.2.1', 443), timeout=5)"
    exit_code, output = quickstart.pod.exec("/opt/kagent/bin/python", "-c", code)
    assert exit_code == 1
    assert "Network is unreachable" in output


def test_the_played_file_keeps_everything_that_confines(quickstart: Running) -> None:
    workload = quickstart.workload
    objects = playable(workload, image="x", host_port=1, env={}, service_account={})
    spec = objects[-1]["spec"]["template"]["spec"]
    assert spec["securityContext"] == workload.pod_spec["securityContext"]
    assert spec["containers"][0]["securityContext"] == workload.container["securityContext"]
    assert spec["containers"][0]["resources"] == workload.container["resources"]
    assert spec["containers"][0]["volumeMounts"] == workload.container["volumeMounts"]
