"""ExternalSecret for every Secret that the specs name, when the Platform has a store.

Workloads of one namespace may share a Secret, so these are rendered for all of them together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.lower import Pods, Workload
from kagent_render.targets.objects import RenderedObject
from kagent_render.targets.templating import render

_MANAGED_BY = {"app.kubernetes.io/managed-by": "kagent-render"}


def shared_objects(workloads: Sequence[Pods]) -> Iterator[RenderedObject]:
    """One ExternalSecret a Secret and namespace, with all keys that any workload reads."""
    keys: dict[tuple[str, str], set[str]] = {}
    owners: dict[tuple[str, str], Pods] = {}
    for workload in workloads:
        for secret, key in _secret_keys(workload):
            place = (workload.namespace or "", secret)
            keys.setdefault(place, set()).add(key)
            owners.setdefault(place, workload)
    for (namespace, name), wanted in sorted(keys.items()):
        secrets = owners[namespace, name].platform.secrets
        if secrets is None:
            continue
        fields = {"name": name, "namespace": namespace or None, "labels": _MANAGED_BY}
        context = {
            "metadata": {key: value for key, value in fields.items() if value is not None},
            "name": name,
            "store": {"kind": secrets.store.kind, "name": secrets.store.name},
            "refresh_interval": secrets.refresh_interval,
            "remote_key": f"{secrets.key_prefix}{name}",
            "keys": sorted(wanted),
        }
        folder = f"{namespace}/" if namespace else ""
        data = render("external_secret/externalsecret.yaml.j2", context)
        yield RenderedObject(data, f"{folder}externalsecret-{name}.yaml", owners[namespace, name].origin)


def _secret_keys(workload: Pods) -> Iterator[tuple[str, str]]:
    """Every key of every Secret that the pod or a Component of its sidecar reads and that somebody has to provide."""
    for variable in workload.all_variables:
        if variable.secret:
            yield variable.secret, variable.key
    if isinstance(workload, Workload):
        yield from _of_agent(workload)


def _of_agent(workload: Workload) -> Iterator[tuple[str, str]]:
    for reference in workload.scaling.secrets if workload.scaling else ():
        yield reference.name, reference.key
    for mount in sorted(workload.needs.mounts):
        if mount.secret and not mount.is_issued:
            yield from ((mount.secret, key) for key, _ in mount.items)
    dapr = workload.platform.dapr
    for component in dapr.components if dapr else ():
        yield from ((ref.name, ref.key) for field in component.metadata if (ref := field.secret_key_ref))
