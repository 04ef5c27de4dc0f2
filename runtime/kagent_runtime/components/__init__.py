"""Our own AutoGen components, under the provider names that a RuntimeConfig uses. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.components.kubernetes_tools import KubernetesTools
    from kagent_runtime.components.model_client import ModelClient
    from kagent_runtime.components.text_mention import TextMention

__all__ = ["KubernetesTools", "ModelClient", "TextMention"]
_MODULES = {"KubernetesTools": "kubernetes_tools", "ModelClient": "model_client", "TextMention": "text_mention"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    from importlib import import_module

    from kagent_runtime.telemetry.components import observe

    loaded = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    observe(loaded)
    return loaded
