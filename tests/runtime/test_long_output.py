"""What a tool finds may be more than a model can read: it is made short, and what matters is still there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from kagent_runtime.components import cluster
from kagent_runtime.components.kubernetes_tools import KubernetesTools
from kagent_runtime.model import KubernetesToolsConfig
from tests.edge.kubernetes_api import JSON, KubernetesApi
from tests.runtime.benches import compiled

LIMIT = 4096
ERROR = "2026-11-23T10:17:03Z ERROR no route to db.shop:5432 (attempt 3)"
HEALTHZ = [f"2026-11-23T10:{n // 60:02}:{n % 60:02}Z GET /healthz 200 {n % 7}ms" for n in range(3000)]
TRAFFIC = [
    f"2026-11-23T11:{n // 60:02}:{n % 60:02}Z {verb} /cart/{n} 200" for n in range(600) for verb in ("GET", "PUT")
]
LOG = "\n".join([*HEALTHZ[:1023], ERROR, *HEALTHZ[1023:], *TRAFFIC]) + "\n"
NARROW = """
type: kubernetes
description: Read the logs
parameters:
  pod: {type: string, description: Pod, required: true}
  sinceSeconds: {type: integer, description: Seconds, default: 3600}
  tailLines: {type: integer, description: Lines, default: 100000}
kubernetes: {operation: logs}
"""
FIXED = """
type: kubernetes
description: Read the logs of the shop
parameters:
  pod: {type: string, description: Pod, required: true}
kubernetes: {operation: logs}
"""


def _pod(number: int) -> JSON:
    phase = "Failed" if number % 100 == 50 else "Running"
    metadata = {"name": f"worker-{number:04}", "namespace": "ai-agents"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": {"phase": phase}}


def _event(number: int) -> JSON:
    kind, reason = ("Warning", "BackOff") if number % 50 == 7 else ("Normal", "Pulled")
    stamp = f"2026-11-23T10:{number // 60:02}:{number % 60:02}Z"
    about = {"kind": "Pod", "name": f"worker-{number:04}"}
    event = {"apiVersion": "v1", "kind": "Event", "metadata": {"name": f"e{number}", "namespace": "ai-agents"}}
    return event | {
        "type": kind,
        "reason": reason,
        "lastTimestamp": stamp,
        "involvedObject": about,
        "message": "m" * 40,
    }


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> JSON:
    """The workbench as the compiler writes it, with less room for an answer."""
    builtin = {
        name: f"type: kubernetes\ndescription: d\nkubernetes: {{operation: {name}}}" for name in ("get", "events")
    }
    runtime, _ = compiled(tmp_path_factory.mktemp("long"), {"logs": NARROW, "only-logs": FIXED, **builtin})
    (component,) = runtime["component"]["config"]["workbench"]
    return dict(component["config"] | {"max_output_bytes": LIMIT})


@pytest.fixture
def api() -> Iterator[KubernetesApi]:
    objects = [*map(_pod, range(700)), *map(_event, range(400))]
    with KubernetesApi(objects, logs={"web": LOG}) as server:
        cluster.CONNECTION.mode, cluster.CONNECTION.sample_url = "sample", server.origin
        cluster.CONNECTION.namespace = "ai-agents"
        cluster._client.cache_clear()
        yield server
        cluster._client().rest_client.pool_manager.clear()


async def _call(config: JSON, name: str, **arguments: Any) -> str:
    result = await KubernetesTools(KubernetesToolsConfig.model_validate(config)).call_tool(name, arguments)
    text = result.to_text()
    assert not result.is_error, text
    assert len(text.encode()) <= LIMIT
    return text


async def test_a_log_is_folded_and_keeps_the_error_and_its_end(api: KubernetesApi, config: JSON) -> None:
    """Of 4,201 lines."""
    note, *lines = (await _call(config, "logs", pod="web")).splitlines()
    assert note.startswith("[4,201 lines are too many: 3,000 are folded")
    assert note.endswith("Narrow it with `sinceSeconds` or `tailLines`.]")
    assert f"{HEALTHZ[0]}  [1,023 times, from 2026-11-23T10:00:00Z to 2026-11-23T10:17:02Z]" in lines
    assert ERROR in lines
    assert f"{HEALTHZ[1023]}  [1,977 times, from 2026-11-23T10:17:03Z to 2026-11-23T10:49:59Z]" in lines
    assert lines[-1] == TRAFFIC[-1]
    gaps = [int(one.replace(",", "")) for one in re.findall(r"\[… ([\d,]+) lines …\]", "\n".join(lines))]
    assert f"{sum(gaps):,} are left out" in note


async def test_a_tool_that_cannot_ask_for_less_is_not_told_to(api: KubernetesApi, config: JSON) -> None:
    """Its document has taken those arguments away."""
    api._logs["web"] = "\n".join(f"{'x' * 90} line {'abcdefgh'[n % 8] * 3}" for n in range(190))
    assert "It cannot be narrowed.]" in await _call(config, "only-logs", pod="web")


async def test_of_many_pods_those_that_are_not_well_come_first(api: KubernetesApi, config: JSON) -> None:
    """And the others are counted."""
    head, *lines = (await _call(config, "get", resource="pods")).splitlines()
    assert head.split() == ["NAME", "STATUS"]
    assert [line.split() for line in lines[:7]] == [[f"worker-{n:04}", "Failed"] for n in range(50, 700, 100)]
    shown = sum(line.endswith("Running") for line in lines[:-1])
    assert lines[-1].startswith(
        f"[{693 - shown} of 700 rows are left out: {693 - shown} Running. Narrow it with `name` or"
    )


async def test_of_many_events_the_warnings_come_first(api: KubernetesApi, config: JSON) -> None:
    """The newest of each, with the reasons of those left out."""
    text = await _call(config, "events", limit=300)
    _, *lines = [line for line in text.splitlines() if line.startswith("2026")]
    kinds = [line.split()[1] for line in lines]
    assert kinds == sorted(kinds, reverse=True)
    warnings = [line.split()[0] for line in lines if line.split()[1] == "Warning"]
    assert warnings == sorted(warnings, reverse=True)
    left_out = re.search(r"\[(\d+) of 300 rows are left out: (\d+) Normal Pulled\. Narrow it", text)
    assert left_out
    assert left_out[1] == left_out[2]
    assert text.endswith("[100 older events left out. Narrow it with `limit` or `kind` or `name` or `type`.]")
