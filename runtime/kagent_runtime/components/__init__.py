"""Our own AutoGen components, under the provider names that a RuntimeConfig uses. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.components.context_window import BufferedContext, HeadAndTailContext
    from kagent_runtime.components.gate import Gate
    from kagent_runtime.components.kubernetes_tools import KubernetesTools
    from kagent_runtime.components.list_memory import ListMemory
    from kagent_runtime.components.model_client import ModelClient
    from kagent_runtime.components.model_guard import ModelGuard
    from kagent_runtime.components.structured_output import StructuredOutput
    from kagent_runtime.components.text_mention import TextMention

__all__ = [
    "BufferedContext",
    "Gate",
    "HeadAndTailContext",
    "KubernetesTools",
    "ListMemory",
    "ModelClient",
    "ModelGuard",
    "StructuredOutput",
    "TextMention",
]
_MODULES = {
    "BufferedContext": "context_window",
    "Gate": "gate",
    "HeadAndTailContext": "context_window",
    "KubernetesTools": "kubernetes_tools",
    "ListMemory": "list_memory",
    "ModelClient": "model_client",
    "ModelGuard": "model_guard",
    "StructuredOutput": "structured_output",
    "TextMention": "text_mention",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
