"""What rendered objects mean, workload by workload: permissions, network, secrets, image, scaling, agents."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kagent_render.views import access, agents, callers, network, scaling
from kagent_render.views.flow import Flow

Object = Mapping[str, Any]
Key = tuple[str, str]
SHARED = "shared"

# By the label app.kubernetes.io/component of the pods.
_KINDS = {"agent-team": "AgentTeam", "mcp-server": "server of a Tool"}
# How a network policy of each kind names the pods that it is for.
_SELECTORS = {"NetworkPolicy": "podSelector", "CiliumNetworkPolicy": "endpointSelector"}


@dataclass(slots=True)
class Facts:
    """Of one workload. `values` maps topic and label to what holds there; what only is or is not, maps to itself."""

    kind: str
    permissions: set[access.Permission] = field(default_factory=set)
    egress: set[Flow] = field(default_factory=set)
    ingress: set[Flow] = field(default_factory=set)
    values: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, topic: str, text: str) -> None:
        """Something that is there or is not."""
        self.values[topic, text] = text


def facts_of(objects: Iterable[Object]) -> dict[Key, Facts]:
    """The facts of every workload, by namespace and name; ("ns", "") is what a namespace's workloads share."""
    items = list(objects)
    deployments = [item for item in items if is_workload(item)]
    found = {_key(item): _of_deployment(item, items) for item in deployments}
    accounts = {(_key(item)[0], _account(item)): _key(item) for item in deployments}
    for account, granted in access.permissions(items).items():
        # A binding without a Deployment still gives somebody something.
        found.setdefault(accounts.get(account, account), Facts("ServiceAccount")).permissions |= granted
    for item in items:
        if item["kind"] == "ScaledObject":
            target = (_key(item)[0], item["spec"]["scaleTargetRef"]["name"])
            found.setdefault(target, Facts(SHARED)).values["scaling", "scaling"] = _scaled(item, items)
        elif item["kind"] in _OTHER:
            key, topic, label, value = _OTHER[item["kind"]](item)
            found.setdefault(key, Facts(SHARED)).values[topic, label] = value
    return found


def is_workload(item: Object) -> bool:
    """Whether pods of an agent or a server come from this object: a Deployment, or a Service of Knative."""
    return item["kind"] == "Deployment" or str(item.get("apiVersion")).startswith("serving.knative.dev/")


def _key(item: Object) -> Key:
    return (item["metadata"].get("namespace") or "", item["metadata"]["name"])


def _account(deployment: Object) -> str:
    return str(_pod(deployment).get("serviceAccountName") or "default")


def _pod(deployment: Object) -> Mapping[str, Any]:
    spec: Mapping[str, Any] = deployment["spec"]["template"]["spec"]
    return spec


def _of_deployment(deployment: Object, items: Sequence[Object]) -> Facts:
    labels = deployment["spec"]["template"]["metadata"].get("labels") or {}
    facts = Facts(_KINDS.get(labels.get("app.kubernetes.io/component", ""), "Agent"))
    policies = list(_selecting(items, _key(deployment)[0], labels))
    facts.egress, facts.ingress = network.flows(policies, "Egress"), network.flows(policies, "Ingress")
    _add_pod(facts, _pod(deployment))
    facts.values["authentication", "callers"] = callers.in_words(_pod(deployment))
    if "replicas" in deployment["spec"]:
        facts.values["scaling", "replicas"] = str(deployment["spec"]["replicas"])
    if deployment["kind"] != "Deployment":
        facts.values["scaling", "scaling"] = scaling.knative_service(deployment)
    for file, text in _files(deployment, items):
        if file == "runtime.json":
            facts.values |= {(topic, label): value for topic, label, value in agents.facts(json.loads(text))}
        elif file.endswith(".py"):
            facts.values["code", file] = text
    return facts


def _selecting(items: Iterable[Object], namespace: str, labels: Mapping[str, str]) -> Iterator[Object]:
    for item in items:
        if item["kind"] in _SELECTORS and _key(item)[0] == namespace:
            wanted = (item["spec"].get(_SELECTORS[item["kind"]]) or {}).get("matchLabels") or {}
            if all(labels.get(key) == value for key, value in wanted.items()):
                yield item


def _files(deployment: Object, items: Iterable[Object]) -> Iterator[tuple[str, str]]:
    """The names and texts of the files that ConfigMaps among these objects put into the pod."""
    names = {volume["configMap"]["name"] for volume in _pod(deployment).get("volumes") or () if "configMap" in volume}
    for item in items:
        if item["kind"] == "ConfigMap" and _key(item)[0] == _key(deployment)[0] and item["metadata"]["name"] in names:
            yield from (item.get("data") or {}).items()


def _add_pod(facts: Facts, pod: Mapping[str, Any]) -> None:
    containers = [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]
    for container in containers:
        is_other = len(containers) > 1 and container["name"] != "agent"
        suffix = f" of container {container['name']}" if is_other else ""
        facts.values["image", f"image{suffix}"] = container.get("image") or "none"
        if resources := _resources(container.get("resources") or {}):
            facts.values["resources", f"resources{suffix}"] = resources
        for text in _secrets(container):
            facts.add("secrets", text)
    for volume in pod.get("volumes") or ():
        if "secret" in volume:
            facts.add("secrets", f"Secret {volume['secret'].get('secretName')} as files")
    for secret in pod.get("imagePullSecrets") or ():
        facts.add("secrets", f"Secret {secret['name']} to pull images")


def _secrets(container: Mapping[str, Any]) -> Iterator[str]:
    for variable in container.get("env") or ():
        if reference := (variable.get("valueFrom") or {}).get("secretKeyRef"):
            yield f"Secret {reference['name']} key {reference['key']} as {variable['name']}"
    for source in container.get("envFrom") or ():
        if reference := source.get("secretRef"):
            yield f"Secret {reference['name']}, every key, as variables"


def _resources(resources: Mapping[str, Any]) -> str:
    parts = []
    for side in ("requests", "limits"):
        if amounts := resources.get(side):
            parts.append(f"{side} " + ", ".join(f"{name} {amounts[name]}" for name in sorted(amounts)))
    return "; ".join(parts)


def _scaled(item: Object, items: Iterable[Object]) -> str:
    own = [other for other in items if other["kind"] == "InterceptorRoute" and _key(other)[0] == _key(item)[0]]
    return scaling.scaled_object(item["spec"], own)


def _route(item: Object) -> tuple[Key, str, str, str]:
    spec = item["spec"]
    parents = spec.get("parentRefs") or ()
    gateways = [f"{parent.get('namespace') or _key(item)[0]}/{parent['name']}" for parent in parents] or ["none"]
    text = f"{', '.join(spec.get('hostnames') or ['any host'])} through Gateway {', '.join(gateways)}"
    return _key(item), "routes", text, text


def _external_secret(item: Object) -> tuple[Key, str, str, str]:
    spec, (namespace, name) = item["spec"], _key(item)
    store = spec.get("secretStoreRef") or {}
    remote = [entry["remoteRef"] for entry in spec.get("data") or () if "remoteRef" in entry]
    keys = sorted({f"{entry['key']} {entry.get('property', '')}".strip() for entry in remote})
    keys += [json.dumps(entry, sort_keys=True) for entry in spec.get("dataFrom") or ()]
    value = f"{store.get('kind', 'SecretStore')} {store.get('name', '(named by each key)')}: {', '.join(keys)}"
    return (namespace, ""), "store", f"Secret {name}", value


def _claim(item: Object) -> tuple[Key, str, str, str]:
    spec, (namespace, name) = item["spec"], _key(item)
    size = ((spec.get("resources") or {}).get("requests") or {}).get("storage", "no size")
    value = ", ".join([size, *([f"class {spec['storageClassName']}"] if spec.get("storageClassName") else [])])
    owner = (item["metadata"].get("labels") or {}).get("app.kubernetes.io/name") or name
    return (namespace, owner), "storage", f"PersistentVolumeClaim {name}", value


def _interceptor_route(item: Object) -> tuple[Key, str, str, str]:
    hosts = [host for rule in item["spec"].get("rules") or () for host in rule.get("hosts") or ()]
    text = f"{', '.join(hosts or ['any host'])} through KEDA's interceptor"
    return _key(item), "routes", text, text


def _trigger_authentication(item: Object) -> tuple[Key, str, str, str]:
    names = [f"{entry['name']} key {entry['key']}" for entry in item["spec"].get("secretTargetRef") or ()]
    text = f"Secret {', '.join(names)} for KEDA's triggers"
    owner = (item["metadata"].get("labels") or {}).get("app.kubernetes.io/name") or _key(item)[1]
    return (_key(item)[0], owner), "secrets", text, text


_OTHER = {
    "TriggerAuthentication": _trigger_authentication,
    "HTTPRoute": _route,
    "InterceptorRoute": _interceptor_route,
    "ExternalSecret": _external_secret,
    "PersistentVolumeClaim": _claim,
}
