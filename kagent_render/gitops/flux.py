"""What has Flux apply the manifests: a source, a Kustomization for each environment, and the workflow that renders.

Flux runs no renderer of its own: the manifests are in Git, or in an OCI artifact. Source: kustomize-controller,
docs/spec/v1/kustomizations.md. Without `targetNamespace`, which would move every object into one namespace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kagent_render.emit import emit
from kagent_render.gitops.ci import filled, workflow
from kagent_render.targets.templating import render


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where the specs are and how their manifests get to the cluster. `url` begins with oci:// for an artifact."""

    name: str
    url: str
    branch: str
    path: str
    environments: Sequence[str]
    depends_on: Sequence[str] = ()

    @property
    def is_oci(self) -> bool:
        """Whether the manifests are an artifact in a registry."""
        return self.url.startswith("oci://")


def scaffold(delivery: Delivery) -> dict[str, str]:
    """Path to text: one file for the cluster of each environment, and the workflow."""
    files = {f"clusters/{env}/{delivery.name}.yaml": _cluster(delivery, env) for env in delivery.environments}
    return files | {f".github/workflows/{delivery.name}.yaml": _workflow(delivery)}


def _cluster(delivery: Delivery, environment: str) -> str:
    source, path = {"name": delivery.name, "url": delivery.url}, "./"
    if delivery.is_oci:
        kind, document = "OCIRepository", render("flux/ocirepository.yaml.j2", source | {"tag": environment})
    else:
        kind, document = "GitRepository", render("flux/gitrepository.yaml.j2", source | {"branch": delivery.branch})
        path = "/".join([".", *(part for part in (delivery.path.strip("./"), "rendered", environment) if part)])
    kustomization = {
        "name": delivery.name,
        "source_kind": kind,
        "source_name": delivery.name,
        "path": path,
        "depends_on": [{"name": name} for name in delivery.depends_on] or None,
    }
    return emit(document) + "---\n" + emit(render("flux/kustomization.yaml.j2", kustomization))


def _workflow(delivery: Delivery) -> str:
    head = "# Written by `kagent-render flux scaffold`; yours to change."
    if not delivery.is_oci:
        text = workflow("github", delivery.path, delivery.branch, delivery.environments)
        return head + text[text.index("\n") :]
    text = filled("flux/oci-workflow.yaml", delivery.path, delivery.branch, delivery.environments)
    return text.replace("@URL@", delivery.url)
