"""The registry of workbenches: the union that an agent may list."""

from kagent_runtime.model.kubernetes_tools import KubernetesToolsComponent

Workbench = KubernetesToolsComponent
