"""What Knative's webhook refuses and no spec of the build cases asks for: parts that features and tools add."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kagent_render.catalog.base import ContainerPort, Contribution, Mount, Problem, Variable
from kagent_render.compiler import compile_paths
from kagent_render.lower import Workload
from kagent_render.targets import deployment, keda, knative, knative_rules
from kagent_render.targets.knative_pod import knative_pod

SPECS = """
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: x, baseUrl: "http://m:1/v1"}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: a}
spec:
  description: d
  systemMessage: s
  modelConfigRef: {name: m}
  workload: {type: Knative, knative: {minScale: 1, maxScale: 1}}
"""


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    """An agent that Knative runs, with nothing to complain about."""
    (tmp_path / "specs.yaml").write_text(SPECS)
    (found,) = compile_paths([str(tmp_path)], namespace="home").workloads
    return found


def _messages(problems: Iterator[Problem]) -> list[str]:
    return [f"{problem.code} {problem.message}" for problem in problems]


def _with(workload: Workload, needs: Contribution) -> Workload:
    return replace(workload, needs=workload.needs | needs)


def test_nothing_is_refused_by_default(workload: Workload) -> None:
    """The pod of every agent fits."""
    assert _messages(knative.check(workload)) == []


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (Contribution(ports=frozenset({ContainerPort("metrics", 9090)})), "a second port, `metrics` 9090"),
        (Contribution(ports=frozenset({ContainerPort("management", 8081)})), "a second port, `management` 8081"),
        (Contribution(variables=frozenset({Variable("PORT", "1")})), "the variable `PORT`"),
        (Contribution(variables=frozenset({Variable("K_REVISION", "1")})), "the variable `K_REVISION`"),
        (Contribution(mounts=frozenset({Mount("data", "/data", claim="c")})), "the PersistentVolumeClaim `data`"),
        (
            Contribution(mounts=frozenset({Mount("keys", "/keys", secret="s", is_read_only=False)})),
            "the writable volume `keys`",
        ),
    ],
)
def test_what_knative_refuses_is_refused(workload: Workload, needs: Contribution, message: str) -> None:
    """Whichever feature or tool adds it."""
    assert f"KR530 Knative refuses {message}" in _messages(knative.check(_with(workload, needs)))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (("hostNetwork",), True, "`hostNetwork`"),
        (("initContainers",), [], "`initContainers`"),
        (("securityContext", "supplementalGroups"), [1], "`securityContext.supplementalGroups`"),
        (("containers", 0, "lifecycle"), {}, "`lifecycle` of the container"),
        (("containers", 1), {"name": "proxy"}, "the container `proxy` beside the agent"),
        (
            ("containers", 0, "env", 1),
            {"name": "IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
            "the source of `IP`",
        ),
    ],
)
def test_what_a_template_adds_is_refused_and_never_dropped(
    workload: Workload, place: tuple[str | int, ...], value: object, message: str
) -> None:
    """A Deployment may have it; Knative would refuse it, and leaving it out in silence would be worse."""
    template = copy.deepcopy(deployment.deployment(workload)["spec"]["template"])
    target = template["spec"]
    for part in place[:-1]:
        target = target[part]
    if isinstance(target, list):
        target.append(value)
    else:
        target[place[-1]] = value
    assert f"KR530 Knative refuses {message}" in _messages(knative_rules.problems(workload, template))
    assert knative_pod(template["spec"], "home")["containers"]


def test_a_writable_empty_dir_is_accepted(workload: Workload) -> None:
    """The one kind of volume that may be written to."""
    mount = Mount("cache", "/cache", size_limit="1Gi", is_read_only=False)
    assert _messages(knative.check(_with(workload, Contribution(mounts=frozenset({mount}))))) == []


def test_the_namespace_is_a_value_and_left_out_when_not_known(workload: Workload) -> None:
    """`fieldRef` is off in Knative's default features; the runtime then reads the namespace beside its token."""
    pod = deployment.deployment(workload)["spec"]["template"]["spec"]
    assert pod["containers"][0]["env"][0]["valueFrom"]
    assert knative_pod(pod, "home")["containers"][0]["env"][0] == {"name": "POD_NAMESPACE", "value": "home"}
    names = {item["name"] for item in knative_pod(pod, None)["containers"][0]["env"]}
    assert names == {"KAGENT_AUTH"}


def test_keda_never_targets_knative(workload: Workload, tmp_path: Path) -> None:
    """Even if both were asked for, which is refused."""
    scaled = SPECS.replace("knative: {minScale: 1, maxScale: 1}", "scaling: {triggers: [{type: cpu, utilization: 80}]}")
    (tmp_path / "specs.yaml").write_text(scaled)
    compilation = compile_paths([str(tmp_path)], namespace="home")
    (both,) = compilation.workloads
    assert both.scaling is not None
    assert list(keda.objects(both)) == []
    assert compilation.objects == ()
