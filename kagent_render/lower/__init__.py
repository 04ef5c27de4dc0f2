"""The graph to what runs: a RuntimeConfig for the runtime and a neutral Workload for the targets."""

from kagent_render.lower.lowering import lower
from kagent_render.lower.workload import Place, Workload

__all__ = ["Place", "Workload", "lower"]
