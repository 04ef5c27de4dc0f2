"""Our own AutoGen components, under the provider names that a RuntimeConfig uses. Imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.components.github_tools import GithubTools
    from kagent_runtime.components.http_tools import HttpTools
    from kagent_runtime.components.kubernetes_tools import KubernetesTools
    from kagent_runtime.components.model_client import ModelClient
    from kagent_runtime.components.prometheus_tools import PrometheusTools
    from kagent_runtime.components.text_mention import TextMention

__all__ = ["GithubTools", "HttpTools", "KubernetesTools", "ModelClient", "PrometheusTools", "TextMention"]
_MODULES = {
    "GithubTools": "github_tools",
    "HttpTools": "http_tools",
    "KubernetesTools": "kubernetes_tools",
    "ModelClient": "model_client",
    "PrometheusTools": "prometheus_tools",
    "TextMention": "text_mention",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(name)
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
