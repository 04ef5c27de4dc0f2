"""What the webhooks of KEDA, its HTTP add-on and Knative refuse beyond their schemas, over all that we render.

Written from their rules, not from our checks: kedacore/keda apis/keda/v1alpha1/scaledobject_webhook.go, the
`x-kubernetes-validations` of the CRDs, knative/serving pkg/apis/serving/k8s_validation.go and fieldmask.go.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import CASES, EXAMPLES

Object = dict[str, Any]
FILES = sorted([*EXAMPLES.glob("*/rendered/**/*.yaml"), *CASES.glob("build/*/expected/**/*.yaml")])
_WITHOUT_PODS = {"cron", "prometheus", "redis-streams", "nats-jetstream", "postgresql", "external-push"}
_POD_FIELDS = {"serviceAccountName", "automountServiceAccountToken", "enableServiceLinks", "imagePullSecrets"} | {
    "containerConcurrency",
    "timeoutSeconds",
    "containers",
    "volumes",
}
_VOLUME_SOURCES = {"configMap", "secret", "projected", "emptyDir"}
_RESERVED_VARIABLES = {"PORT", "K_SERVICE", "K_CONFIGURATION", "K_REVISION"}
_RESERVED_PORTS = {8008, 8012, 8013, 8022, 9090, 9091}


def _documents(path: Path) -> list[Object]:
    return [document for document in yaml.load_all(path.read_text(), yaml.CSafeLoader) if document]


def _deployment_of(scaled: Object, path: Path) -> Object:
    (found,) = _documents(path.with_name("deployment.yaml"))
    assert found["metadata"]["name"] == scaled["spec"]["scaleTargetRef"]["name"]
    return found


def _broken(rules: dict[str, bool]) -> list[str]:
    return [rule for rule, is_broken in rules.items() if is_broken]


def refused_by_keda(scaled: Object, deployment: Object) -> list[str]:
    """Why KEDA would refuse a ScaledObject for a Deployment."""
    spec, name = scaled["spec"], scaled["metadata"]["name"]
    least, triggers = spec["minReplicaCount"], spec["triggers"]
    sourced = [trigger for trigger in triggers if trigger["type"] in _WITHOUT_PODS]
    names = [trigger["name"] for trigger in triggers if "name" in trigger]
    own = {
        "target": spec["scaleTargetRef"] != {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "min over max": least > spec["maxReplicaCount"],
        "idle": "idleReplicaCount" in spec and not spec["idleReplicaCount"] == 0 < least,
        "nothing starts the first pod": least == 0 and not sourced,
        "fallback": "fallback" in spec and not sourced,
        "names": len(names) != len(set(names)),
        "pollingInterval": spec["pollingInterval"] < 1,
        "name": len(name) > 54,
        "replicas of the Deployment": "replicas" in deployment["spec"],
    }
    containers = deployment["spec"]["template"]["spec"]["containers"]
    return _broken(own) + [rule for trigger in triggers for rule in _refused_trigger(trigger, containers)]


def _refused_trigger(trigger: Object, containers: list[Object]) -> list[str]:
    metadata, type = trigger["metadata"], trigger["type"]
    measured = type in ("cpu", "memory")
    secret = re.compile(r"password|connection|token|username", re.IGNORECASE)
    rules = {
        "metadata": not all(isinstance(value, str) for value in metadata.values()),
        "request": measured and any(type not in item["resources"].get("requests", {}) for item in containers),
        "metricType": measured != (trigger.get("metricType") in ("Utilization", "AverageValue")),
        "cached": "useCachedMetrics" in trigger and (measured or type == "cron"),
        "cron": type == "cron" and (metadata["start"] == metadata["end"] or int(metadata["desiredReplicas"]) < 1),
        "nats": "//" in metadata.get("natsServerMonitoringEndpoint", ""),
        "connection": type == "postgresql" and "authenticationRef" not in trigger,
        "secret in metadata": any(map(secret.search, metadata)),
    }
    return _broken(rules)


def refused_by_http_add_on(route: Object) -> list[str]:
    """Why an InterceptorRoute would be refused."""
    spec = route["spec"]
    hosts = [rule["hosts"] for rule in spec["rules"]]
    rules = {
        "port": ("port" in spec["target"]) == ("portName" in spec["target"]),
        "metric": not {"concurrency", "requestRate"} & set(spec["scalingMetric"]),
        "hosts": any(len(names) != len(set(names)) or not all(map(_is_host, names)) for names in hosts),
    }
    return _broken(rules)


def _is_host(text: str) -> bool:
    return text == "*" or bool(
        re.fullmatch(r"(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", text)
    )


def refused_by_knative(service: Object) -> list[str]:
    """Why Knative would refuse a Service, with its default features and limits."""
    template = service["spec"]["template"]
    spec, annotations = template["spec"], template["metadata"]["annotations"]
    scale = {key.rpartition("/")[2]: text for key, text in annotations.items() if key.startswith("autoscaling.")}
    sources = {volume["name"]: next(iter(set(volume) - {"name"})) for volume in spec["volumes"]}
    rules = {
        "autoscaling on the Service": any("autoscaling." in key for key in service["metadata"].get("annotations", {})),
        "name": "name" in template["metadata"] or len(service["metadata"]["name"]) > 57,
        "scale": int(scale["min-scale"]) > int(scale["max-scale"]),
        "window": not 6 <= int(scale["window"].removesuffix("s")) <= 3600,
        "annotations": not all(isinstance(text, str) for text in annotations.values()),
        "bounds": spec["timeoutSeconds"] > 600 or spec["containerConcurrency"] > 1000,
        "token": spec["automountServiceAccountToken"] is not False,
        "containers": len(spec["containers"]) != 1,
    }
    rules |= {f"pod field {field}": field not in _POD_FIELDS for field in spec}
    rules |= {f"volume {name}": source not in _VOLUME_SOURCES for name, source in sources.items()}
    return _broken(rules) + _refused_container(spec["containers"][0], sources)


def _refused_container(container: Object, sources: dict[str, str]) -> list[str]:
    (port,) = container["ports"]
    probes = [value["httpGet"]["port"] for key, value in container.items() if key.endswith("Probe")]
    values = [key for variable in container["env"] for key in variable.get("valueFrom", {})]
    mounts = container["volumeMounts"]
    writable = [mount["name"] for mount in mounts if not mount.get("readOnly")]
    rules = {
        "port": port["name"] not in ("http1", "h2c") or port["protocol"] != "TCP",
        "reserved port": port["containerPort"] in _RESERVED_PORTS,
        "probe port": any(number not in (port["containerPort"], port["name"]) for number in probes),
        "container": container["name"] == "queue-proxy" or bool({"lifecycle", "stdin", "tty"} & set(container)),
        "variable": bool({variable["name"] for variable in container["env"]} & _RESERVED_VARIABLES),
        "fieldRef": bool(set(values) - {"secretKeyRef", "configMapKeyRef"}),
        "mounts": {mount["name"] for mount in mounts} != set(sources),
        "paths": len({mount["mountPath"] for mount in mounts}) != len(mounts),
        "writable": any(sources[name] != "emptyDir" for name in writable),
    }
    return _broken(rules)


def _violations(document: Object, path: Path) -> list[str]:
    if document["kind"] == "ScaledObject":
        return refused_by_keda(document, _deployment_of(document, path))
    if document["kind"] == "InterceptorRoute":
        return refused_by_http_add_on(document)
    return refused_by_knative(document)


def _rendered(path: Path) -> Iterator[Object]:
    for document in _documents(path):
        is_knative = document["apiVersion"].startswith("serving.knative.dev/")
        if document["kind"] in ("ScaledObject", "InterceptorRoute") or is_knative:
            yield document


OBJECTS = [(path, document) for path in FILES for document in _rendered(path)]


@pytest.mark.parametrize(
    ("path", "document"), OBJECTS, ids=[f"{path.parts[-4]}/{path.parent.name}/{path.stem}" for path, _ in OBJECTS]
)
def test_the_webhook_accepts_the_object(path: Path, document: Object) -> None:
    """None of the rules is broken."""
    assert _violations(document, path) == []


def test_every_kind_of_trigger_is_rendered_by_a_case() -> None:
    """A trigger that no case renders has been checked by nobody."""
    types = {
        trigger["type"] for _, item in OBJECTS if item["kind"] == "ScaledObject" for trigger in item["spec"]["triggers"]
    }
    assert types == _WITHOUT_PODS | {"cpu", "memory"}


def _set(*place: Any, value: Any) -> Callable[[Object], None]:
    def change(document: Object) -> None:
        target: Any = document
        for part in place[:-1]:
            target = target[part]
        target[place[-1]] = value

    return change


_POD = ("spec", "template", "spec")
_CONTAINER = (*_POD, "containers", 0)


@pytest.mark.parametrize(
    ("kind", "change", "rule"),
    [
        ("ScaledObject", _set("spec", "minReplicaCount", value=9), "min over max"),
        ("ScaledObject", _set("spec", "idleReplicaCount", value=0), "idle"),
        ("ScaledObject", _set("spec", "triggers", value=[]), "nothing starts the first pod"),
        ("ScaledObject", _set("spec", "pollingInterval", value=0), "pollingInterval"),
        ("ScaledObject", _set("spec", "scaleTargetRef", "kind", value="Service"), "target"),
        ("ScaledObject", _set("spec", "triggers", 0, "metadata", "lagCount", value=5), "metadata"),
        ("ScaledObject", _set("spec", "triggers", 1, "name", value="tasks"), "names"),
        ("InterceptorRoute", _set("spec", "target", "port", value=8080), "port"),
        ("InterceptorRoute", _set("spec", "scalingMetric", value={}), "metric"),
        ("InterceptorRoute", _set("spec", "rules", 0, "hosts", value=["a:80"]), "hosts"),
        ("Service", _set(*_POD, "nodeSelector", value={"disk": "ssd"}), "pod field nodeSelector"),
        ("Service", _set(*_POD, "securityContext", value={}), "pod field securityContext"),
        ("Service", _set(*_POD, "terminationGracePeriodSeconds", value=30), "pod field terminationGracePeriodSeconds"),
        ("Service", _set(*_POD, "timeoutSeconds", value=601), "bounds"),
        ("Service", _set(*_CONTAINER, "ports", 0, "name", value="http"), "port"),
        ("Service", _set(*_CONTAINER, "env", 0, "valueFrom", value={"fieldRef": {}}), "fieldRef"),
        ("Service", _set(*_CONTAINER, "ports", 0, "containerPort", value=8012), "reserved port"),
        ("Service", _set(*_CONTAINER, "env", 0, "name", value="PORT"), "variable"),
        ("Service", _set(*_CONTAINER, "readinessProbe", "httpGet", "port", value="http"), "probe port"),
        ("Service", _set(*_CONTAINER, "volumeMounts", 0, "readOnly", value=False), "writable"),
        ("Service", _set(*_POD, "volumes", 1, value={"name": "state", "persistentVolumeClaim": {}}), "volume state"),
        ("Service", _set("metadata", "annotations", value={"autoscaling.knative.dev/metric": "rps"}), "autoscaling on"),
    ],
)
def test_the_rules_refuse_what_the_webhook_would(kind: str, change: Callable[[Object], None], rule: str) -> None:
    """The rules above really look."""
    case = {"ScaledObject": "scaling-queues", "InterceptorRoute": "scaling-http", "Service": "knative"}[kind]
    path, document = next(item for item in OBJECTS if item[1]["kind"] == kind and case in item[0].parts)
    changed = copy.deepcopy(document)
    change(changed)
    assert any(found.startswith(rule) for found in _violations(changed, path))
