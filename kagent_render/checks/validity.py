"""Every object is one that the API server would take, of the chosen minor version of Kubernetes, and admit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kagent_render.diagnostics import Diagnostics
from kagent_render.rules import object_defects, pod_security_defects
from kagent_render.schemas import Defect, is_served, schema_of
from kagent_render.targets.objects import RenderedObject


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics, minor: str) -> None:
    """KR406 for what the API server refuses, KR407 and KR408 for kinds, KR409 for pods that are not restricted."""
    for item in objects:
        kind, api_version = str(item.data["kind"]), str(item.data["apiVersion"])
        if schema_of(api_version, kind, minor) is None:
            _unknown(item, diagnostics, minor)
            continue
        found = False
        for defect in object_defects(item.data, minor):
            found = True
            diagnostics.add("KR406", f"{_name(item)}: {_told(defect)}", item.origin)
        if not found:
            _check_pod(item, diagnostics, minor)


def _unknown(item: RenderedObject, diagnostics: Diagnostics, minor: str) -> None:
    what = f"{item.data['apiVersion']} {item.data['kind']}"
    if is_served(item.data["apiVersion"], item.data["kind"], minor) is False:
        diagnostics.add("KR407", f"{_name(item)}: Kubernetes {minor} does not serve `{what}`", item.origin)
    else:
        diagnostics.add("KR408", f"{_name(item)}: there is no schema of `{what}` to check it with", item.origin)


def _check_pod(item: RenderedObject, diagnostics: Diagnostics, minor: str) -> None:
    template = pod_template(item.data)
    if template is None:
        return
    for defect in pod_security_defects(template.get("metadata") or {}, template["spec"], "restricted", minor):
        message = f"{_name(item)}: {_told(Defect(('spec', 'template', *defect.path), defect.message))}"
        diagnostics.add("KR409", message, item.origin, help="the level `restricted` of Pod Security refuses the pod")


def pod_template(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The template of the pods that an object makes, of a Deployment or of Knative's Service."""
    spec = data.get("spec")
    template = spec.get("template") if isinstance(spec, Mapping) else None
    is_pod = isinstance(template, Mapping) and "containers" in (template.get("spec") or {})
    return template if is_pod else None


def _name(item: RenderedObject) -> str:
    return f"{item.data['kind']} `{item.data['metadata'].get('name')}`"


def _told(defect: Defect) -> str:
    return f"`{'.'.join(str(part) for part in defect.path)}` {defect.message}"
