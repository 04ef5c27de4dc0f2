"""Sets of built-in tools that an agent is granted by one word. Only tools that read."""

from __future__ import annotations

from kagent_render.catalog.tools import alertmanager, helm, prometheus
from kagent_render.catalog.tools.kubernetes_reading import READING

TOOL_SETS: dict[str, tuple[str, ...]] = {
    "kubernetes/read-only": tuple(f"kubectl-{name}" for name in READING),
    "helm/read-only": tuple(sorted(helm.READING)),
    "prometheus": tuple(prometheus.BUILTINS),
    "alertmanager/read-only": alertmanager.READING,
}
