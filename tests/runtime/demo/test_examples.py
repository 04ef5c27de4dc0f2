"""The shipped examples in demo mode: replayed models, real Kubernetes tools, and the sample cluster."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[3]

# The runtime never shares a process with the compiler, and keeps one connection per process: hence a process each.
_TURN = """
import asyncio, json, sys
from autogen_agentchat.base import ChatAgent, Team
from kagent_runtime.components.cluster import CONNECTION
from kagent_runtime.demo.replay import with_replay_models
from kagent_runtime.demo.sample_cluster import SampleCluster

async def main():
    cluster = SampleCluster("ai-agents")
    CONNECTION.mode, CONNECTION.namespace, CONNECTION.sample_url = "sample", "ai-agents", cluster.start()
    tree = with_replay_models(json.load(sys.stdin), word_delay_ms=0)
    loader = Team if tree["component_type"] == "team" else ChatAgent
    result = await loader.load_component(tree).run(task="What is wrong?")
    cluster.stop()
    print(json.dumps({"stop": result.stop_reason, "messages": [m.model_dump(mode="json") for m in result.messages]}))

asyncio.run(main())
"""


def _tree(example: str) -> str:
    compile_it = (
        "import json, sys; from kagent_render.compiler import compile_paths; "
        "(workload,) = compile_paths(sys.argv[1:]).workloads; print(json.dumps(workload.runtime_config['component']))"
    )
    return _run(compile_it, f"examples/{example}")


def _run(program: str, *arguments: str, given: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'runtime'}"}
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, input=given, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("example", "stop"), [("quickstart", None), ("incident-response", "'RESOLVED' mentioned")])
def test_an_example_finds_the_cause_and_ends(example: str, stop: str | None) -> None:
    turn: Any = json.loads(_run(_TURN, given=_tree(example)))
    results = [m for m in turn["messages"] if m["type"] == "ToolCallExecutionEvent"]
    assert results
    assert not any(item["is_error"] for result in results for item in result["content"])
    text = turn["messages"][-1]["content"]
    assert "no such host (DATABASE_URL, ConfigMap checkout-config)" in text
    assert stop in turn["stop"] if stop else turn["stop"] is None
