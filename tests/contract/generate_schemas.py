"""Writes kagent_render/schemas/bundle.json.xz from the schemas of released Kubernetes versions and the CRDs here.

python -m tests.contract.generate_schemas
"""

from __future__ import annotations

import json
import lzma
from pathlib import Path
from typing import Any

import kubernetes_validate

from kagent_render.schemas.bundle import MINORS
from tests.contract.crd_schema import load_crd_schemas
from tests.harness import ROOT

TARGET = ROOT / "kagent_render" / "schemas" / "bundle.json.xz"
_SOURCE = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
_KINDS = {
    "apps/v1 Deployment": "io.k8s.api.apps.v1.Deployment",
    "networking.k8s.io/v1 NetworkPolicy": "io.k8s.api.networking.v1.NetworkPolicy",
    "policy/v1 PodDisruptionBudget": "io.k8s.api.policy.v1.PodDisruptionBudget",
    "rbac.authorization.k8s.io/v1 ClusterRole": "io.k8s.api.rbac.v1.ClusterRole",
    "rbac.authorization.k8s.io/v1 ClusterRoleBinding": "io.k8s.api.rbac.v1.ClusterRoleBinding",
    "rbac.authorization.k8s.io/v1 Role": "io.k8s.api.rbac.v1.Role",
    "rbac.authorization.k8s.io/v1 RoleBinding": "io.k8s.api.rbac.v1.RoleBinding",
    "v1 ConfigMap": "io.k8s.api.core.v1.ConfigMap",
    "v1 PersistentVolumeClaim": "io.k8s.api.core.v1.PersistentVolumeClaim",
    "v1 Service": "io.k8s.api.core.v1.Service",
    "v1 ServiceAccount": "io.k8s.api.core.v1.ServiceAccount",
}
_METADATA = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
# Where a null is taken as absent although the type does not say so: both have decoders of their own.
_NULLABLE = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString")
_KEPT = ("x-kubernetes-list-map-keys", "x-kubernetes-list-type")


def _slim(schema: Any) -> Any:
    """Without descriptions, and with `$ref` as a name."""
    if isinstance(schema, list):
        return [_slim(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    out = {}
    for key, value in schema.items():
        if key == "properties":
            out[key] = {name: _slim(item) for name, item in value.items()}
        elif key == "$ref":
            out[key] = value.rpartition("/")[2]
        elif key not in ("description", "default", "$schema", "$id") and (key in _KEPT or not key.startswith("x-")):
            out[key] = _slim(value)
    return out


def _references(schema: Any) -> set[str]:
    if isinstance(schema, list):
        return {name for item in schema for name in _references(item)}
    if not isinstance(schema, dict):
        return set()
    own = {schema["$ref"]} if isinstance(schema.get("$ref"), str) else set()
    return own | {name for item in schema.values() for name in _references(item)}


def _definitions(minor: str) -> dict[str, Any]:
    """Those that our kinds need."""
    path = _SOURCE / f"v{minor}.0-local-strict" / "_definitions.json"
    source = json.loads(path.read_text())["$defs"]
    found: dict[str, Any] = {}
    waiting = [name for name in _KINDS.values() if name in source]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = _slim(source[name]) | ({"nullable": True} if name in _NULLABLE else {})
            waiting += _references(found[name])
    return found


def _served() -> dict[str, list[str]]:
    """Every kind of Kubernetes' own and the minors that serve it: what another one lacks is refused for it."""
    found: dict[str, list[str]] = {}
    for minor in MINORS:
        source = json.loads((_SOURCE / f"v{minor}.0-local-strict" / "_definitions.json").read_text())["$defs"]
        for schema in source.values():
            for kind in schema.get("x-kubernetes-group-version-kind", ()) if "metadata" in _fields(schema) else ():
                key = f"{kind['group']}/{kind['version']} {kind['kind']}".lstrip("/")
                found[key] = [*dict.fromkeys([*found.get(key, ()), minor])]
    return {key: value for key, value in found.items() if not key.endswith("List")}


def _fields(schema: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = schema.get("properties", {})
    return fields


def _with_metadata(crd: dict[str, Any]) -> dict[str, Any]:
    """A CRD says nothing of metadata, which has the same form everywhere."""
    return crd | {"properties": crd["properties"] | {"metadata": {"$ref": _METADATA}}}


def bundle() -> bytes:
    """The file: definitions that minors share are there once. The same bytes on every machine."""
    definitions: list[Any] = []
    places: dict[str, int] = {}
    minors: dict[str, dict[str, int]] = {}
    for minor in MINORS:
        minors[minor] = {}
        for name, schema in sorted(_definitions(minor).items()):
            text = json.dumps(schema, sort_keys=True)
            if text not in places:
                places[text] = len(definitions)
                definitions.append(schema)
            minors[minor][name] = places[text]
    crds = {
        f"{api_version} {kind}": _with_metadata(_slim(schema))
        for (api_version, kind), schema in load_crd_schemas(Path(__file__).parent / "crds").items()
    }
    served = _served()
    groups = sorted({key.partition(" ")[0].rpartition("/")[0] for key in served})
    data = {
        "crds": crds,
        "definitions": definitions,
        "groups": groups,
        "kinds": _KINDS,
        "minors": minors,
        "served": served,
    }
    return lzma.compress(json.dumps(data, sort_keys=True, separators=(",", ":")).encode(), preset=9)


if __name__ == "__main__":
    TARGET.write_bytes(bundle())
