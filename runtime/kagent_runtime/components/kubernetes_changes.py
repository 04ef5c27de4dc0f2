"""The operations that change something: each makes a plan, which is what a person approves and what is then done."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from kagent_runtime.components.cluster import ClusterError, send
from kagent_runtime.components.kubernetes_arguments import ArgumentError, Arguments, object_of, positive, title
from kagent_runtime.components.kubernetes_exec import exec_
from kagent_runtime.components.kubernetes_manifest import load_object, manifest_of, place_of
from kagent_runtime.components.kubernetes_nodes import cordon, drain, uncordon
from kagent_runtime.components.kubernetes_plan import (
    APPLY_PATCH,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    Patch,
    Plan,
    patched,
    read,
)
from kagent_runtime.components.kubernetes_rollouts import current_revision, revision_of, revisions
from kagent_runtime.model import KubernetesTool

_RESTARTED = "kubectl.kubernetes.io/restartedAt"


def _scale(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    name, wanted = title(resource, str(arguments["name"]), namespace), _replicas(arguments["replicas"])
    now = (read(f"{path}/scale", timeout).get("spec") or {}).get("replicas", 0)
    patch = Patch(f"{path}/scale", {"spec": {"replicas": wanted}}, MERGE_PATCH, timeout)
    patch.send(dry_run=True)

    def commit() -> str:
        patch.send(dry_run=False)
        return f"{name} scaled from {now} to {wanted} replicas"

    return Plan(f"scale {name} from {now} to {wanted} replicas", commit)


def _replicas(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ArgumentError(f"`replicas` must be a whole number from 0 up, not `{value}`")
    return value


def _restart(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    name = title(resource, str(arguments["name"]), namespace)
    stamp = {_RESTARTED: datetime.now(UTC).isoformat(timespec="seconds")}
    body = {"spec": {"template": {"metadata": {"annotations": stamp}}}}
    patch = Patch(path, body, MERGE_PATCH, timeout)
    planned = patch.send(dry_run=True)
    spec, status = planned.get("spec") or {}, planned.get("status") or {}
    if spec.get("paused"):
        raise ArgumentError(f"{name} is paused, so a restart would do nothing")
    pods = spec.get("replicas", status.get("desiredNumberScheduled", 0))

    def commit() -> str:
        patch.send(dry_run=False)
        return f"{name} restarts its {pods} pods. See kubectl-rollout-status for how far it is."

    return Plan(f"restart the {pods} pods of {name}, one after the other", commit)


def _undo(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    live = read(path, timeout)
    name = title(resource, str(arguments["name"]), namespace)
    found = revisions(live, resource, path, timeout)
    if (live.get("spec") or {}).get("paused"):
        raise ArgumentError(f"{name} is paused: it cannot be rolled back")
    now = current_revision(live, found)
    earlier = [one.number for one in found if one.number < now]
    if not arguments.get("revision") and not earlier:
        raise ArgumentError(f"{name} has no revision before {now} to go back to")
    target = revision_of(found, positive(arguments.get("revision") or earlier[-1]), name)
    form = JSON_PATCH if resource.resource == "deployments" else STRATEGIC_PATCH
    plan = patched(Patch(path, target.patch, form, timeout), live, resource, name, "changed")
    head = f"roll {name} back from revision {now} to {target.number}"
    return Plan(f"{head}\n{plan.preview}", lambda: f"{head}: {plan.commit()}")


def _apply(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    wanted = manifest_of(str(arguments["manifest"]))
    resource, path, namespace = place_of(tool, wanted)
    name = title(resource, wanted["metadata"]["name"], namespace)
    live: dict[str, Any] | None = None
    try:
        live = read(path, timeout)
    except ClusterError as error:
        if error.status != 404:
            raise
        if not tool.may_create:
            raise ArgumentError(f"{name} does not exist, and {tool.name} may not create it") from None
    patch = Patch(path, wanted, APPLY_PATCH, timeout, force=arguments.get("force") is True)
    try:
        return patched(patch, live, resource, name, "configured")
    except ClusterError as error:
        if error.status == 409:
            hint = "leave the field out of the manifest, or set `force` to take it over"
            raise ClusterError(f"{error}. Another manager owns it: {hint}", 409) from None
        raise


def _patch(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    body = load_object(str(arguments["patch"]), "patch")
    return _merged(resource, path, namespace, body, arguments, timeout)


def _merged(resource: Any, path: str, namespace: str, body: Any, arguments: Arguments, timeout: float) -> Plan:
    live = read(path, timeout)
    name = title(resource, str(arguments["name"]), namespace)
    return patched(Patch(path, body, MERGE_PATCH, timeout), live, resource, name, "changed")


def _label(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    return _marked(tool, arguments, "labels", timeout)


def _annotate(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    return _marked(tool, arguments, "annotations", timeout)


def _marked(tool: KubernetesTool, arguments: Arguments, field: str, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    body = {"metadata": {field: _pairs(str(arguments[field]), field)}}
    return _merged(resource, path, namespace, body, arguments, timeout)


def _pairs(text: str, field: str) -> dict[str, str | None]:
    """`a=b c-` as a merge patch has it: null removes."""
    try:
        terms = shlex.split(text.replace("\n", " "))
    except ValueError:
        raise ArgumentError(f"`{field}` has a quote without its end") from None
    found: dict[str, str | None] = {}
    for term in terms:
        key, is_set, value = term.partition("=")
        if not is_set and not term.endswith("-"):
            raise ArgumentError(f"`{term[:60]}` in `{field}` is neither key=value nor key-")
        found[key if is_set else key[:-1]] = value if is_set else None
    if not found or "" in found:
        raise ArgumentError(f"`{field}` needs key=value or key-, with spaces between several")
    return found


def _delete(tool: KubernetesTool, arguments: Arguments, timeout: float) -> Plan:
    resource, path, namespace = object_of(tool, arguments)
    name, live = title(resource, str(arguments["name"]), namespace), read(path, timeout)
    metadata = live["metadata"]
    # The very object that was seen: not another one that has got its name since.
    body = {"kind": "DeleteOptions", "apiVersion": "v1", "propagationPolicy": "Background"}
    options: dict[str, Any] = body | {"preconditions": {"uid": metadata["uid"]}}
    # In the body: the API server takes no option from the query when there are some in the body.
    send("DELETE", path, {}, timeout, body=options | {"dryRun": ["All"]})
    owners = ", ".join(f"{one.get('kind')}/{one.get('name')}" for one in metadata.get("ownerReferences") or [])
    about = [f"delete {name}", f"created: {metadata.get('creationTimestamp')}", f"uid: {metadata['uid']}"]
    about += [f"owned by {owners}, which may make it again"] if owners else []
    about += [f"finalizers: {', '.join(metadata['finalizers'])}"] if metadata.get("finalizers") else []

    def commit() -> str:
        send("DELETE", path, {}, timeout, body=options)
        return f"{name} deleted" + (f"; {about[-1]}" if owners else "")

    return Plan("\n".join(about), commit)


CHANGES: dict[str, Callable[[KubernetesTool, Arguments, float], Plan]] = {
    "scale": _scale,
    "rollout-restart": _restart,
    "rollout-undo": _undo,
    "apply": _apply,
    "patch": _patch,
    "label": _label,
    "annotate": _annotate,
    "delete": _delete,
    "cordon": cordon,
    "uncordon": uncordon,
    "drain": drain,
    "exec": exec_,
}
