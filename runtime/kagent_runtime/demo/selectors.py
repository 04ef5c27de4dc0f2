"""Label and field selectors, as the Kubernetes API defines them."""

from __future__ import annotations

import re
from typing import Any

# The fields the sample cluster can select by; a real server refuses others too.
FIELDS = (
    "metadata.name",
    "metadata.namespace",
    "status.phase",
    "spec.nodeName",
    "involvedObject.name",
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.uid",
    "type",
    "reason",
)
_LABEL = re.compile(
    r"\s*(?:(?P<absent>!)?\s*(?P<key>[A-Za-z0-9./_-]+)\s*"
    r"(?:(?P<sign>==|!=|=)\s*(?P<value>[A-Za-z0-9._-]*)|(?P<word>in|notin)\s*\((?P<values>[^)]*)\))?)\s*(?:,|$)"
)


class SelectorError(ValueError):
    """A selector the server cannot use."""


def matches_fields(item: dict[str, Any], selector: str) -> bool:
    """Whether an object matches a field selector. Raises SelectorError."""
    return all(_matches_field(item, term) for term in selector.split(",") if term.strip())


def _matches_field(item: dict[str, Any], term: str) -> bool:
    match = re.fullmatch(r"\s*([A-Za-z.]+)\s*(==|!=|=)\s*(.*?)\s*", term)
    if match is None or match[1] not in FIELDS:
        raise SelectorError(f"field label not supported: {match[1] if match else term.strip()}")
    value: Any = item
    for part in match[1].split("."):
        value = value.get(part, "") if isinstance(value, dict) else ""
    return (str(value) == match[3]) == (match[2] != "!=")


def matches_labels(item: dict[str, Any], selector: str) -> bool:
    """Whether an object matches a label selector. Raises SelectorError."""
    labels: dict[str, str] = item["metadata"].get("labels") or {}
    position = 0
    while position < len(selector):
        match = _LABEL.match(selector, position)
        if match is None or match.end() == position:
            raise SelectorError(f"unable to parse requirement: found '{selector[position:]}'")
        if not _matches_label(labels, match):
            return False
        position = match.end()
    return True


def _matches_label(labels: dict[str, str], match: re.Match[str]) -> bool:
    value = labels.get(match["key"])
    if match["sign"]:
        return (value == match["value"]) == (match["sign"] != "!=")
    if match["word"]:
        values = [part.strip() for part in match["values"].split(",")]
        return (value in values) == (match["word"] == "in")
    return (value is None) == bool(match["absent"])
