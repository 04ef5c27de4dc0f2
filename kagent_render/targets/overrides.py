"""Templates of the user's in place of shipped ones: one file at a time, sandboxed, and held to the same object."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kagent_render.diagnostics import Diagnostics, Span, did_you_mean
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
    ("spec", "scaleTargetRef"),
    ("roleRef",),
)
_REQUIRED: dict[str, tuple[tuple[str, ...], ...]] = {
    "Deployment": (
        ("spec", "template", "metadata", "labels"),
        ("spec", "template", "spec", "containers"),
        ("spec", "template", "spec", "serviceAccountName"),
        ("spec", "template", "spec", "volumes"),
    ),
    "ConfigMap": (("data",),),
    "Role": (("rules",),),
    "ClusterRole": (("rules",),),
    "RoleBinding": (("subjects",),),
    "ClusterRoleBinding": (("subjects",),),
    "Service": (("spec", "ports"),),
}


@contextmanager
def overriding_templates(folder: str | None, diagnostics: Diagnostics) -> Iterator[None]:
    """Let templates in `folder` stand in for shipped ones while objects are rendered. A stray file is a KR403."""
    if folder is None:
        yield
        return
    names = frozenset(_checked_names(folder, diagnostics))
    with templating.overridden(templating.Overrides(Path(folder), names, _check)):
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
    """The names of the shipped templates, sorted."""
    root = templating.template_folder()
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*.j2"))


def _check(name: str, shipped: dict[str, Any], mine: dict[str, Any]) -> None:
    """Raise TemplateError where the user's object is another one, or has another shape."""
    for path in _HELD:
        if _at(shipped, path) != _at(mine, path):
            message = f"`{'.'.join(path)}` is not what the shipped template gives{_wanted(shipped, path)}"
            raise TemplateError(name, path, message, code="KR402")
    for path in _REQUIRED.get(shipped["kind"], ()):
        if not _at(mine, path):
            raise TemplateError(name, path, f"`{'.'.join(path)}` is missing", code="KR404")
    _check_shape(name, shipped, mine, ())


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
