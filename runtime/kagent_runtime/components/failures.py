"""How a tool says that a call failed: a result with `is_error`, never an exception that reaches AutoGen."""

from __future__ import annotations


class ToolFailureError(Exception):
    """The call failed. The text is for a model to act on."""


# Added to a failure after which nobody knows: a model that simply tries again may do a thing twice.
UNKNOWN = "; it is unknown whether this was carried out: find out before you call it again"
