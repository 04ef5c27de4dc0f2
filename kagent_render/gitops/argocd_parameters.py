"""What an Application tells the plugin. Source: Argo CD docs/operator-manual/config-management-plugins.md.

Only the JSON of ARGOCD_APP_PARAMETERS is read: the PARAM_* variables beside it overwrite each other silently. It is
absent when the Application has no plugin block, and `null` when that has no parameters.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kagent_render.diagnostics import did_you_mean

_FORMS = {"env": "string", "namespace": "string", "paths": "array", "set": "map"}
_TITLES = {"env": "Environment", "namespace": "Namespace", "paths": "Paths", "set": "Set fields"}
_TOOLTIPS = {
    "namespace": "For specs without one; default: the Application's destination namespace.",
    "paths": "Folders and files with specs, from the Application's path.",
    "set": "Fields of specs, such as Agent/helper:spec.workload.replicas = 2.",
}


class ParameterError(Exception):
    """A parameter of the Application is not one that can be used; the text says which, and what would be."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What to compile, and how."""

    environment: str | None = None
    namespace: str | None = None
    paths: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()


def read_parameters(environment: Mapping[str, str]) -> Parameters:
    """From the plugin's environment variables; an Application's parameter wins over its `plugin.env`.

    Raises ParameterError.
    """
    given = _given(environment.get("ARGOCD_APP_PARAMETERS", ""))
    settings = given.get("set") or {}
    return Parameters(
        given.get("env") or environment.get("ARGOCD_ENV_KAGENT_RENDER_ENV") or None,
        given.get("namespace")
        or environment.get("ARGOCD_ENV_KAGENT_RENDER_NAMESPACE")
        or environment.get("ARGOCD_APP_NAMESPACE")
        or None,
        tuple(given.get("paths") or ()),
        tuple(f"{key}={settings[key]}" for key in sorted(settings)),
    )


def _given(text: str) -> dict[str, Any]:
    try:
        entries = json.loads(text) if text else None
    except ValueError:
        raise ParameterError("ARGOCD_APP_PARAMETERS is not JSON") from None
    if entries is None:
        return {}
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ParameterError("ARGOCD_APP_PARAMETERS is not a list of objects")
    found: dict[str, Any] = {}
    for entry in entries:
        name = entry.get("name")
        if name not in _FORMS:
            raise ParameterError(f"unknown parameter `{name}`; {did_you_mean(str(name), _FORMS) or _there_are()}")
        found[name] = _value(name, entry)
    return found


def _there_are() -> str:
    return f"there are: {', '.join(_FORMS)}"


def _value(name: str, entry: Mapping[str, Any]) -> Any:
    """The value in the form that the parameter has; None for an entry with nothing but its name."""
    form = _FORMS[name]
    other = [key for key in ("string", "array", "map") if key != form and entry.get(key)]
    if other:
        raise ParameterError(f"parameter `{name}` is given as `{other[0]}`; it is a `{form}`")
    value = entry.get(form)
    parts = [value] if form == "string" else list(value.values()) if isinstance(value, dict) else value
    if value is not None and not (isinstance(parts, list) and all(isinstance(part, str) for part in parts)):
        raise ParameterError(f"parameter `{name}` is not a {form} of texts")
    return value


def announcement(environments: Sequence[str], parameters: Parameters) -> list[dict[str, Any]]:
    """The parameters as Argo CD's page shows them, with the values that hold without any."""
    known = ", ".join(environments)
    env = f"Merges environments/NAME over the specs; one of: {known}" if known else "There is no folder environments/."
    values: dict[str, Any] = {
        "env": parameters.environment or "",
        "namespace": parameters.namespace or "",
        "paths": list(parameters.paths or (".",)),
        "set": dict(setting.split("=", 1) for setting in parameters.settings),
    }
    tooltips = {"env": env, **_TOOLTIPS}
    return [
        {"name": name, "title": _TITLES[name], "tooltip": tooltips[name], "collectionType": form, form: values[name]}
        for name, form in _FORMS.items()
    ]
