"""The registry of tool types, and the built-in tools they bring."""

from __future__ import annotations

from kagent_render.catalog.tools import agent, alertmanager, github, helm, http, kubernetes, mcp, prometheus, python
from kagent_render.catalog.tools.base import Builtin, ToolType

TOOL_TYPES: dict[str, ToolType] = {
    kubernetes.NAME: kubernetes,
    helm.NAME: helm,
    agent.NAME: agent,
    python.NAME: python,
    mcp.NAME: mcp,
    github.NAME: github,
    http.NAME: http,
    prometheus.NAME: prometheus,
    alertmanager.NAME: alertmanager,
}
BUILTIN_TOOLS: dict[str, Builtin] = {
    name: builtin for tool_type in TOOL_TYPES.values() for name, builtin in sorted(tool_type.BUILTINS.items())
}
# Names of which a built-in would say too little, and what their document has to say.
DOCUMENTED_TOOLS: dict[str, str] = {
    "helm-install": "it needs a Tool document that says which `chart`",
    "helm-upgrade": "it needs a Tool document that says which `chart`",
    "kubectl-exec": "it needs a Tool document that lists the `commands` it may run",
}
