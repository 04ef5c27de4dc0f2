"""What a rendered object names must be rendered too: its account, its config, its scale target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kagent_render.diagnostics import Diagnostics
from kagent_render.targets.objects import RenderedObject


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics) -> None:
    """KR504 for a name that leads nowhere."""
    rendered = {item.identity[1:] for item in objects}
    for item in objects:
        namespace = item.identity[2]
        for kind, name in _references(item.data):
            if (kind, "" if kind.startswith("Cluster") else namespace, name) not in rendered:
                message = f"{item.data['kind']} `{item.identity[3]}` names the {kind} `{name}`, which is not rendered"
                diagnostics.add("KR504", message, item.origin)


def _references(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if data["kind"] == "Deployment" or data["apiVersion"].startswith("serving.knative.dev/"):
        pod = data["spec"]["template"]["spec"]
        yield "ServiceAccount", pod["serviceAccountName"]
        for volume in pod["volumes"]:
            # Others are the user's own, or a CA bundle that the platform team keeps.
            if volume["name"] in ("config", "python") and "configMap" in volume:
                yield "ConfigMap", volume["configMap"]["name"]
    elif data["kind"] in ("RoleBinding", "ClusterRoleBinding"):
        yield data["roleRef"]["kind"], data["roleRef"]["name"]
    elif data["kind"] == "ScaledObject":
        yield from _of_scaled_object(data["spec"])
    elif data["kind"] == "InterceptorRoute":
        yield "Service", data["spec"]["target"]["service"]


def _of_scaled_object(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"]
    for trigger in spec["triggers"]:
        if "authenticationRef" in trigger:
            yield "TriggerAuthentication", trigger["authenticationRef"]["name"]
        if trigger["type"] == "external-push":
            yield "InterceptorRoute", trigger["metadata"]["interceptorRoute"]
