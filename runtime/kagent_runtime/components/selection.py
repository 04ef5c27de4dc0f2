"""Selecting a part of a JSON answer: the steps of a tool's `response.path`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from kagent_runtime.components.failures import ToolFailureError

EACH = "*"


def select(data: Any, steps: Sequence[str | int], taken: str = "") -> Any:
    """What is at the place. Raises ToolFailureError that says how far it got and what is there."""
    if not steps:
        return data
    step, rest = steps[0], steps[1:]
    if step == EACH and isinstance(data, list):
        return [select(item, rest, f"{taken}[{index}]") for index, item in enumerate(data)]
    if isinstance(step, str) and isinstance(data, dict) and step in data:
        return select(data[step], rest, f"{taken}.{step}")
    if isinstance(step, int) and isinstance(data, list) and step < len(data):
        return select(data[step], rest, f"{taken}[{step}]")
    wanted = "list" if step == EACH else f"`{step}`"
    raise ToolFailureError(f"the answer has no {wanted} at {taken.lstrip('.') or 'its top'}: {_what(data)}")


def _what(data: Any) -> str:
    if isinstance(data, dict):
        return "it has " + (", ".join(list(data)[:20]) or "no fields")
    if isinstance(data, list):
        return f"it is a list of {len(data)}"
    return "it is " + json.dumps(data)[:100]


def shown(value: Any) -> str:
    """A selected value for a model: text as it is, anything else as JSON, one item a line."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(item, (dict, list)) for item in value):
        return "[\n" + ",\n".join(json.dumps(item, ensure_ascii=False) for item in value) + "\n]"
    return json.dumps(value, ensure_ascii=False)
