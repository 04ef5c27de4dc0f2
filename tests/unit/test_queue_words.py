"""Queues and prices in words, as `describe` and `diff` tell them; and KEDA's triggers of a queue."""

from __future__ import annotations

from pathlib import Path

from kagent_render.compiler import compile_paths
from kagent_render.views.agents import model_in_words
from kagent_render.views.blast_radius import blast_radius
from kagent_render.views.facts import facts_of
from kagent_render.views.words import lines_of
from tests.harness import CASES

QUEUE = "    queue: {type: postgresql, concurrency: 1, maxDeliveries: 3, leaseSeconds: 60}\n"
POSTGRESQL = (CASES / "build/queue-postgresql/input/specs.yaml").read_text()


def _told(tmp_path: Path, old: str, new: str) -> set[str]:
    """The lines of `diff` on the queue, and on what is called."""
    sides = []
    for name, text in (("old", old), ("new", new)):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "specs.yaml").write_text(text)
        compilation = compile_paths([str(folder)])
        assert not compilation.diagnostics.has_errors
        sides.append([item.data for item in compilation.objects])
    (change,) = blast_radius(*sides)
    return {line for item in change.statements if item.topic in ("queue", "egress") for line in lines_of(item)}


def test_a_queue_that_comes_goes_and_changes(tmp_path: Path) -> None:
    """What the agent takes tasks from, and where it may go for that."""
    without = POSTGRESQL.replace(QUEUE, "").replace("type: queue, tasksPerReplica: 2", "type: cpu, utilization: 80")
    without, table = (
        without.replace("minReplicas: 0", "minReplicas: 1"),
        "takes tasks from the table tasks of its database",
    )
    assert _told(tmp_path / "a", without, POSTGRESQL) == {f"+ {table}, 1 at once; dead after 3 deliveries"}
    assert _told(tmp_path / "b", POSTGRESQL, without) == {"- no longer takes tasks from a queue"}
    redis = POSTGRESQL.replace(QUEUE, '    queue: {type: redis-streams, address: "redis.data.svc:6379"}\n')
    stream = "stream triage of Redis at redis.data.svc:6379 as group triage, 2 at once; dead after 5 deliveries"
    assert _told(tmp_path / "c", POSTGRESQL, redis) == {
        "~ queue of triage: the table tasks of its database, 1 at once; dead after 3 deliveries → "
        f"{stream}, to stream triage-dead-letters",
        "+ may call namespace data on TCP 6379",
    }


def test_both_numbers_of_a_group_are_told() -> None:
    """What waits starts pods; what is worked on keeps them."""
    compilation = compile_paths([str(CASES / "build/queue-redis/input")])
    text = facts_of(item.data for item in compilation.objects)["agents", "writer"].values["scaling", "scaling"]
    first, *_, last = text.split("; ")
    stream = "entries of Redis stream reports for writers at 10.1.2.3:6380"
    assert (first, last) == (f"0 to 10 pods: 1 for each 8 unread {stream}", f"1 for each 8 unacknowledged {stream}")


def test_a_price_is_told() -> None:
    """Beside the model."""
    pricing = {"input_per_million_tokens": 2.5, "output_per_million_tokens": 10.0, "currency": "EUR"}
    config = {"model": "gpt-4o", "provider": "OpenAI", "base_url": "https://api.openai.com/v1", "pricing": pricing}
    assert model_in_words(config).endswith("v1, 2.5 in, 10 out EUR a million tokens)")
