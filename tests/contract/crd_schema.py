"""A CRD's structural schema as a strict JSON Schema: what the API server does with `fieldValidation=Strict`.

Source of the rules: kubernetes.io, "Extend the Kubernetes API with CustomResourceDefinitions", structural schemas.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

_DROPPED = {"description", "default", "example", "externalDocs", "nullable"}
_KEPT = {"x-kubernetes-list-map-keys", "x-kubernetes-list-type"}
_BOUNDS = {"int32": 2**31, "int64": 2**63}


def load_crd_schemas(folder: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(apiVersion, kind) to JSON Schema for every served version of the CRDs in a folder."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.yaml")):
        for crd in yaml.load_all(path.read_text(), yaml.CSafeLoader):
            if not crd or crd.get("kind") != "CustomResourceDefinition":
                continue
            spec = crd["spec"]
            for version in spec["versions"]:
                if version["served"]:
                    key = (f"{spec['group']}/{version['name']}", spec["names"]["kind"])
                    found[key] = _root(version["schema"]["openAPIV3Schema"])
    return found


def _root(schema: dict[str, Any]) -> dict[str, Any]:
    root: dict[str, Any] = _convert(schema)
    root["properties"] |= {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    return root | {"additionalProperties": False}


def _convert(schema: Any, is_closed: bool = True) -> Any:
    if not isinstance(schema, dict):
        return schema
    out: dict[str, Any] = {}
    for key, value in schema.items():
        if key in _DROPPED or (key.startswith("x-kubernetes") and key not in _KEPT):
            continue
        out[key] = _convert_keyword(key, value, is_closed)
    if schema.get("x-kubernetes-int-or-string"):
        out.pop("type", None)
        out["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    if "default" in schema or schema.get("nullable"):
        out["nullable"] = True  # a null is pruned, and the default takes its place
    preserves = schema.get("x-kubernetes-preserve-unknown-fields") or schema.get("x-kubernetes-embedded-resource")
    # A junctor only says more of the properties that its surroundings list, so it closes nothing.
    if is_closed and "properties" in schema and "additionalProperties" not in out and not preserves:
        out["additionalProperties"] = False
    if (limit := _BOUNDS.get(schema.get("format", ""))) is not None:
        out = {"minimum": -limit, "maximum": limit - 1} | out
    return out


def _convert_keyword(key: str, value: Any, is_closed: bool) -> Any:
    if key == "properties":
        return {name: _convert(item, is_closed) for name, item in value.items()}
    if key in ("allOf", "anyOf", "oneOf"):
        return [_convert(item, False) for item in value]
    if key == "not":
        return _convert(value, False)
    return _convert(value, is_closed) if key in ("items", "additionalProperties") else value
