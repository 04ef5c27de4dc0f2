"""The RuntimeConfig as data: a closed set of components, each with exactly the keys we allow.

AutoGen 0.7.5 imports any provider it is told (upstream PR #7463 is not released), runs the source in a
`FunctionTool`, and ignores unknown keys; so nothing reaches it that did not pass these models.
`schema/runtime-config-v1.json` is generated from them.
"""

from kagent_runtime.model.conditions import (
    HandoffConfig,
    MaxMessageConfig,
    NoConfig,
    TextMentionConfig,
    TextMessageConfig,
    TimeoutConfig,
    TokenUsageConfig,
)
from kagent_runtime.model.envelope import API_VERSION, AgentSummary, Metadata, RuntimeConfig
from kagent_runtime.model.kubernetes_tools import KubernetesTool, KubernetesToolsConfig
from kagent_runtime.model.model_client import ModelClientConfig

__all__ = [
    "API_VERSION",
    "AgentSummary",
    "HandoffConfig",
    "KubernetesTool",
    "KubernetesToolsConfig",
    "MaxMessageConfig",
    "Metadata",
    "ModelClientConfig",
    "NoConfig",
    "RuntimeConfig",
    "TextMentionConfig",
    "TextMessageConfig",
    "TimeoutConfig",
    "TokenUsageConfig",
]
