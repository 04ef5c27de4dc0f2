"""What we print for GitOps controllers is valid by the schemas of their own CustomResourceDefinitions."""

from __future__ import annotations

from pathlib import Path

import jsonschema
import pytest
import yaml

from tests.contract.crd_schema import load_crd_schemas
from tests.contract.test_manifests import check
from tests.harness import kagent_render

CRDS = load_crd_schemas(Path(__file__).parent / "gitops_crds")


@pytest.mark.parametrize("what", ["application", "applicationset"])
@pytest.mark.parametrize("environments", [["dev"], ["dev", "prod"]])
def test_argo_cds_objects_are_valid(what: str, environments: list[str]) -> None:
    flags = [flag for environment in environments for flag in ("--env", environment)]
    document = yaml.safe_load(kagent_render("argocd", "plugin", what, *flags).stdout)
    jsonschema.Draft202012Validator(CRDS[document["apiVersion"], document["kind"]]).validate(document)


def test_the_sidecar_is_a_valid_container() -> None:
    """The patch is one of a Deployment; with what a Deployment needs besides, it is one."""
    patch = yaml.safe_load(kagent_render("argocd", "plugin", "kustomize").stdout)
    labels = {"app.kubernetes.io/name": "argocd-repo-server"}
    patch["spec"]["selector"] = {"matchLabels": labels}
    patch["spec"]["template"]["metadata"] = {"labels": labels}
    check(patch)
