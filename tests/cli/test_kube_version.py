"""`--kube-version`: the same specs for each supported Kubernetes, and objects that one of them would not take."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from kagent_render.checks import check
from kagent_render.diagnostics import CODES, Diagnostics, Severity, Span
from kagent_render.schemas import MINORS, NEWEST, is_served, schema_of
from kagent_render.schemas.bundle import definition
from kagent_render.targets.objects import RenderedObject
from tests.harness import ROOT, kagent_render

SPECS = "examples/platform-team"
_README_ROW = re.compile(r"^\| (1\.\d+) \|", re.MULTILINE)


@pytest.mark.parametrize("version", [*MINORS, f"v{MINORS[0]}.4"])
def test_the_examples_are_taken_by_every_supported_version(version: str) -> None:
    """Also written as helm and kubectl write it."""
    found = kagent_render("check", SPECS, "--env", "prod", "--kube-version", version)
    assert (found.code, found.stdout) == (0, "")
    assert found.stderr.startswith("ok: ")


@pytest.mark.parametrize("command", ["build", "check"])
@pytest.mark.parametrize("version", ["1.2", "latest", "2", ""])
def test_another_version_is_a_usage_error(command: str, version: str) -> None:
    """Which names those that there are."""
    found = kagent_render(command, SPECS, "--kube-version", version)
    assert found.code == 2
    assert ", ".join(MINORS) in " ".join(found.stderr.split())


def _checked(data: dict[str, Any], minor: str = NEWEST) -> list[tuple[str, str]]:
    diagnostics = Diagnostics()
    check([RenderedObject(data, "f.yaml", Span("s.yaml", 3, 5))], diagnostics, minor)
    for item in diagnostics.in_order():
        assert item.span == Span("s.yaml", 3, 5)
    return [(item.code, item.message) for item in diagnostics.in_order()]


def _object(api_version: str, kind: str) -> dict[str, Any]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}


def test_what_a_version_does_not_serve_is_refused() -> None:
    """Removed long ago, and not there yet; the second is served later, but nobody has its schema here."""
    removed = _object("policy/v1beta1", "PodDisruptionBudget")
    message = f"PodDisruptionBudget `a`: Kubernetes {NEWEST} does not serve `policy/v1beta1 PodDisruptionBudget`"
    assert _checked(removed) == [("KR407", message)]
    new = _object("resource.k8s.io/v1", "ResourceClaim")
    assert [code for code, _ in _checked(new, "1.33")] == ["KR407"]
    assert [code for code, _ in _checked(new, "1.34")] == ["KR408"]


def test_an_unknown_kind_is_never_passed_over() -> None:
    """Neither a CRD's that is not bundled, nor an old version of one that is."""
    for kind in (("example.com/v1", "Thing"), ("keda.sh/v1beta9", "ScaledObject")):
        assert [code for code, _ in _checked(_object(*kind))] == ["KR408"]


def test_a_field_that_a_version_lacks_is_refused() -> None:
    """`hostnameOverride` of a pod came with 1.34."""
    assert "hostnameOverride" not in _fields("1.33")
    assert "hostnameOverride" in _fields(NEWEST)


def _fields(minor: str) -> set[str]:
    return set(definition("io.k8s.api.core.v1.PodSpec", minor)["properties"])


def test_a_pod_that_is_not_restricted_is_a_warning() -> None:
    """Not every namespace enforces it; the object itself is well."""
    labels = {"app": "a"}
    pod = {"containers": [{"name": "a", "image": "a"}], "serviceAccountName": "a", "volumes": []}
    spec = {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}, "spec": pod}}
    found = [code for code, _ in _checked(_object("apps/v1", "Deployment") | {"spec": spec})]
    assert found == ["KR504"] + ["KR409"] * 4
    assert CODES["KR409"].severity is Severity.WARNING


def test_kinds_of_kubernetes_are_told_from_others() -> None:
    """None is for groups of CRDs, of which the version says nothing."""
    assert is_served("v1", "Pod", NEWEST) is True
    assert is_served("v1", "Pods", NEWEST) is False
    assert is_served("keda.sh/v1alpha1", "ScaledObject", NEWEST) is None
    assert schema_of("v1", "Pod") is None


def test_the_readme_lists_what_there_is() -> None:
    """The versions of the bundle, each once, and of the control plane that the tests start."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = readme.partition("### Kubernetes versions\n")[2].partition("\n#")[0]
    assert tuple(_README_ROW.findall(section)) == MINORS
    go_mod = Path(ROOT, "tests/e2e/controlplane/go.mod").read_text(encoding="utf-8")
    built = re.search(r"k8s\.io/kubernetes v(1\.\d+)\.\d+", go_mod)
    assert built
    live = [row for row in section.splitlines() if row.startswith(f"| {built[1]} |")]
    assert ["real API server" in row for row in live] == [True]
    assert sum("real API server" in row for row in section.splitlines() if row.startswith("| 1.")) == 1
