"""Templates of the user's in place of shipped ones: one file at a time, sandboxed, and held to the same object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from kagent_render.diagnostics import Diagnostics, Span, did_you_mean
from kagent_render.rules import object_defects
from kagent_render.schemas import NEWEST
from kagent_render.targets import templating
from kagent_render.targets.templating import TemplateError

# What an object is, what other objects find pods by, and what no cluster lets change later.
_HELD: tuple[tuple[str, ...], ...] = (
    ("apiVersion",),
    ("kind",),
    ("metadata", "name"),
    ("metadata", "namespace"),
    ("spec", "selector"),
    ("spec", "podSelector"),
    ("spec", "endpointSelector"),
    ("spec", "targetRefs"),
    ("spec", "scaleTargetRef"),
    ("roleRef",),
)
# What each API requires, and what checks and views rely on; `*` is every item of a list. It is demanded of an object
# whose shipped counterpart has it. tests/cli/test_templates.py leaves out every line of every template in turn.
_POD = (
    "spec.template.metadata.annotations",
    "spec.template.metadata.labels",
    "spec.template.spec.containers.*.image",
    "spec.template.spec.serviceAccountName",
    "spec.template.spec.volumes",
)
_REQUIRED: dict[str, tuple[str, ...]] = {
    "BackendTLSPolicy": ("spec.validation.hostname",),
    "Certificate": ("spec.issuerRef", "spec.secretName"),
    "CiliumNetworkPolicy": ("spec",),
    "ClusterRole": ("rules",),
    "ClusterRoleBinding": ("subjects.*.name",),
    "Component": ("spec.metadata", "spec.type", "spec.version"),
    "ConfigMap": ("data",),
    "Deployment": _POD,
    "ExternalSecret": ("spec.data.*.remoteRef.key",),
    "HTTPRoute": ("spec.parentRefs.*.name",),
    "InterceptorRoute": ("spec.scalingMetric", "spec.target.service"),
    "NetworkPolicy": ("spec",),
    "PodDisruptionBudget": ("spec",),
    "PodMonitor": ("spec.podMetricsEndpoints",),
    "PrometheusRule": ("spec",),
    "ReferenceGrant": ("spec.from.*.kind", "spec.from.*.namespace", "spec.to.*.kind"),
    "Role": ("rules",),
    "RoleBinding": ("subjects.*.name",),
    "ScaledObject": ("spec.triggers",),
    "Service": ("spec.ports.*.port", *_POD),  # Knative's is one too
    "ServiceMonitor": ("spec.endpoints",),
    "Subscription": ("spec.pubsubname", "spec.routes", "spec.topic"),
    "TriggerAuthentication": ("spec.secretTargetRef.*.key", "spec.secretTargetRef.*.name"),
}


@contextmanager
def overriding_templates(folder: str | None, diagnostics: Diagnostics, minor: str = NEWEST) -> Iterator[None]:
    """Let templates in `folder` stand in for shipped ones while objects are rendered. A stray file is a KR403."""
    if folder is None:
        yield
        return
    names = frozenset(_checked_names(folder, diagnostics))
    with templating.overridden(templating.Overrides(Path(folder), names, partial(_check, minor))):
        yield


def _checked_names(folder: str, diagnostics: Diagnostics) -> Iterator[str]:
    root, known = Path(folder), shipped_templates()
    if not root.is_dir():
        diagnostics.add("KR403", f"`{folder}` is not a folder", Span(root.as_posix(), 1, 1))
        return
    for path in sorted(Path(base, name) for base, _, files in os.walk(root) for name in files if name[0] != "."):
        name, span = path.relative_to(root).as_posix(), Span(path.as_posix(), 1, 1)
        if not path.resolve().is_relative_to(root.resolve()):
            diagnostics.add("KR403", "the symbolic link leads outside the folder of templates", span)
        elif name in known:
            yield name
        elif name.endswith(".j2"):
            help = did_you_mean(name, known) or "shipped: " + ", ".join(known)
            diagnostics.add("KR403", f"there is no template `{name}` to stand in for", span, help=help)


def shipped_templates() -> list[str]:
    """The names of the templates that may be replaced, sorted: those of objects that are built from specs."""
    root = templating.template_folder()
    names = (path.relative_to(root).as_posix() for path in root.rglob("*.j2"))
    return sorted(name for name in names if not name.startswith(("argocd/", "flux/", "kustomize/")))


def _check(minor: str, name: str, shipped: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raise TemplateError where the user's object is another one, or has another shape."""
    for path in _HELD:
        if _at(shipped, path) != _at(mine, path):
            message = f"`{'.'.join(path)}` is not what the shipped template gives{_wanted(shipped, path)}"
            raise TemplateError(name, path, message, code="KR402")
    for required in _REQUIRED.get(shipped["kind"], ()):
        parts = tuple(required.split("."))
        missing = _missing(shipped, mine, parts)
        if missing is not None:
            raise TemplateError(name, missing, f"`{'.'.join(missing)}` is missing", code="KR404")
    _check_shape(name, shipped, mine, ())
    for defect in object_defects(mine, minor):
        path = tuple(str(part) for part in defect.path)
        raise TemplateError(name, path, f"`{'.'.join(path)}` {defect.message}", code="KR405")


def _missing(shipped: Any, mine: Any, parts: tuple[str, ...]) -> tuple[str, ...] | None:
    """The first part of a path that the shipped object has and the user's has not."""
    if not parts or not shipped:
        return None
    first, *rest = parts
    if first == "*":
        items = mine if isinstance(mine, list) else []
        found = (_missing(shipped[0], item, tuple(rest)) for item in items)
        lacking = next((path for path in found if path is not None), None)
        return None if lacking is None else ("*", *lacking)
    wanted = shipped.get(first) if isinstance(shipped, dict) else None
    given = mine.get(first) if isinstance(mine, dict) else None
    if wanted and not given:
        return (first,)
    below = _missing(wanted, given, tuple(rest))
    return None if below is None else (first, *below)


def _check_shape(name: str, shipped: Any, mine: Any, path: tuple[str, ...]) -> None:
    if mine is None or shipped is None:
        return
    if _form(shipped) != _form(mine):
        message = f"`{'.'.join(path)}` is {_form(mine)}, and has to be {_form(shipped)}"
        raise TemplateError(name, path, message, code="KR404")
    if isinstance(shipped, dict):
        for key, value in shipped.items():
            _check_shape(name, value, mine.get(key), (*path, key))
    elif isinstance(shipped, list) and shipped:
        for item in mine:
            if _form(item) != _form(shipped[0]):
                message = f"an item of `{'.'.join(path)}` is {_form(item)}, and has to be {_form(shipped[0])}"
                raise TemplateError(name, path, message, code="KR404")


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a scalar"


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for part in path:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _wanted(data: dict[str, Any], path: tuple[str, ...]) -> str:
    value = _at(data, path)
    return f": `{value}`" if isinstance(value, str) else ""
