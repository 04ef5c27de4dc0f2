"""What makes Argo CD use the plugin: its configuration, the sidecar of the repo server, Applications.

Sources: Argo CD docs/operator-manual/config-management-plugins.md; argo-helm charts/argo-cd values.yaml.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kagent_render import __version__
from kagent_render.emit import emit
from kagent_render.targets.templating import render, template_folder

IMAGE = f"ghcr.io/kagent-render/argocd-plugin:{__version__}"
WHAT = ("plugin", "kustomize", "helm", "application", "applicationset")


@dataclass(frozen=True, slots=True)
class Source:
    """Where the specs are, and where to."""

    repository: str
    path: str
    revision: str
    environments: Sequence[str]
    namespace: str
    name: str


def shown(what: str, image: str, source: Source) -> str:
    """The text of one of WHAT."""
    if what == "plugin":
        return plugin_configuration()
    if what == "kustomize":
        return emit(_sidecar(image))
    if what == "helm":
        pod = _sidecar(image)["spec"]["template"]["spec"]
        return emit({"repoServer": {"extraContainers": pod["containers"], "volumes": pod["volumes"]}})
    if what == "application":
        return emit(render("argocd/application.yaml.j2", _application(source)))
    return emit(render("argocd/applicationset.yaml.j2", _application_set(source)))


def _sidecar(image: str) -> dict[str, Any]:
    """A patch of the repo server, by which it runs the plugin beside it."""
    return render("argocd/kustomize.yaml.j2", {"image": image})


def plugin_configuration() -> str:
    """plugin.yaml, as the plugin's image holds it."""
    return (template_folder() / "argocd" / "plugin.yaml").read_text(encoding="utf-8")


def _application(source: Source) -> dict[str, Any]:
    environment = source.environments[0] if source.environments else None
    return {
        "name": f"{source.name}-{environment}" if environment else source.name,
        "source": _source(source, environment),
        "destination": _destination(source),
        "sync_policy": _sync_policy(),
    }


def _application_set(source: Source) -> dict[str, Any]:
    return {
        "name": source.name,
        "elements": [{"env": environment} for environment in source.environments],
        "application": source.name + "-{{.env}}",
        "source": _source(source, "{{.env}}"),
        "destination": _destination(source),
        "sync_policy": _sync_policy(),
    }


def _source(source: Source, environment: str | None) -> dict[str, Any]:
    # `plugin` with its name: without `discover` that is how the plugin is chosen.
    plugin: dict[str, Any] = {"name": "kagent-render"}
    if environment:
        plugin["parameters"] = [{"name": "env", "string": environment}]
    return {"repoURL": source.repository, "targetRevision": source.revision, "path": source.path, "plugin": plugin}


def _destination(source: Source) -> dict[str, Any]:
    return {"server": "https://kubernetes.default.svc", "namespace": source.namespace}


def _sync_policy() -> dict[str, Any]:
    # Not `allowEmpty`: a sync that would delete everything waits for a person.
    options = ["CreateNamespace=true", "ServerSideApply=true"]
    return {"automated": {"prune": True, "selfHeal": True}, "syncOptions": options}
