"""The registry of kinds."""

from __future__ import annotations

from kagent_render.specs.agent import Agent
from kagent_render.specs.agent_team import AgentTeam
from kagent_render.specs.base import API_VERSION, RENDER_API_VERSION
from kagent_render.specs.model_config import ModelConfig
from kagent_render.specs.platform import Platform
from kagent_render.specs.tool import Tool

AnySpec = Agent | AgentTeam | ModelConfig | Platform | Tool
KINDS: dict[str, type[AnySpec]] = {
    "Agent": Agent,
    "AgentTeam": AgentTeam,
    "ModelConfig": ModelConfig,
    "Platform": Platform,
    "Tool": Tool,
}
API_VERSION_OF: dict[str, str] = {kind: RENDER_API_VERSION if kind == "Platform" else API_VERSION for kind in KINDS}
