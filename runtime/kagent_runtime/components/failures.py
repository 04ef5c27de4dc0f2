"""How a tool says that a call failed: a result with `is_error`, never an exception that reaches AutoGen."""

from __future__ import annotations


class ToolFailureError(Exception):
    """The call failed. The text is for a model to act on."""
