"""What a change means, one small change at a time; and that a difference reads the same from both sides."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import pytest

from kagent_render.compiler import compile_paths
from kagent_render.views import markdown, text
from kagent_render.views.blast_radius import Statement, WorkloadChange, blast_radius
from kagent_render.views.flow import Flow
from kagent_render.views.network import ANY, flows, in_words, not_covered
from kagent_render.views.object_diff import ABSENT, FieldChange, ObjectChange, changed_objects, compare
from tests.harness import CASES, EXAMPLES

Objects = list[dict[str, Any]]

AGENT = """\
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: a, namespace: ops}
spec:
  description: A
  systemMessage: |
    You are one.
    You can read.
  modelConfigRef: {name: m}
  tools: [{name: reader}]
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: reader}
spec: {type: kubernetes, description: Reads, kubernetes: {operation: get, resources: [pods]}}
---
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: gpt-4o, apiKeySecretRef: {name: openai, key: k}}
---
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: p}
spec: {image: "example.com/runtime:1", workload: {replicas: 1}}
"""


def _objects(*paths: Path) -> Objects:
    compilation = compile_paths([str(path) for path in paths])
    assert not compilation.diagnostics.has_errors
    return [json.loads(json.dumps(item.data)) for item in compilation.objects]


def _told(tmp_path: Path, old: str, new: str) -> set[tuple[str, ...]]:
    """The statements of replacing `old` by `new` in the agent: topic, sign, what, and the values there are."""
    assert old in AGENT
    rendered = []
    for name, content in (("before", AGENT), ("after", AGENT.replace(old, new))):
        (tmp_path / f"{name}.yaml").write_text(content)
        rendered.append(_objects(tmp_path / f"{name}.yaml"))
    changes = blast_radius(*rendered)
    assert [(change.namespace, change.name, change.action) for change in changes] == [("ops", "a", "changed")]
    return {
        (item.topic, item.sign, item.what, *(v for v in (item.old, item.new) if v and v != item.what))
        for item in changes[0].statements
    }


def test_permissions_gained_and_lost(tmp_path: Path) -> None:
    """By namespace and verbs; what stays is not told."""
    told = _told(tmp_path, "resources: [pods]", "resources: [pods, secrets, nodes, deploy]")
    assert {item for item in told if item[0] == "permissions"} == {
        ("permissions", "+", "get, list nodes cluster-wide"),
        ("permissions", "+", "get, list deployments, secrets in namespace ops"),
    }
    told = _told(tmp_path, "resources: [pods]", "resources: [pods], namespaces: [shop]")
    assert {item for item in told if item[0] == "permissions"} == {
        ("permissions", "+", "get, list pods in namespace shop"),
        ("permissions", "-", "get, list pods in namespace ops"),
    }


def test_a_verb_alone(tmp_path: Path) -> None:
    """`describe` does not list."""
    told = _told(tmp_path, "operation: get", "operation: describe")
    assert ("permissions", "-", "list pods in namespace ops") in told
    assert ("permissions", "+", "list events in namespace ops") in told


def test_egress_opened_and_closed(tmp_path: Path) -> None:
    """To a server in the cluster. The public port 443 stays open by the rule for the Kubernetes API: not told."""
    told = _told(tmp_path, "model: gpt-4o,", "model: x, baseUrl: 'http://vllm.models.svc:8000/v1',")
    assert {item for item in told if item[0] == "egress"} == {("egress", "+", "namespace models on TCP 8000")}
    told = _told(tmp_path, "  tools: [{name: reader}]\n", "")
    assert ("egress", "-", "0.0.0.0/0 and ::/0 on TCP 443, 6443") in told


def test_no_network_policy_is_everything(tmp_path: Path) -> None:
    """Turning the policies off is the widest opening there is."""
    told = _told(tmp_path, "spec: {image:", "spec: {networkPolicy: {enabled: false}, image:")
    assert told == {
        ("egress", "+", "any address on any port"),
        ("ingress", "+", "any address on any port"),
    }


def test_cilium_names_what_may_be_reached(tmp_path: Path) -> None:
    """Hosts in place of every public address; what both kinds of policy allow is no change."""
    told = _told(tmp_path, "spec: {image:", "spec: {networkPolicy: {provider: Cilium}, image:")
    assert told == {
        ("egress", "+", "api.openai.com on TCP 443"),
        ("egress", "+", "the Kubernetes API server on any port"),
        ("egress", "-", "0.0.0.0/0 and ::/0 except private ranges on TCP 443"),
        ("egress", "-", "0.0.0.0/0 and ::/0 on TCP 443, 6443"),
    }


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"toFQDNs": [{"matchPattern": "*.example.com"}]}, ["*.example.com on any port"]),
        ({"toEntities": ["world"]}, ["any address outside the cluster on any port"]),
        ({"toEntities": ["host"]}, ["entity host on any port"]),
        ({"toCIDR": ["10.0.0.0/8"]}, ["10.0.0.0/8 on any port"]),
        (
            {"toCIDRSet": [{"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}]},
            ["10.0.0.0/8 except 10.1.0.0/16 on any port"],
        ),
        (
            {"toServices": [{"k8sService": {"serviceName": "s"}}]},
            ['services {"k8sService": {"serviceName": "s"}} on any port'],
        ),
        ({"toEndpoints": [{}]}, ["its own namespace on any port"]),
        ({"toEndpoints": [{"matchLabels": {"app": "x"}}]}, ["pods app=x in its own namespace on any port"]),
        ({"toPorts": [{"ports": [{"port": "80", "endPort": 90, "protocol": "TCP"}]}]}, ["any address on TCP 80-90"]),
    ],
)
def test_each_peer_of_a_cilium_rule(rule: dict[str, Any], words: list[str]) -> None:
    """As one reads it; what has no words is shown as it is written."""
    policy = {"kind": "CiliumNetworkPolicy", "spec": {"endpointSelector": {}, "egress": [rule]}}
    assert in_words(flows([policy], "Egress")) == words
    assert flows([policy], "Ingress") == {ANY}


def test_an_exception_that_goes_is_told() -> None:
    """A wide rule covers a narrow one, unless it has a hole there."""
    wide = Flow('{"ipBlock": {"cidr": "0.0.0.0/0"}}', "TCP", "443")
    holed = Flow('{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}', "TCP", "443")
    inside = Flow('{"ipBlock": {"cidr": "10.1.0.0/16"}}', "TCP", "443")
    outside = Flow('{"ipBlock": {"cidr": "11.0.0.0/8"}}', "TCP", "443")
    six = Flow('{"ipBlock": {"cidr": "::/0"}}', "TCP", "443")
    assert not_covered([wide, holed, inside, outside, six], {holed}) == {wide, inside, six}
    assert not_covered([wide, holed, inside, outside, six], {wide}) == {six}
    assert not_covered([wide, six], {ANY}) == set()
    assert not_covered([wide], {Flow(wide.peer, "TCP", "80")}) == {wide}


@pytest.mark.parametrize(
    ("old", "new", "statement"),
    [
        (
            "spec: {model: gpt-4o, apiKeySecretRef: {name: openai, key: k}}",
            "spec: {model: gpt-4o, apiKeySecretRef: {name: other, key: k}}",
            ("secrets", "+", "Secret other key k as KAGENT_M_API_KEY"),
        ),
        (
            "apiKeySecretRef: {name: openai, key: k}",
            "baseUrl: 'https://x.example/v1'",
            ("secrets", "-", "Secret openai key k as KAGENT_M_API_KEY"),
        ),
        ("runtime:1", "runtime:2", ("image", "~", "image", "example.com/runtime:1", "example.com/runtime:2")),
        ("replicas: 1", "replicas: 3", ("scaling", "~", "replicas", "1", "3")),
        ("replicas: 1}", "replicas: 1, imagePullSecrets: [r]}", ("secrets", "+", "Secret r to pull images")),
        ("You can read.", "Obey.", ("prompt", "~", "a", "You are one.\nYou can read.\n", "You are one.\nObey.\n")),
        ("tools: [{name: reader}]", "tools: []", ("tools", "-", "a reader", "get pods in its own namespace")),
        (
            "{model: gpt-4o,",
            "{model: gpt-5,",
            (
                "model",
                "~",
                "a",
                "gpt-4o (OpenAI at https://api.openai.com/v1)",
                "gpt-5 (OpenAI at https://api.openai.com/v1)",
            ),
        ),
    ],
)
def test_one_statement(tmp_path: Path, old: str, new: str, statement: tuple[str, ...]) -> None:
    """Secret, image, replicas, prompt, tool, model."""
    assert statement in _told(tmp_path, old, new)


def test_a_config_change_alone_rolls_the_pods(tmp_path: Path) -> None:
    """The checksum is not shown, what it does is."""
    (tmp_path / "before.yaml").write_text(AGENT)
    (tmp_path / "after.yaml").write_text(AGENT.replace("You can read.", "Obey."))
    changes = changed_objects(_objects(tmp_path / "before.yaml"), _objects(tmp_path / "after.yaml"))
    assert [(item.kind, item.rolls_pods, len(item.fields)) for item in changes] == [
        ("ConfigMap", False, 1),
        ("Deployment", True, 0),
    ]


def test_fields() -> None:
    """Lists by name or content, absent and null apart, numbers and truth values apart."""
    one = {"a": [{"name": "x", "v": 1}, {"name": "y"}], "b": [1, 2], "c": None, "d": 1}
    other = {"a": [{"name": "y"}, {"name": "x", "v": 2}], "b": [2, 3, 4], "d": True}
    assert list(compare(one, other)) == [
        FieldChange("a[x].v", 1, 2),
        FieldChange("a (order)", ["x", "y"], ["y", "x"]),
        FieldChange("b[]", 1, ABSENT),
        FieldChange("b[]", ABSENT, 3),
        FieldChange("b[]", ABSENT, 4),
        FieldChange("c", None, ABSENT),
        FieldChange("d", 1, True),
    ]


RENDERED = {
    str(path.parent.name): path
    for path in [*CASES.glob("build/*/input"), *CASES.glob("views/*/input"), *EXAMPLES.glob("*/specs")]
}


@pytest.fixture(scope="module")
def rendered() -> dict[str, Objects]:
    """What every case and example renders."""
    return {name: _objects(path) for name, path in RENDERED.items()}


def _turned(change: WorkloadChange) -> WorkloadChange:
    signs, actions = {"+": "-", "-": "+", "~": "~"}, {"added": "removed", "removed": "added", "changed": "changed"}
    statements = tuple(Statement(s.topic, signs[s.sign], s.what, s.new, s.old) for s in change.statements)
    return WorkloadChange(change.namespace, change.name, change.kind, actions[change.action], statements)


def _unordered(changes: list[WorkloadChange]) -> list[tuple[Any, ...]]:
    return [(c.namespace, c.name, c.action, frozenset(c.statements)) for c in changes]


def test_nothing_differs_from_itself(rendered: dict[str, Objects]) -> None:
    """For everything there is; also in another order of the objects."""
    for objects in rendered.values():
        assert blast_radius(objects, objects[::-1]) == []
        assert changed_objects(objects, objects[::-1]) == []
    assert text.render([], []) == ""


def test_a_difference_is_mirrored(rendered: dict[str, Objects]) -> None:
    """What is gained one way is lost the other way, for every pair."""
    opposite = {"added": "removed", "removed": "added", "changed": "changed"}
    for one, other in itertools.combinations(rendered.values(), 2):
        there, back = blast_radius(one, other), blast_radius(other, one)
        assert _unordered(there) == _unordered([_turned(change) for change in back])
        forth, reverse = changed_objects(one, other), changed_objects(other, one)
        assert [_flat(item) for item in forth] == [_flat(item, turned=True) for item in reverse]
        assert [item.action for item in forth] == [opposite[item.action] for item in reverse]


def _flat(item: ObjectChange, turned: bool = False) -> tuple[Any, ...]:
    fields = [(f.path, f.new, f.old) if turned else (f.path, f.old, f.new) for f in item.fields]
    return (item.kind, item.namespace, item.name, item.rolls_pods, sorted(fields, key=str))


def test_a_comment_stays_below_the_limit_of_github() -> None:
    """And closes every fence it opens, whatever a prompt holds."""
    prompts = ["````\n</details>\n", "x" * 70_000, "```diff"]
    changes = [
        WorkloadChange("n", f"a{i}", "Agent", "changed", (Statement("prompt", "~", "a", "", prompt),))
        for i, prompt in enumerate(prompts)
    ]
    objects = [
        ObjectChange("changed", "ConfigMap", "n", "a", (FieldChange("p", "a\nb", prompt),)) for prompt in prompts
    ]
    shown = markdown.render(changes, objects)
    assert len(shown) < 65_536
    assert shown.count("`````diff\n") == shown.count("\n`````\n") == 1
    assert "too long for a comment" in shown
