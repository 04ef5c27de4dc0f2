"""`flux scaffold`, and what is rendered so that Flux's substitution leaves it alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.contract.crd_schema import load_crd_schemas
from tests.harness import ROOT, kagent_render, tree

CRDS = load_crd_schemas(ROOT / "tests" / "contract" / "gitops_crds")
GIT, OCI = "https://git.example.com/agents.git", "oci://registry.example.com/agents"
SPECS = """\
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: gpt-4o, apiKeySecretRef: {name: key, key: key}}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: helper, namespace: ops}
spec:
  description: Helps
  systemMessage: Say PROMPT.
  modelConfigRef: {name: m}
  workload: {env: [{name: GREETING, value: "VALUE"}]}
"""


def scaffold(folder: Path, repository: str, *flags: str) -> dict[str, str]:
    done = kagent_render("flux", "scaffold", ".", "--repo", repository, "-e", "dev", "-e", "prod", *flags, cwd=folder)
    assert done.code == 0, done.stderr
    return tree(folder)


@pytest.mark.parametrize("repository", [GIT, OCI])
@pytest.mark.parametrize("flags", [[], ["--path", "teams/blue/", "--depends-on", "keda", "--depends-on", "issuers"]])
def test_the_objects_are_valid_and_prune_and_wait(tmp_path: Path, repository: str, flags: list[str]) -> None:
    files = scaffold(tmp_path, repository, *flags)
    assert [*files] == [".github/workflows/agents.yaml", "clusters/dev/agents.yaml", "clusters/prod/agents.yaml"]
    for environment in ("dev", "prod"):
        source, kustomization = yaml.safe_load_all(files[f"clusters/{environment}/agents.yaml"])
        for document in (source, kustomization):
            jsonschema.Draft202012Validator(CRDS[document["apiVersion"], document["kind"]]).validate(document)
        spec = kustomization["spec"]
        assert (spec["prune"], spec["wait"], "targetNamespace" in spec) == (True, True, False)
        assert spec["sourceRef"] == {"kind": source["kind"], "name": source["metadata"]["name"]}
        assert [item["name"] for item in spec.get("dependsOn", [])] == flags[3::2]


def test_a_folder_of_each_environment_or_a_tag(tmp_path: Path) -> None:
    def read(folder: str, repository: str, *flags: str) -> list[Any]:
        (tmp_path / folder).mkdir()
        return list(yaml.safe_load_all(scaffold(tmp_path / folder, repository, *flags)["clusters/prod/agents.yaml"]))

    assert read("a", GIT)[1]["spec"]["path"] == "./rendered/prod"
    assert read("b", GIT, "--path", "./teams/blue/")[1]["spec"]["path"] == "./teams/blue/rendered/prod"
    source, kustomization = read("c", OCI, "--path", "teams/blue")
    assert (source["spec"]["ref"], kustomization["spec"]["path"]) == ({"tag": "prod"}, "./")


@pytest.mark.parametrize("repository", [GIT, OCI])
def test_the_workflow_renders_every_environment(tmp_path: Path, repository: str) -> None:
    """Its commands are ours, with flags that there are."""
    text = scaffold(tmp_path, repository, "--path", "teams/blue", "--branch", "trunk")[".github/workflows/agents.yaml"]
    workflow = yaml.safe_load(text)
    assert workflow[True]["push"] == {"branches": ["trunk"], "paths": ["teams/blue/**"]}  # YAML 1.1 reads `on` so
    assert not re.search("@[A-Z]+@", text)
    assert "for env in dev prod; do" in text
    for line in (line.strip() for line in text.splitlines() if line.strip().startswith("kagent-render ")):
        flags = [word for word in line.split(" || ")[0].split() if word.startswith("--")]
        shown = kagent_render(line.split()[1], "--help").stdout
        assert [flag for flag in flags if flag not in shown] == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    before = scaffold(tmp_path, GIT)
    done = kagent_render("flux", "scaffold", ".", "--repo", OCI, "-e", "prod", cwd=tmp_path)
    assert (done.code, tree(tmp_path)) == (2, before)
    assert "clusters/prod/agents.yaml exists" in done.stderr or ".github/workflows/agents.yaml exists" in done.stderr


@pytest.mark.parametrize(
    ("prompt", "value", "protected"),
    [
        ("hello", "plain", set()),
        ("${HOME}", "plain", {"ConfigMap"}),
        ("hello", "${HOME} and ${x.y", {"Deployment"}),
        ("$HOME $(date) $$", "$HOME", set()),
    ],
)
def test_what_looks_like_a_variable_of_flux_is_marked(
    tmp_path: Path, prompt: str, value: str, protected: set[str]
) -> None:
    """On the object that has it, whatever its kind; others can still be substituted."""
    (tmp_path / "specs.yaml").write_text(SPECS.replace("PROMPT", prompt).replace("VALUE", value))
    done = kagent_render("build", cwd=tmp_path)
    assert done.code == 0, done.stderr
    marked = {
        item["kind"]
        for item in yaml.safe_load_all(done.stdout)
        if (item["metadata"].get("annotations") or {}).get("kustomize.toolkit.fluxcd.io/substitute") == "disabled"
    }
    assert marked == protected
