"""What a model gave a Kubernetes tool: checked against what is granted, and made part of a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kagent_runtime.components.cluster import CONNECTION
from kagent_runtime.components.resources import Resource, find, granted
from kagent_runtime.model import KubernetesTool

Arguments = Mapping[str, Any]


class ArgumentError(Exception):
    """The model gave an argument that is not granted or not valid. The text tells it what is."""


def check_names(tool: KubernetesTool, arguments: Arguments) -> None:
    """Only what the tool takes, and all it needs. Raises ArgumentError."""
    known = tool.parameters.properties
    for name, value in arguments.items():
        if name not in known:
            raise ArgumentError(f"`{name}` is not an argument of {tool.name}; it takes: {', '.join(known)}")
        choices = known[name].enum
        if choices and value not in choices:
            raise ArgumentError(f"`{name}` must be one of: {', '.join(map(str, choices))}")
    for name in tool.parameters.required:
        if arguments.get(name) in (None, ""):
            raise ArgumentError(f"the argument `{name}` is required")


def narrowed_by(tool: KubernetesTool, *names: str) -> str:
    """How a model asks for less, in words: by those of these arguments that it may give."""
    known = [f"`{name}`" for name in names if name in tool.parameters.properties]
    return f"Narrow it with {' or '.join(known)}." if known else "It cannot be narrowed."


def resource_of(tool: KubernetesTool, arguments: Arguments) -> Resource:
    """The resource that a call names. Raises ArgumentError for one that is not granted."""
    wanted = str(arguments["resource"])
    found = find(tool, wanted)
    if found is None:
        names = ", ".join(item.resource for item in granted(tool))
        raise ArgumentError(f"`{wanted[:60]}` is not granted; {tool.name} is for: {names}")
    return found


def namespace_of(tool: KubernetesTool, arguments: Arguments) -> str:
    """The namespace that a call names, or the default. Raises ArgumentError for one that is not granted."""
    allowed = tool.namespaces or [CONNECTION.namespace]
    default = allowed[0] if allowed != ["*"] else CONNECTION.namespace
    wanted = str(arguments.get("namespace") or default)
    if allowed != ["*"] and wanted not in allowed:
        raise ArgumentError(f"namespace `{wanted}` is not granted; {tool.name} is for: {', '.join(allowed)}")
    return wanted if wanted == "*" else name_of(wanted) or wanted


def path_of(tool: KubernetesTool, resource: Resource, arguments: Arguments) -> tuple[str, str]:
    """The path of a resource, and its namespace ("": none, "*": all). Raises ArgumentError."""
    if not resource.namespaced:
        return f"{resource.path}/{resource.resource}", ""
    namespace = namespace_of(tool, arguments)
    if namespace == "*":
        return f"{resource.path}/{resource.resource}", "*"
    return f"{resource.path}/namespaces/{namespace}/{resource.resource}", namespace


def name_of(value: Any) -> str | None:
    """A name that cannot leave its place in the path. Raises ArgumentError."""
    if value in (None, ""):
        return None
    text = str(value)
    if not all(char.isalnum() or char in "-._:" for char in text) or text in (".", ".."):
        raise ArgumentError(f"`{text[:60]}` is not a name")
    return text


def positive(value: Any) -> int:
    """A whole number above zero. Raises ArgumentError."""
    try:
        number = int(value)
    except (TypeError, ValueError):
        number = 0
    if number < 1:
        raise ArgumentError(f"`{value}` is not a positive number")
    return number


def object_of(tool: KubernetesTool, arguments: Arguments) -> tuple[Resource, str, str]:
    """The resource, the path and the namespace of the one object that a call names. Raises ArgumentError."""
    resource = resource_of(tool, arguments)
    path, namespace = path_of(tool, resource, arguments)
    if namespace == "*":
        raise ArgumentError("`namespace` must name the namespace of the object")
    return resource, f"{path}/{name_of(arguments['name'])}", namespace


def title(resource: Resource, name: str, namespace: str) -> str:
    """An object in words, as kubectl names it."""
    full = f"{resource.resource}.{resource.group}".rstrip(".")
    return f"{full}/{name}" + (f" in namespace {namespace}" if namespace else "")
