"""Rendered objects to diagnostics, one concern a file."""

from kagent_render.checks.registry import check

__all__ = ["check"]
