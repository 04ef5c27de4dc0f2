"""What an API server serves, and what the fields of a resource mean: kubectl's `api-resources` and `explain`.

Both read what the ClusterRole `system:discovery` opens to everyone who is authenticated, custom resources included.
Discovery is asked for in one piece for a prefix (KEP-3352, served since Kubernetes 1.27).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from kagent_runtime.components.cluster import ClusterError, request
from kagent_runtime.components.kubernetes_arguments import ArgumentError, Arguments
from kagent_runtime.components.texts import one_line, table
from kagent_runtime.model import KubernetesTool

_DISCOVERY = ",".join(
    f"application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList" for version in ("v2", "v2beta1")
)
# Of `recursive`: the schema of a CustomResourceDefinition holds itself.
_MAX_DEPTH, _MAX_LINES = 16, 1500
Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Served:
    """A resource in the version that the server prefers."""

    resource: str
    singular: str
    short: tuple[str, ...]
    group: str
    version: str
    kind: str
    is_namespaced: bool
    verbs: tuple[str, ...]

    @property
    def api_version(self) -> str:
        """As a manifest has it."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def is_called(self, name: str) -> bool:
        """Whether a user of kubectl means it by this name."""
        names = {self.resource, self.singular, self.kind.lower(), *self.short}
        qualified = {f"{self.resource}.{self.group}", f"{self.resource}.{self.version}.{self.group}"}
        return name.lower() in names | qualified


def api_resources(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """The resources as `kubectl api-resources` lists them. Raises ClusterError and ArgumentError."""
    group, verb, filter = (str(arguments.get(name) or "") for name in ("apiGroup", "verb", "filter"))
    rows = [
        [item.resource, ",".join(item.short), item.api_version, str(item.is_namespaced).lower(), item.kind]
        for item in served(timeout)
        if (not group or item.group == ("" if group == "core" else group))
        and (not verb or verb in item.verbs)
        and filter.lower() in f"{item.resource} {item.kind.lower()}"
    ]
    if not rows:
        raise ArgumentError("the API server serves no such resource")
    return table([["NAME", "SHORTNAMES", "APIVERSION", "NAMESPACED", "KIND"], *rows])


def explain(tool: KubernetesTool, arguments: Arguments, timeout: float) -> str:
    """The fields of a resource, from the schema that the server has. Raises ClusterError and ArgumentError."""
    name, field = str(arguments["resource"]).strip(), str(arguments.get("field") or "")
    known = list(served(timeout))
    item = _find(known, name)
    if item is None:  # as kubectl writes it: deployment.spec.template
        name, _, start = name.partition(".")
        field = f"{start}.{field}" if field else start
        item = _find(known, name)
    if item is None:
        raise ArgumentError(f"the API server serves no resource `{name[:60]}`; kubectl-api-resources lists them")
    path = [step for step in field.split(".") if step]
    return _explained(item, path, _document(item, timeout), is_deep=arguments.get("recursive") is True)


def _find(known: Sequence[Served], name: str) -> Served | None:
    return next((item for item in known if item.is_called(name)), None)


def served(timeout: float) -> Iterator[Served]:
    """Each resource once, the core group first. Raises ClusterError."""
    for prefix in ("/api", "/apis"):
        found: dict[str, Any] = json.loads(request(prefix, {}, _DISCOVERY, timeout))
        if found.get("kind") != "APIGroupDiscoveryList":
            raise ClusterError("the API server is older than Kubernetes 1.27 and does not list its resources at once")
        for group in found["items"]:
            seen: set[str] = set()
            for version in group.get("versions") or []:  # the preferred one is the first
                for item in version.get("resources") or []:
                    if item["resource"] not in seen:
                        seen.add(item["resource"])
                        yield _resource(group["metadata"].get("name") or "", version["version"], item)


def _resource(group: str, version: str, item: Mapping[str, Any]) -> Served:
    return Served(
        item["resource"],
        item.get("singularResource") or "",
        tuple(item.get("shortNames") or ()),
        group,
        version,
        (item.get("responseKind") or {}).get("kind") or "",
        item.get("scope") == "Namespaced",
        tuple(item.get("verbs") or ()),
    )


def _document(item: Served, timeout: float) -> dict[str, Any]:
    """The OpenAPI document of the resource's group and version. Raises ClusterError."""
    group = f"apis/{item.group}/{item.version}" if item.group else f"api/{item.version}"
    paths = json.loads(request("/openapi/v3", {}, "application/json", timeout)).get("paths") or {}
    if group not in paths:
        raise ClusterError(f"the API server has no schema of {item.api_version}")
    path, _, query = str(paths[group]["serverRelativeURL"]).partition("?")
    parameters = dict(pair.partition("=")[::2] for pair in query.split("&") if pair)
    document: dict[str, Any] = json.loads(request(path, parameters, "application/json", timeout))
    return document


@dataclass(frozen=True, slots=True)
class _Reader:
    """The schemas of one document."""

    schemas: Mapping[str, Schema]

    def resolved(self, schema: Schema) -> Schema:
        """Without references: Kubernetes writes `allOf: [$ref]` with a description and a default beside it."""
        found: dict[str, Any] = {}
        for part in (*(schema.get("allOf") or ()), schema):
            target = str(part.get("$ref", "")).rpartition("/")[2]
            inner = self.resolved(self.schemas[target]) if target in self.schemas else {}
            found |= {**inner} | {key: value for key, value in part.items() if key not in ("$ref", "allOf")}
        return found

    def element(self, schema: Schema) -> Schema:
        """What the fields of a list or of a map's values are those of: kubectl steps into them unasked."""
        found = self.resolved(schema)
        inner = found.get("items") if found.get("type") == "array" else found.get("additionalProperties")
        return self.element(inner) if isinstance(inner, Mapping) else found

    def type_of(self, schema: Schema) -> str:
        """As kubectl names it: `[]Container`, `map[string]string`, `Object`."""
        found = self.resolved(schema)
        if found.get("type") == "array":
            return f"[]{self.type_of(found.get('items') or {})}"
        if isinstance(found.get("additionalProperties"), Mapping):
            return f"map[string]{self.type_of(found['additionalProperties'])}"
        if found.get("x-kubernetes-int-or-string") or "oneOf" in found:
            is_quantity = any(part.get("type") == "number" for part in found.get("oneOf") or ())
            return "Quantity" if is_quantity else "IntOrString"
        return "Object" if found.get("type") in (None, "object") else str(found["type"])


def _explained(item: Served, path: Sequence[str], document: Mapping[str, Any], *, is_deep: bool) -> str:
    reader = _Reader((document.get("components") or {}).get("schemas") or {})
    schema = _root(item, reader)
    kind = reader.type_of(schema)
    for index, step in enumerate(path):
        fields = reader.element(schema).get("properties") or {}
        if step not in fields:
            place = ".".join(path[:index]) or item.kind
            raise ArgumentError(f"`{place}` has no field `{step[:60]}`; it has: {', '.join(sorted(fields)) or 'none'}")
        schema, kind = fields[step], reader.type_of(fields[step])
    lines = [f"KIND: {item.kind}", f"API VERSION: {item.api_version}"]
    lines += [f"FIELD: {'.'.join(path)} <{kind}>"] if path else []
    found = reader.resolved(schema)
    about, choices = str(found.get("description") or "(the schema does not describe it)"), found.get("enum")
    lines += ["", about]
    lines += [f"One of: {', '.join(map(str, choices))}"] if choices and "Possible enum values" not in about else []
    fields = list(islice(_fields(reader, schema, _MAX_DEPTH if is_deep else 1), _MAX_LINES))
    fields += ["  [… there are more; ask for a field below …]"] if len(fields) == _MAX_LINES else []
    return "\n".join([*lines, *(["", "FIELDS:", *fields] if fields else [])])


def _root(item: Served, reader: _Reader) -> Schema:
    wanted = {"group": item.group, "kind": item.kind, "version": item.version}
    for schema in reader.schemas.values():
        if wanted in (schema.get("x-kubernetes-group-version-kind") or ()):
            return schema
    raise ClusterError(f"the API server has no schema of {item.kind} in {item.api_version}")


def _fields(reader: _Reader, schema: Schema, depth: int, indent: str = "  ") -> Iterator[str]:
    found = reader.element(schema)
    for name, field in sorted((found.get("properties") or {}).items()):
        is_required = " (required)" if name in (found.get("required") or ()) else ""
        head = f"{indent}{name} <{reader.type_of(field)}>{is_required}"
        if depth > 1:
            yield head
            yield from _fields(reader, field, depth - 1, f"{indent}  ")
        else:
            about = one_line(str(reader.resolved(field).get("description") or ""), 200) if indent == "  " else ""
            yield f"{head}: {about}" if about else head
