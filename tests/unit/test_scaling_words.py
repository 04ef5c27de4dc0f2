"""Scaling in words, as `describe` and `diff` tell it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kagent_render.compiler import compile_paths
from kagent_render.views.facts import Facts, facts_of
from kagent_render.views.scaling import scaled_object
from tests.harness import CASES


def _facts(case: str, namespace: str, name: str) -> Facts:
    folder: Path = CASES / "build" / case / "input"
    return facts_of(item.data for item in compile_paths([str(folder)]).objects)[namespace, name]


def test_each_trigger_is_told_in_words() -> None:
    """What counts, how much of it makes a pod, and where it is asked."""
    text = _facts("scaling-queues", "agents", "worker").values["scaling", "scaling"]
    assert text.split("; ") == [
        "0 to 4 pods: 1 for each 10 unread entries of Redis stream tasks for agents at redis.data.svc:6379",
        "1 for each 5 unread entries of Redis stream replies for agents at replies.data.svc:6379",
        "1 for each 5 pending messages of NATS stream TASKS for agents at nats.nats.svc.cluster.local:8222",
        "1 for each 5 of `SELECT count(*) FROM tasks WHERE state='queued'` in PostgreSQL",
        "1 for each 1000000 of `sum(agent_inflight)` at https://prometheus.example.com",
        "without an answer 1 (currentReplicasIfHigher)",
    ]


@pytest.mark.parametrize(
    ("case", "key", "text"),
    [
        ("scaling-http", ("team", "one"), "0 to 3 pods: 1 for each 10 open HTTP requests"),
        (
            "scaling-http",
            ("team", "two"),
            "1 to 2 pods: 1 for each 20 HTTP requests a second over 1m30s; 75% of the requested memory",
        ),
        (
            "knative",
            ("team", "lookup"),
            "0 to 3 pods by Knative: 1 for each 15 requests at once, 20 at most; 300 s a request; "
            "inside the cluster only",
        ),
        (
            "knative",
            ("team", "greeter"),
            "1 pod by Knative: 1 for each 10 requests at once; 600 s a request; from outside too",
        ),
        ("scaling-per-workload", ("agents", "as-the-platform-says"), "1 pod: 80% of the requested CPU"),
        (
            "scaling-per-workload",
            ("agents", "in-office-hours"),
            "1 pod, 0 when idle: 1 from `0 8 * * MON-FRI` to `30 18 * * 1-5` (America/Argentina/Buenos_Aires)",
        ),
    ],
)
def test_requests_knative_and_windows(case: str, key: tuple[str, str], text: str) -> None:
    """The metric of requests stands in the InterceptorRoute, that of Knative in annotations."""
    assert _facts(case, *key).values["scaling", "scaling"] == text


def test_the_secrets_of_triggers_are_told() -> None:
    """KEDA reads them, in the workload's namespace."""
    facts = _facts("scaling-queues", "agents", "worker")
    told = {label for topic, label in facts.values if topic == "secrets" and "KEDA" in label}
    assert told == {
        "Secret prometheus key token, postgres key dsn, redis key password for KEDA's triggers",
        "Secret replies key password, replies key user for KEDA's triggers",
    }


def test_a_trigger_of_another_hand_is_told_as_it_stands() -> None:
    """`diff` reads manifests that others wrote too."""
    triggers = [{"type": "kafka", "metadata": {"topic": "t", "lagThreshold": "5"}}, {"type": "cpu", "metadata": {}}]
    assert scaled_object({"triggers": triggers}) == "0 to 100 pods: kafka (lagThreshold 5, topic t); cpu ()"
