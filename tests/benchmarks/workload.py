"""The generator of W(N): N agents of about 1 kB each, 20 tools, 5 models; eight objects an agent."""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import yaml

TOOLS, MODELS, TOOLS_EACH = 20, 5, 3
_WORDS = "check the pods before you answer quote evidence name causes propose small fixes never guess read logs".split()
_RESOURCES = ["pods", "deployments", "services", "jobs", "events", "ingresses", "configmaps", "statefulsets"]


def documents(count: int, seed: int = 1) -> list[dict[str, object]]:
    """The spec documents of W(count), the same for the same seed."""
    chance = random.Random(seed)
    made = [_platform(), *(_model(number) for number in range(MODELS)), *(_tool(number) for number in range(TOOLS))]
    return made + [_agent(number, chance) for number in range(count)]


def _platform() -> dict[str, object]:
    trigger = {"type": "cpu", "utilization": 80}
    spec = {"scaling": {"minReplicas": 1, "maxReplicas": 1, "triggers": [trigger]}}
    return {
        "apiVersion": "render.kagent.dev/v1alpha1",
        "kind": "Platform",
        "metadata": {"name": "platform"},
        "spec": spec,
    }


def _model(number: int) -> dict[str, object]:
    spec = {"model": "gpt-4o", "apiKeySecretRef": {"name": f"key-{number}", "key": "api-key"}}
    return {
        "apiVersion": "kagent.dev/v1alpha1",
        "kind": "ModelConfig",
        "metadata": {"name": f"model-{number}"},
        "spec": spec,
    }


def _tool(number: int) -> dict[str, object]:
    resource = {"type": "string", "description": "Resource type"}
    spec = {
        "type": "kubernetes",
        "description": f"Reads Kubernetes resources, set {number}",
        "parameters": {"resource": resource, "namespace": {"type": "string", "description": "Target namespace"}},
        "kubernetes": {"operation": "get", "resources": [_RESOURCES[number % 8], _RESOURCES[(number + 3) % 8]]},
    }
    return {"apiVersion": "kagent.dev/v1alpha1", "kind": "Tool", "metadata": {"name": f"tool-{number}"}, "spec": spec}


def _agent(number: int, chance: random.Random) -> dict[str, object]:
    message = " ".join(chance.choices(_WORDS, k=105))
    tools = [{"name": f"tool-{index}"} for index in sorted(chance.sample(range(TOOLS), TOOLS_EACH))]
    spec = {
        "description": f"Agent number {number} looks after service {number}",
        "systemMessage": message + "\n",
        "modelConfigRef": {"name": f"model-{number % MODELS}"},
        "tools": tools,
    }
    metadata = {"name": f"agent-{number:05}", "namespace": f"team-{number % 10}"}
    return {"apiVersion": "kagent.dev/v1alpha1", "kind": "Agent", "metadata": metadata, "spec": spec}


def write(folder: Path, count: int) -> None:
    """Write W(count), 50 agents a file."""
    folder.mkdir(parents=True, exist_ok=True)
    made = documents(count)
    shared = len(made) - count
    chunks = [made[:shared]] + [made[start : start + 50] for start in range(shared, len(made), 50)]
    for number, chunk in enumerate(chunks):
        text = yaml.dump_all(chunk, Dumper=yaml.CSafeDumper, sort_keys=False, default_style=None, width=10_000)
        (folder / f"{number:04}.yaml").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    write(options.folder, options.count)
