"""The graph to what runs: a RuntimeConfig for the runtime and neutral workloads for the targets."""

from kagent_render.lower.lowering import lower
from kagent_render.lower.workload import Place, Pods, ServerWorkload, Workload

__all__ = ["Place", "Pods", "ServerWorkload", "Workload", "lower"]
