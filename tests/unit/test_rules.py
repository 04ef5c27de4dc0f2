"""The rules beyond schemas: one changed field of a rendered object each, and what is said of it.

That they agree with a real API server is the matter of tests/e2e/test_apiserver_oracle.py.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import pytest

from kagent_render import rules
from kagent_render.rules import object_defects
from kagent_render.rules.grammar import (
    cidr,
    config_key,
    env_name,
    is_within,
    label,
    port_name,
    qualified_name,
    quantity,
)
from kagent_render.rules.registry import RULES
from tests.benchmarks.mutations import rendered_objects

OBJECTS = rendered_objects()
REMOVED = "(removed)"
CONTAINER = "spec.template.spec.containers.0"


def _first(kind: str, place: str) -> dict[str, Any]:
    """A rendered object of a kind that has something above the place."""
    keys = place.split(".")[:-1]
    return next(item for item in OBJECTS if item["kind"] == kind and _at(item, keys) is not None)


def _at(value: Any, keys: list[str]) -> Any:
    for key in keys:
        if isinstance(value, list):
            value = value[int(key)] if int(key) < len(value) else None
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value


def _changed(kind: str, place: str, value: Any) -> dict[str, Any]:
    item = copy.deepcopy(_first(kind, place))
    *above, last = place.split(".")
    parent = _at(item, above)
    if value is REMOVED:
        del parent[last]
    elif isinstance(parent, list):
        parent.insert(int(last), value)
    else:
        parent[last] = value
    return item


CHANGES: list[tuple[str, str, Any, str]] = [
    ("ConfigMap", "metadata.name", "Upper", "is not a lowercase DNS subdomain"),
    ("ConfigMap", "metadata.labels", {"a/b/c": "x"}, "has a prefix that is not a DNS subdomain"),
    ("ConfigMap", "metadata.labels", {"a": "-x"}, "is not a label's value"),
    ("ConfigMap", "metadata.annotations", {"a": "x" * (257 << 10)}, "more than 262,144"),
    ("ConfigMap", "data", {"a/b": "x"}, "is not the key of a ConfigMap"),
    ("Deployment", "spec.replicas", -1, "is less than 0"),
    ("Deployment", "spec.selector", {"matchLabels": {"a": "b"}}, "is not what `selector` selects"),
    ("Deployment", "spec.selector", {}, "is empty"),
    ("Deployment", "spec.strategy", {"type": "Sometimes"}, "one of Recreate, RollingUpdate"),
    ("Deployment", "spec.strategy", {"type": "Recreate", "rollingUpdate": {}}, "may not be there"),
    ("Deployment", "spec.strategy", {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}, "may not be 0"),
    ("Deployment", "spec.minReadySeconds", 700, "has to be more than"),
    ("Deployment", "spec.template.spec.restartPolicy", "Never", "has to be `Always`"),
    ("Deployment", "spec.template.spec.dnsPolicy", "Some", "is not accepted"),
    ("Deployment", "spec.template.spec.containers", [], "is missing"),
    ("Deployment", "spec.template.spec.tolerations", [{"key": "a", "operator": "Is"}], "is not accepted"),
    ("Deployment", "spec.template.spec.tolerations", [{"operator": "Equal"}], "has to be `Exists` without a key"),
    ("Deployment", "spec.template.spec.topologySpreadConstraints.0", {"maxSkew": 1}, "is missing"),
    ("Deployment", f"{CONTAINER}.image", "", "is missing"),
    ("Deployment", f"{CONTAINER}.imagePullPolicy", "Sometimes", "is not accepted"),
    ("Deployment", f"{CONTAINER}.name", "A", "is not a lowercase DNS label"),
    ("Deployment", f"{CONTAINER}.ports", [{"containerPort": 70000}], "is not from 0 to 65535"),
    ("Deployment", f"{CONTAINER}.ports", [{"containerPort": 1, "name": "a--b"}], "is not the name of a port"),
    ("Deployment", f"{CONTAINER}.env", [{"name": "A=B"}], "is not the name of an environment variable"),
    ("Deployment", f"{CONTAINER}.env", [{"name": "A", "valueFrom": {}}], "has no source"),
    (
        "Deployment",
        f"{CONTAINER}.env",
        [{"name": "A", "value": "x", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "may not be there beside `value`",
    ),
    (
        "Deployment",
        f"{CONTAINER}.env",
        [{"name": "A", "valueFrom": {"fieldRef": {"fieldPath": "metadata.nom"}}}],
        "is not accepted; one of metadata.name",
    ),
    ("Deployment", f"{CONTAINER}.livenessProbe.exec", {"command": ["a"]}, "is a second handler"),
    ("Deployment", f"{CONTAINER}.livenessProbe.httpGet", REMOVED, "has no handler"),
    ("Deployment", f"{CONTAINER}.livenessProbe.successThreshold", 2, "has to be 1"),
    ("Deployment", f"{CONTAINER}.resources", {"requests": {"cpu": "12Foo"}}, "is not a quantity"),
    ("Deployment", f"{CONTAINER}.resources", {"requests": {"cpu": 2}, "limits": {"cpu": "1"}}, "more than the limit"),
    ("Deployment", f"{CONTAINER}.resources", {"requests": {"disk": 2}}, "is not a resource"),
    ("Deployment", f"{CONTAINER}.securityContext.privileged", True, "`allowPrivilegeEscalation` is false"),
    ("Deployment", f"{CONTAINER}.securityContext.seccompProfile", {"type": "Localhost"}, "is missing for the type"),
    ("Deployment", f"{CONTAINER}.volumeMounts.0", {"name": "no", "mountPath": "/x"}, "is not a volume of the pod"),
    ("Deployment", f"{CONTAINER}.volumeMounts.0", {"name": "tmp", "mountPath": "/tmp"}, "is there twice"),
    ("Deployment", "spec.template.spec.volumes.0", {"name": "x", "emptyDir": {}, "secret": {}}, "second kind"),
    ("Deployment", "spec.template.spec.volumes.0", {"name": "x", "configMap": {}}, "is missing"),
    ("HTTPRoute", "spec.rules.0.backendRefs", [{"name": "a"}], "is missing for a Service"),
    ("HTTPRoute", "spec.rules.0.matches", [{"path": {"value": "x"}}], "does not begin with `/`"),
    ("InterceptorRoute", "spec.scalingMetric", {}, "has neither `concurrency`"),
    ("BackendTLSPolicy", "spec.validation.caCertificateRefs", [], "has neither"),
    ("NetworkPolicy", "spec.policyTypes", ["ingress"], "one of Ingress, Egress"),
    ("NetworkPolicy", "spec.egress", [{"to": [{}]}], "names no peer"),
    ("NetworkPolicy", "spec.egress", [{"to": [{"ipBlock": {"cidr": "10.0.0.1/33"}}]}], "is not a CIDR"),
    (
        "NetworkPolicy",
        "spec.egress",
        [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["11.0.0.0/9"]}}]}],
        "is not a smaller part",
    ),
    ("NetworkPolicy", "spec.egress", [{"ports": [{"port": "http", "endPort": 90}]}], "to be a number"),
    ("PersistentVolumeClaim", "spec.accessModes", ["Always"], "is not accepted"),
    ("PersistentVolumeClaim", "spec.resources", {"requests": {"storage": "0"}}, "is not a size"),
    ("PodDisruptionBudget", "spec.minAvailable", 1, "beside `maxUnavailable`"),
    ("PodDisruptionBudget", "spec.maxUnavailable", "101%", "more than 100%"),
    ("Role", "rules", [{"apiGroups": [""], "resources": ["pods"], "verbs": []}], "is missing"),
    ("Role", "rules", [{"nonResourceURLs": ["/x"], "verbs": ["get"]}], "may not be there in a Role"),
    ("RoleBinding", "roleRef.kind", "Roles", "one of Role, ClusterRole"),
    ("ClusterRoleBinding", "subjects.0.namespace", REMOVED, "is missing"),
    ("ScaledObject", "spec.minReplicaCount", 1000, "is more than `maxReplicaCount`"),
    ("Service", "spec.type", "Internal", "one of ClusterIP"),
    ("Service", "spec.ports", [{"port": 1}, {"port": 2}], "there are several ports"),
    ("Service", "spec.ports", [{"port": 0}], "is not a port"),
]


@pytest.mark.parametrize(("kind", "place", "value", "told"), CHANGES, ids=lambda value: str(value)[:60])
def test_what_the_server_refuses_is_named(kind: str, place: str, value: Any, told: str) -> None:
    """The object as it is rendered is well, and the changed one has this defect."""
    assert list(object_defects(_first(kind, place))) == []
    found = [defect.message for defect in object_defects(_changed(kind, place, value))]
    assert any(told in message for message in found), found


def test_every_kind_with_rules_is_rendered() -> None:
    """So that a rule for a kind that nobody renders does not stay untried."""
    assert set(RULES) <= {f"{item['apiVersion']} {item['kind']}" for item in OBJECTS}


def test_a_null_is_no_defect_and_no_crash() -> None:
    """The API server takes null for absent; so do the rules, wherever it may be."""
    item = copy.deepcopy(_first("Deployment", f"{CONTAINER}.ports"))
    item["spec"]["template"]["spec"] |= {"affinity": None, "tolerations": None, "hostAliases": None}
    _at(item, CONTAINER.split(".")).update(ports=None, lifecycle=None, envFrom=None)
    assert [defect for defect in object_defects(item) if "http" not in defect.message] == []


def test_the_name_of_a_service_is_freer_since_1_36() -> None:
    """RelaxedServiceNameValidation."""
    item = _changed("Service", "metadata.name", "1st")
    assert list(object_defects(item, "1.36")) == []
    (defect,) = object_defects(item, "1.35")
    assert "begins with a letter" in defect.message


@pytest.mark.parametrize(
    ("text", "amount"),
    [("1", "1"), ("100m", "0.1"), ("1Ki", "1024"), ("1e3", "1000"), (".5G", "500000000"), ("-1", "-1"), ("1.5.0", None)]
    + [(text, None) for text in ("", "Gi", "1 Gi", "1gi", "12Foo", "0x1", "1_0", "1\n")],
)
def test_quantities(text: str, amount: str | None) -> None:
    """As resource.ParseQuantity."""
    found = quantity(text)
    assert (None if found is None else float(found)) == (None if amount is None else float(amount))


@pytest.mark.parametrize(
    ("grammar", "good", "bad"),
    [
        (label, ["a", "a-b", "1", "x" * 63], ["", "A", "-a", "a.b", "x" * 64, "a\n"]),
        (qualified_name, ["a", "a.b/C_d", "x" * 63], ["", "/a", "a/", "a/b/c", "A/b", "x" * 64]),
        (port_name, ["http", "a1"], ["", "1", "-a", "a--b", "x" * 16, "A"]),
        (env_name, ["A", "a.b-c", "1 x"], ["", "A=B", "Ä", "a\n"]),
        (config_key, ["a", ".a", "A_b"], ["", ".", "..", "..a", "a/b", "x" * 254]),
        (cidr, ["10.0.0.0/8", "::/0", "10.0.0.1/32"], ["10.0.0.0", "10.0.0.0/33", "10.0.0.0/08", "x/8", "10.0.0.0/8 "]),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_grammars(grammar: Any, good: list[str], bad: list[str]) -> None:
    """What each takes and refuses."""
    assert [text for text in good if grammar(text)] == []
    assert [text for text in bad if not grammar(text)] == []


def test_parts_of_networks() -> None:
    """A strict subset only."""
    assert is_within("10.1.0.0/16", "10.0.0.0/8")
    assert not is_within("10.0.0.0/8", "10.0.0.0/8")
    assert not is_within("11.0.0.0/16", "10.0.0.0/8")
    assert not is_within("::/8", "0.0.0.0/0")


def test_every_module_of_rules_names_its_source() -> None:
    """Each subject cites the validation of Kubernetes, or the CRD, that it says again."""
    folder = Path(rules.__file__).parent
    without = [path.name for path in folder.glob("*.py") if not re.search(r"^Source: \S+", path.read_text(), re.M)]
    assert sorted(without) == ["__init__.py", "registry.py", "walk.py"]
