"""Names to referents: the graph of agents, teams, tools and models."""

from kagent_render.resolve.graph import AgentNode, Graph, ModelNode, TeamNode, ToolNode
from kagent_render.resolve.link import link

__all__ = ["AgentNode", "Graph", "ModelNode", "TeamNode", "ToolNode", "link"]
