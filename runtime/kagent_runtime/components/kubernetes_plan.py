"""A change that is planned before it is made: what a dry run says it would do, and the request that does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kagent_runtime.components.cluster import CONNECTION, request, send
from kagent_runtime.components.condense import Answer
from kagent_runtime.components.kubernetes_objects import difference
from kagent_runtime.components.resources import Resource

MERGE_PATCH = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC_PATCH = "application/strategic-merge-patch+json"
APPLY_PATCH = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Plan:
    """`preview` is what a person is asked to approve; `commit` does it and says what was done."""

    preview: str
    commit: Callable[[], Answer]


@dataclass(frozen=True, slots=True)
class Patch:
    """A PATCH request to one object."""

    path: str
    body: Any
    content_type: str
    timeout: float
    force: bool = False

    def send(self, *, dry_run: bool) -> dict[str, Any]:
        """The object as it is then. Raises ClusterError."""
        query = {"fieldManager": CONNECTION.field_manager, "fieldValidation": "Strict"}
        query |= {"force": "true"} if self.force else {}
        query |= {"dryRun": "All"} if dry_run else {}
        data = send("PATCH", self.path, query, self.timeout, body=self.body, content_type=self.content_type)
        found: dict[str, Any] = json.loads(data)
        return found


def read(path: str, timeout: float) -> dict[str, Any]:
    """An object as it is. Raises ClusterError."""
    found: dict[str, Any] = json.loads(request(path, {}, "application/json", timeout))
    return found


def patched(patch: Patch, live: dict[str, Any] | None, resource: Resource, name: str, verb: str) -> Plan:
    """The plan of a patch, with the diff that a dry run shows. Raises ClusterError."""
    diff = difference(live, patch.send(dry_run=True), resource)
    done = "created" if live is None else verb if diff else "unchanged: it is so already"
    intent = "create" if live is None else "change" if diff else "no change: it is so already"

    def commit() -> str:
        patch.send(dry_run=False)
        return f"{name} {done}" + (f"\n{diff}" if diff else "")

    return Plan(f"{intent} {name}" + (f"\n{diff}" if diff else ""), commit)
