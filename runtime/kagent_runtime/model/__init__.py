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
from kagent_runtime.model.contexts import BufferedContextConfig, HeadAndTailContextConfig, ListMemoryConfig
from kagent_runtime.model.envelope import API_VERSION, AgentSummary, Metadata, RuntimeConfig
from kagent_runtime.model.github_tools import GithubTool, GithubToolsConfig
from kagent_runtime.model.http_tools import HttpTool, HttpToolsConfig
from kagent_runtime.model.kubernetes_tools import KubernetesTool, KubernetesToolsConfig
from kagent_runtime.model.mcp_tools import McpHttpServer, McpLockedTool, McpServer, McpStdioServer, McpToolsConfig
from kagent_runtime.model.model_client import ModelClientConfig
from kagent_runtime.model.output_schema import StructuredOutputConfig
from kagent_runtime.model.prometheus_tools import PrometheusTool, PrometheusToolsConfig
from kagent_runtime.model.remote import RemoteHeader, RemoteTls, RemoteTool
from kagent_runtime.model.run import Approvals, RunLimits
from kagent_runtime.model.tool_parameters import ToolParameters

__all__ = [
    "API_VERSION",
    "AgentSummary",
    "Approvals",
    "BufferedContextConfig",
    "GithubTool",
    "GithubToolsConfig",
    "HandoffConfig",
    "HeadAndTailContextConfig",
    "HttpTool",
    "HttpToolsConfig",
    "KubernetesTool",
    "KubernetesToolsConfig",
    "ListMemoryConfig",
    "MaxMessageConfig",
    "McpHttpServer",
    "McpLockedTool",
    "McpServer",
    "McpStdioServer",
    "McpToolsConfig",
    "Metadata",
    "ModelClientConfig",
    "NoConfig",
    "PrometheusTool",
    "PrometheusToolsConfig",
    "RemoteHeader",
    "RemoteTls",
    "RemoteTool",
    "RunLimits",
    "RuntimeConfig",
    "StructuredOutputConfig",
    "TextMentionConfig",
    "TextMessageConfig",
    "TimeoutConfig",
    "TokenUsageConfig",
    "ToolParameters",
]
