"""Every rendered document is valid by Kubernetes' own schemas (strict: unknown fields refused) and the real CRDs'."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from kubernetes_validate import validate
from kubernetes_validate.utils import latest_version

from kagent_render.catalog.credentials import is_secret_name
from kagent_render.specs.secrets import has_secret
from tests.contract.crd_schema import load_crd_schemas
from tests.harness import CASES, EXAMPLES

CRDS = load_crd_schemas(Path(__file__).parent / "crds")
FILES = sorted([*EXAMPLES.glob("*/rendered/**/*.yaml"), *CASES.glob("build/*/expected/**/*.yaml")])
FILES = [path for path in FILES if path.name != "kustomization.yaml"]


def documents(path: Path) -> Iterator[dict[str, Any]]:
    yield from yaml.load_all(path.read_text(), yaml.CSafeLoader)


def check(document: dict[str, Any]) -> None:
    """Raise where the API server would refuse the document for its schema."""
    schema = CRDS.get((document["apiVersion"], document["kind"]))
    if schema is not None:
        jsonschema.Draft202012Validator(schema).validate(document)
    else:
        validate(document, latest_version(), strict=True)


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-5:]))
def test_the_document_is_valid(path: Path) -> None:
    """By the schema of its kind; a kind without a schema fails."""
    for document in documents(path):
        check(document)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("deployment.yaml", {"spec": {"replica": 1}}),
        ("service.yaml", {"spec": {"ports": "8080"}}),
        ("scaledobject.yaml", {"spec": {"triggers": [{"type": "cpu", "metadata": {"value": 80}}]}}),
        ("scaledobject.yaml", {"spec": {"minReplicas": 1}}),
    ],
)
def test_the_check_refuses_what_the_server_would(name: str, change: dict[str, Any]) -> None:
    """The schemas really are strict."""
    document = next(documents(next(path for path in FILES if path.name == name)))
    document["spec"] |= change["spec"]
    with pytest.raises(Exception, match=r"(?i)additional|unexpected|is not of type|not valid"):
        check(document)


@pytest.mark.parametrize("path", [path for path in FILES if path.name == "deployment.yaml"], ids=lambda p: p.parts[-2])
def test_the_pod_is_restricted(path: Path) -> None:
    """Pod Security `restricted`, and what it leaves open: read-only root, no token unless a tool needs one."""
    pod = next(documents(path))["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod.get("initContainers", ()), *pod["containers"]):
        security = container["securityContext"]
        assert security == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"startupProbe", "livenessProbe", "resources"} <= set(container)
        # A sidecar that is away does not take its agent out of the Service.
        assert ("readinessProbe" in container) == (container.get("restartPolicy") != "Always")


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name == "knative-service.yaml"], ids=lambda p: p.parts[-2]
)
def test_the_pod_of_knative_is_restricted(path: Path) -> None:
    """The same, all in the container: Knative takes no securityContext of a pod."""
    pod = next(documents(path))["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    (container,) = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert {"startupProbe", "livenessProbe", "readinessProbe", "resources"} <= set(container)


def test_no_manifest_carries_a_secret() -> None:
    """References only: no Secret object, no value from one."""
    for path in FILES:
        for document in documents(path):
            assert document["kind"] != "Secret"
            if document["kind"] == "Deployment":
                pod = document["spec"]["template"]["spec"]
                containers = (*pod.get("initContainers", ()), *pod["containers"])
                for variable in (item for container in containers for item in container.get("env", ())):
                    value = variable.get("value", "")
                    assert not has_secret(value), variable["name"]
                    assert not (value and is_secret_name(variable["name"]))


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name.startswith(("component-", "subscription"))], ids=str
)
def test_a_dapr_resource_is_scoped(path: Path) -> None:
    """Without scopes every application of the namespace may use it, and its credentials."""
    document = next(documents(path))
    pods = ("deployment.yaml", "knative-service.yaml")
    apps = [item for item in FILES if item.name in pods and path.parts[-2] in item.parts[-3:]]
    assert document["scopes"]
    assert set(document["scopes"]) <= {item.parts[-2] for item in apps}


@pytest.mark.parametrize("path", FILES, ids=lambda path: "/".join(path.parts[-5:]))
def test_every_label_and_annotation_is_a_string(path: Path) -> None:
    """Of the object and of its pods; the schemas leave metadata open."""
    document = next(documents(path))
    template = document.get("spec", {}).get("template", {}) if document["kind"] == "Deployment" else {}
    for metadata in (document["metadata"], template.get("metadata", {})):
        for values in (metadata.get("labels", {}), metadata.get("annotations", {})):
            assert all(isinstance(value, str) for value in values.values())
