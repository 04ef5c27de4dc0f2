"""Knative Service, in place of Deployment and Service: the same pod, in the form that Knative accepts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.targets import deployment, knative_rules
from kagent_render.targets.knative_pod import knative_pod
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import TemplateError, render

_VISIBILITY = "networking.knative.dev/visibility"


def check(workload: Workload) -> Iterator[Problem]:
    """What Knative's webhook would refuse."""
    if workload.is_knative:
        with suppress(TemplateError):  # which `objects` will report
            yield from knative_rules.problems(workload, deployment.deployment(workload)["spec"]["template"])
    elif "knative" in workload.places and workload.places["knative"].location[:2] == ("spec", "workload"):
        message = f"`{workload.name}` is a Deployment, which has no `knative`"
        yield Problem("KR529", message, ("knative",), "add type: Knative")


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One Service of serving.knative.dev; its route makes the Service of the same name."""
    if workload.is_knative:
        template = deployment.deployment(workload)["spec"]["template"]
        yield "knative-service.yaml", render("knative/service.yaml.j2", _service(workload, template))


def _service(workload: Workload, template: dict[str, Any]) -> dict[str, Any]:
    fields, knative = metadata(workload), workload.knative
    if knative.visibility == "cluster-local":
        labels = fields["labels"] | {_VISIBILITY: "cluster-local"}
        fields["labels"] = {key: labels[key] for key in sorted(labels)}
    annotations = template["metadata"]["annotations"] | _autoscaling(workload)
    return {
        "metadata": fields,
        "pod_labels": template["metadata"]["labels"],
        "pod_annotations": {key: annotations[key] for key in sorted(annotations)},
        "concurrency": knative.concurrency,
        "timeout": knative.timeout_seconds,
        "pod": {"imagePullSecrets": None} | knative_pod(template["spec"], workload.namespace),
    }


def _autoscaling(workload: Workload) -> dict[str, str]:
    # Only the template may carry them: on the Service itself the webhook refuses them.
    values = {
        "metric": "concurrency",
        "target": workload.knative.target,
        "min-scale": workload.knative.min_scale,
        "max-scale": workload.knative.max_scale,
        "window": f"{workload.knative.window_seconds}s",
    }
    return {f"autoscaling.knative.dev/{name}": str(value) for name, value in values.items()}
