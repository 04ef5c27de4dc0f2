"""Workloads to Kubernetes objects, one target a file."""

from kagent_render.targets.registry import render

__all__ = ["render"]
