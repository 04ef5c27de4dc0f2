"""The team with a tool that changes the cluster, as a container: what waits for a person outlives the process.

First with SQLite on the pod's emptyDir, which a crash of the container leaves; then with PostgreSQL, which another pod
goes on with.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.containers import Containers
from tests.e2e.manifests import EXAMPLES, HOST_LOOPBACK, JSON, Workload, load_rendered
from tests.e2e.pod import Pod, of_type, wait_for
from tests.e2e.surroundings import FAILING, Running, surrounded
from tests.edge.postgresql import PostgreSQL
from tests.harness import kagent_render

DELETE = {"name": "kubectl-delete", "arguments": {"resource": "pods", "name": FAILING}}
UPDATE = "The pod was replaced. RESOLVED"
SCRIPT: list[dict[str, Any]] = [
    {"system": "You diagnose incidents", "steps": [{"tool_calls": [{"name": "transfer_to_remediation_agent"}]}]},
    {
        "system": "You propose fixes",
        "steps": [{"tool_calls": [DELETE]}, {"tool_calls": [{"name": "transfer_to_communication_agent"}]}],
    },
    {"system": "You write the status update", "steps": [{"text": UPDATE}]},
]
DATABASE = {"database": {"urlSecretRef": {"name": "agents-db", "key": "url"}, "host": "db.example.com"}}


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


def _rendered(folder: Path, persistence: JSON | None = None) -> Workload:
    """The example, its remediation agent granted a tool that changes something."""
    specs = folder / "specs"
    shutil.copytree(EXAMPLES / "incident-response" / "specs", specs)
    agents = list(yaml.safe_load_all((specs / "agents.yaml").read_text("utf-8")))
    (agent,) = (each for each in agents if each["metadata"]["name"] == "remediation-agent")
    agent["spec"]["tools"].append({"name": "kubectl-delete"})
    (specs / "agents.yaml").write_text(yaml.safe_dump_all(agents), "utf-8")
    if persistence:
        platform = yaml.safe_load((specs / "platform.yaml").read_text("utf-8"))
        platform["spec"]["persistence"] = persistence
        (specs / "platform.yaml").write_text(yaml.safe_dump(platform), "utf-8")
    done = kagent_render("build", str(specs), "-o", str(folder / "rendered"))
    assert done.code == 0, done.stderr
    return load_rendered(folder / "rendered")


def _ask(pod: Pod) -> tuple[str, JSON]:
    """Start the incident; return the session and the call that waits for a person."""
    session = pod.post("/api/v1/sessions", {})["id"]
    pod.post(f"/api/v1/sessions/{session}/messages", {"content": "The checkout is down."})
    wait_for(lambda: bool(of_type(_log(pod, session), "approval.requested")), 60)
    (asked,) = of_type(_log(pod, session), "approval.requested")
    return session, asked


def _log(pod: Pod, session: str) -> list[JSON]:
    events: list[JSON] = pod.get(f"/api/v1/sessions/{session}/events")["events"]
    return events


def _assert_approved(started: Running, session: str, asked: JSON) -> None:
    """Nothing has happened yet; with the approval it happens once, and the team goes on to its end."""
    pod, cluster = started.pod, started.cluster
    assert pod.get(f"/api/v1/sessions/{session}")["status"] == "waiting"
    assert cluster.object("Pod", FAILING) is not None
    pod.post(f"/api/v1/sessions/{session}/approvals/{asked['callId']}", {"decision": "approve"})
    wait_for(lambda: bool(of_type(_log(pod, session), "run.finished")), 60)
    events = _log(pod, session)
    assert cluster.object("Pod", FAILING) is None
    real = [body for seen, _, body in cluster.bodies if seen.verb == "delete" and "dryRun" not in body]
    assert len(real) == 1
    assert [each["decision"] for each in of_type(events, "approval.decided")] == ["approve"]
    assert of_type(events, "message")[-1]["content"] == UPDATE
    assert events[-1]["outcome"] == "completed"


def test_an_approval_survives_a_crash_on_an_empty_dir(containers: Containers, image: str, tmp_path: Path) -> None:
    workload = _rendered(tmp_path)
    assert {"name": "state", "emptyDir": {"sizeLimit": "256Mi"}} in workload.pod_spec["volumes"]
    with (
        surrounded(containers, workload, SCRIPT, tmp_path) as surroundings,
        surroundings.started(image, tmp_path) as started,
    ):
        session, asked = _ask(started.pod)
        assert FAILING in asked["preview"]
        started.pod.crash()
        started.wait_until_ready()
        _assert_approved(started, session, asked)


def test_another_pod_goes_on_with_postgresql(
    containers: Containers, image: str, tmp_path: Path, postgresql: PostgreSQL
) -> None:
    workload = _rendered(tmp_path, DATABASE)
    assert "agents-db" in workload.secrets()
    secrets = {"agents-db": postgresql.new_database("team").replace("127.0.0.1", HOST_LOOPBACK)}
    with surrounded(containers, workload, SCRIPT, tmp_path, secrets) as surroundings:
        with surroundings.started(image, tmp_path) as first:
            session, asked = _ask(first.pod)
        with surroundings.started(image, tmp_path) as second:
            _assert_approved(second, session, asked)
            assert secrets["agents-db"] not in second.pod.logs()
