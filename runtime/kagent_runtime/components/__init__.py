"""Our own AutoGen components, under the provider names that a RuntimeConfig uses. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.components.external import External
    from kagent_runtime.components.graph_flow import GraphFlow
    from kagent_runtime.components.handoff import Handoff
    from kagent_runtime.components.kubernetes_tools import KubernetesTools
    from kagent_runtime.components.magentic_one import MagenticOne
    from kagent_runtime.components.max_message import MaxMessage
    from kagent_runtime.components.model_client import ModelClient
    from kagent_runtime.components.stop_message import StopMessage
    from kagent_runtime.components.text_mention import TextMention
    from kagent_runtime.components.text_message import TextMessage
    from kagent_runtime.components.timeout import Timeout
    from kagent_runtime.components.token_usage import TokenUsage

__all__ = [
    "External",
    "GraphFlow",
    "Handoff",
    "KubernetesTools",
    "MagenticOne",
    "MaxMessage",
    "ModelClient",
    "StopMessage",
    "TextMention",
    "TextMessage",
    "Timeout",
    "TokenUsage",
]
_MODULES = {
    "External": "external",
    "GraphFlow": "graph_flow",
    "Handoff": "handoff",
    "KubernetesTools": "kubernetes_tools",
    "MagenticOne": "magentic_one",
    "MaxMessage": "max_message",
    "ModelClient": "model_client",
    "StopMessage": "stop_message",
    "TextMention": "text_mention",
    "TextMessage": "text_message",
    "Timeout": "timeout",
    "TokenUsage": "token_usage",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    from importlib import import_module

    from kagent_runtime.telemetry.components import observe

    loaded = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    observe(loaded)
    return loaded
