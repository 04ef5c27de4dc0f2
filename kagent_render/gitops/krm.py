"""A KRM function: a ResourceList in, one with the objects out. Source: kustomize cmd/config/docs/api-conventions.

What is not ours passes through as nodes of YAML, not as values: a `yes` of somebody else's stays what it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from kagent_render.diagnostics import Diagnostic, Severity
from kagent_render.emit import emit
from kagent_render.source import SourceFile

try:
    from yaml import CSafeDumper as Dumper
    from yaml import CSafeLoader as Loader
except ImportError:  # PyYAML built without libyaml
    from yaml import SafeDumper as Dumper  # type: ignore[assignment]
    from yaml import SafeLoader as Loader  # type: ignore[assignment]

_GROUPS = ("kagent.dev/", "render.kagent.dev/")
_PATH, _INDEX = "internal.config.kubernetes.io/path", "internal.config.kubernetes.io/index"
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "info"}
_FIELDS = {"paths", "env", "namespace", "set"}


class RequestError(Exception):
    """What came on stdin is no request to this function."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to compile, and what to hand on."""

    paths: tuple[str, ...] = ()
    environment: str | None = None
    namespace: str | None = None
    settings: tuple[str, ...] = ()
    specs: tuple[SourceFile, ...] = ()
    others: tuple[yaml.Node, ...] = ()
    places: Mapping[str, dict[str, Any]] = field(default_factory=dict)
    """Where the specs among the items come from, by the path of their SourceFile."""


def parse(text: str) -> Request:
    """A ResourceList, version v1 or v1beta1. Raises RequestError."""
    try:
        root = yaml.compose(text, Loader)
        data = yaml.load(text, Loader) if root is not None else None
    except yaml.YAMLError as error:
        raise RequestError(f"stdin is not YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(data, dict) or data.get("kind") != "ResourceList" or not isinstance(root, yaml.MappingNode):
        raise RequestError("stdin is not a ResourceList; run it as a function of kustomize, or pipe one in")
    config = data.get("functionConfig") or {}
    items, nodes = data.get("items") or [], _nodes(root, "items")
    specs, others, places = [], [], {}
    for number, (item, node) in enumerate(zip(items, nodes, strict=True)):
        if _is_config(item, config):
            continue  # kustomize gives a generator its own configuration as an item
        if str(item.get("apiVersion", "")).startswith(_GROUPS):
            place = _place(item, number)
            name = f"{place['path']}[{place['index']}]"
            specs.append(SourceFile(name, yaml.serialize(node, Dumper=Dumper)))
            places[name] = place
        else:
            others.append(node)
    given = _spec(config)
    return Request(
        tuple(given.get("paths") or (() if specs else (".",))),
        given.get("env"),
        given.get("namespace"),
        tuple(f"{key}={value}" for key, value in sorted((given.get("set") or {}).items())),
        tuple(specs),
        tuple(others),
        places,
    )


def _nodes(root: yaml.MappingNode, key: str) -> list[yaml.Node]:
    found = next((value for name, value in root.value if name.value == key), None)
    return list(found.value) if isinstance(found, yaml.SequenceNode) else []


def _is_config(item: Mapping[str, Any], config: Mapping[str, Any]) -> bool:
    def identity(document: Mapping[str, Any]) -> tuple[Any, ...]:
        return (document.get("apiVersion"), document.get("kind"), (document.get("metadata") or {}).get("name"))

    return bool(config) and identity(item) == identity(config)


def _place(item: Mapping[str, Any], number: int) -> dict[str, Any]:
    annotations = (item.get("metadata") or {}).get("annotations") or {}
    return {"path": str(annotations.get(_PATH, "items")), "index": int(annotations.get(_INDEX, number))}


def _spec(config: Mapping[str, Any]) -> dict[str, Any]:
    spec = config.get("spec") or {}
    if not isinstance(spec, dict) or (unknown := sorted(set(spec) - _FIELDS)):
        found = f"`{unknown[0]}`" if isinstance(spec, dict) else "something that is no map"
        raise RequestError(f"functionConfig.spec has {found}; there are: {', '.join(sorted(_FIELDS))}")
    return spec


def answer(request: Request, objects: Iterable[dict[str, Any]], found: Sequence[Diagnostic]) -> str:
    """The ResourceList that goes back: what was not ours, then the objects; and what was found."""
    items = [*request.others]
    for item in objects:
        node = yaml.compose(emit(item), Loader)
        assert node is not None
        items.append(node)
    results = [_result(item, request.places) for item in found]
    head = {"apiVersion": "config.kubernetes.io/v1", "kind": "ResourceList"}
    root = yaml.compose(emit(head | ({"results": results} if results else {})), Loader)
    assert isinstance(root, yaml.MappingNode)
    key = yaml.ScalarNode("tag:yaml.org,2002:str", "items")
    root.value.insert(2, (key, yaml.SequenceNode("tag:yaml.org,2002:seq", items)))
    return str(yaml.serialize(root, Dumper=Dumper, width=1 << 20, allow_unicode=True))


def _result(item: Diagnostic, places: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    message = item.message + (f" ({item.help})" if item.help else "")
    result: dict[str, Any] = {"message": message, "severity": _SEVERITIES[item.severity]}
    if item.span is not None and item.span.path in places:
        result["file"] = places[item.span.path]
    elif item.span is not None:
        result["file"] = {"path": item.span.path}
        tags = {"line": str(item.span.line), "column": str(item.span.column)}
        return result | {"tags": tags | {"code": item.code}}
    return result | {"tags": {"code": item.code}}
