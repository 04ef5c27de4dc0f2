"""The committed manifests of the team run as a container: the agents hand over to each other until it is resolved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.containers import Containers
from tests.e2e.manifests import load_example
from tests.e2e.pod import of_type
from tests.e2e.surroundings import FAILING, running

UPDATE = "The checkout was down for ten minutes; the fix is in review. RESOLVED"
SCRIPT: list[dict[str, Any]] = [
    {
        "system": "You diagnose incidents",
        "steps": [
            {"tool_calls": [{"name": "kubectl-get", "arguments": {"resource": "pods"}}]},
            {"tool_calls": [{"name": "transfer_to_remediation_agent"}]},
        ],
    },
    {"system": "You propose fixes", "steps": [{"tool_calls": [{"name": "transfer_to_communication_agent"}]}]},
    {"system": "You write the status update", "steps": [{"text": UPDATE}]},
]


def test_a_team_hands_over_until_it_is_resolved(containers: Containers, image: str, tmp_path: Path) -> None:
    workload = load_example("incident-response")
    with running(containers, image, workload, SCRIPT, tmp_path) as started:
        events = started.pod.ask("The checkout is down. Tell me when it is RESOLVED.")
    assert [event["target"] for event in of_type(events, "handoff")] == [
        "remediation_agent",
        "communication_agent",
    ]
    assert FAILING in of_type(events, "tool.result")[0]["content"]
    assert of_type(events, "message")[-1]["agent"] == "communication_agent"
    assert of_type(events, "message")[-1]["content"] == UPDATE
    assert events[-1]["outcome"] == "completed"
