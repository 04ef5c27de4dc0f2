"""Our own AutoGen components, under the provider names that a RuntimeConfig uses. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.components.agent_tools import AgentTools
    from kagent_runtime.components.alertmanager_tools import AlertmanagerTools
    from kagent_runtime.components.context_window import BufferedContext, HeadAndTailContext
    from kagent_runtime.components.external import External
    from kagent_runtime.components.gate import Gate
    from kagent_runtime.components.github_tools import GithubTools
    from kagent_runtime.components.graph_flow import GraphFlow
    from kagent_runtime.components.handoff import Handoff
    from kagent_runtime.components.helm_tools import HelmTools
    from kagent_runtime.components.http_tools import HttpTools
    from kagent_runtime.components.kubernetes_tools import KubernetesTools
    from kagent_runtime.components.list_memory import ListMemory
    from kagent_runtime.components.magentic_one import MagenticOne
    from kagent_runtime.components.max_message import MaxMessage
    from kagent_runtime.components.mcp_tools import McpTools
    from kagent_runtime.components.model_client import ModelClient
    from kagent_runtime.components.model_guard import ModelGuard
    from kagent_runtime.components.model_journal import ModelJournal
    from kagent_runtime.components.prometheus_tools import PrometheusTools
    from kagent_runtime.components.python_tools import PythonTools
    from kagent_runtime.components.stop_message import StopMessage
    from kagent_runtime.components.structured_output import StructuredOutput
    from kagent_runtime.components.text_mention import TextMention
    from kagent_runtime.components.text_message import TextMessage
    from kagent_runtime.components.timeout import Timeout
    from kagent_runtime.components.token_usage import TokenUsage
    from kagent_runtime.components.vector_memory import VectorMemory

__all__ = [
    "AgentTools",
    "AlertmanagerTools",
    "BufferedContext",
    "External",
    "Gate",
    "GithubTools",
    "GraphFlow",
    "Handoff",
    "HeadAndTailContext",
    "HelmTools",
    "HttpTools",
    "KubernetesTools",
    "ListMemory",
    "MagenticOne",
    "MaxMessage",
    "McpTools",
    "ModelClient",
    "ModelGuard",
    "ModelJournal",
    "PrometheusTools",
    "PythonTools",
    "StopMessage",
    "StructuredOutput",
    "TextMention",
    "TextMessage",
    "Timeout",
    "TokenUsage",
    "VectorMemory",
]
_MODULES = {
    "AgentTools": "agent_tools",
    "AlertmanagerTools": "alertmanager_tools",
    "BufferedContext": "context_window",
    "External": "external",
    "Gate": "gate",
    "GithubTools": "github_tools",
    "GraphFlow": "graph_flow",
    "Handoff": "handoff",
    "HeadAndTailContext": "context_window",
    "HelmTools": "helm_tools",
    "HttpTools": "http_tools",
    "KubernetesTools": "kubernetes_tools",
    "ListMemory": "list_memory",
    "MagenticOne": "magentic_one",
    "MaxMessage": "max_message",
    "McpTools": "mcp_tools",
    "ModelClient": "model_client",
    "ModelGuard": "model_guard",
    "ModelJournal": "model_journal",
    "PrometheusTools": "prometheus_tools",
    "PythonTools": "python_tools",
    "StopMessage": "stop_message",
    "StructuredOutput": "structured_output",
    "TextMention": "text_mention",
    "TextMessage": "text_message",
    "Timeout": "timeout",
    "TokenUsage": "token_usage",
    "VectorMemory": "vector_memory",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    from importlib import import_module

    from kagent_runtime.telemetry.components import observe

    loaded = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    observe(loaded)
    return loaded
