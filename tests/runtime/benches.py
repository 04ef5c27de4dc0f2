"""Workbenches from specs: what the compiler emits for a Tool document, loaded as the runtime loads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from autogen_core import CancellationToken
from autogen_core.tools import Workbench

from kagent_render.catalog.base import TLS_FOLDER, Endpoint
from kagent_render.compiler import compile_paths
from kagent_runtime.config import check_config

_AGENT = """
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: gpt4-config}
spec: {model: gpt-4o, provider: OpenAICompatible, baseUrl: "%MODEL%", apiKeySecretRef: {name: openai, key: api-key}}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: solo, namespace: ai-agents}
spec:
  description: Calls tools
  systemMessage: You are solo.
  modelConfigRef: {name: gpt4-config}
  tools: [%TOOLS%]
"""


def compiled(folder: Path, tools: dict[str, str], model: str = "http://model:8000/v1") -> tuple[dict[str, Any], Any]:
    """The RuntimeConfig of an agent with these tools (the YAML of each `spec`), and its workload."""
    folder.mkdir(parents=True, exist_ok=True)
    text = _AGENT.replace("%MODEL%", model).replace("%TOOLS%", ", ".join(f"{{name: {name}}}" for name in tools))
    for name, spec in tools.items():
        indented = "\n".join(f"  {line}" for line in spec.strip().split("\n"))
        text += f"---\napiVersion: kagent.dev/v1alpha1\nkind: Tool\nmetadata: {{name: {name}}}\nspec:\n{indented}\n"
    (folder / "specs.yaml").write_text(text)
    compilation = compile_paths([str(folder)])
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()
    (workload,) = compilation.workloads
    return workload.runtime_config, workload


def endpoints(workload: Any) -> set[Endpoint]:
    """What the NetworkPolicy lets through, besides the model."""
    return {item for item in workload.needs.endpoints if item.host != "model"}


class Bench:
    """The workbench of an agent's tools; `mounted` is where its TLS files are instead of in a pod."""

    def __init__(self, folder: Path, tools: dict[str, str], mounted: Path | None = None) -> None:
        config, self.workload = compiled(folder, tools)
        config = json.loads(json.dumps(config).replace(TLS_FOLDER, str(mounted or TLS_FOLDER)))
        (component,) = check_config(config, "runtime.json").component["config"]["workbench"]
        self.workbench = Workbench.load_component(component)

    async def call(
        self, name: str, /, cancellation_token: CancellationToken | None = None, **arguments: Any
    ) -> tuple[str, bool]:
        """What a tool answers, and whether as an error."""
        result = await self.workbench.call_tool(name, arguments, cancellation_token)
        return result.to_text(), result.is_error

    async def fails(self, name: str, /, **arguments: Any) -> str:
        """What a tool answers, which must be an error."""
        text, is_error = await self.call(name, **arguments)
        assert is_error, text
        return text

    async def gets(self, name: str, /, **arguments: Any) -> str:
        """What a tool answers, which must not be an error."""
        text, is_error = await self.call(name, **arguments)
        assert not is_error, text
        return text
