"""RuntimeConfigs compiled from specs that a test writes down in a few lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.runtime.process import runtime_config

MODEL = """apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {{name: gpt4-config}}
spec:
  model: gpt-4o
  baseUrl: {base_url}
  apiKeySecretRef: {{name: openai, key: api-key}}
  maxRetries: 0
  modelInfo: {{{model_info}}}
"""


def agent(name: str, more: str = "") -> str:
    """An Agent document; its prompt names it as `tests/runtime/puppet.py` wants it, `more` is further YAML."""
    spec = f"  description: The {name}\n  systemMessage: You are {name}.\n  modelConfigRef: {{name: gpt4-config}}\n"
    lines = "".join(f"  {line}\n" for line in more.splitlines())
    return f"apiVersion: kagent.dev/v1alpha1\nkind: Agent\nmetadata: {{name: {name}}}\nspec:\n{spec}{lines}"


def team(pattern: str, *members: str, more: str = "maxTurns: 2") -> str:
    """An AgentTeam document."""
    agents = ", ".join(f"{{name: {name}}}" for name in members)
    lines = "".join(f"  {line}\n" for line in more.splitlines())
    head = "apiVersion: kagent.dev/v1alpha1\nkind: AgentTeam\nmetadata: {name: the-team}\n"
    return f"{head}spec:\n  teamType: {pattern}\n  agents: [{agents}]\n{lines}"


def compiled(folder: Path, base_url: str, *documents: str, model_info: str = "", name: str | None = None) -> Any:
    """The RuntimeConfig of the one workload in these documents."""
    folder.mkdir(parents=True, exist_ok=True)
    model = MODEL.format(base_url=base_url, model_info=model_info)
    (folder / "specs.yaml").write_text("---\n".join([model, *documents]), encoding="utf-8")
    return runtime_config(folder, name)
