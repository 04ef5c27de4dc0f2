"""An Application of Argo CD: what it is asked for by annotation, and what it says in its status."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import yaml

from tests.e2e.controlplane.argocd_server import ArgoCD
from tests.e2e.controlplane.client import ApiError
from tests.harness import kagent_render

JSON = dict[str, Any]
_REFRESH = "argocd.argoproj.io/refresh"
_CASCADE = "resources-finalizer.argocd.argoproj.io/background"
_SECONDS = 300


def printed(url: str, path: str, *options: str) -> JSON:
    """The Application that `kagent-render argocd plugin application` prints."""
    done = kagent_render("argocd", "plugin", "application", "--repo", url, "--path", path, *options)
    assert done.code == 0, done.stderr
    item: JSON = yaml.safe_load(done.stdout)
    return item


class Application:
    """One Application, a context manager: it goes with all it has deployed."""

    def __init__(self, argocd: ArgoCD, item: JSON) -> None:
        item["metadata"].setdefault("finalizers", []).append(_CASCADE)
        self._argocd, self._client, self._item = argocd, argocd.plane.client, item

    def __enter__(self) -> Application:
        self._client.create(self._item)
        return self

    def __exit__(self, *_: object) -> None:
        self._client.request("DELETE", self._client.path(self._item))
        self._wait(self._is_gone, "gone")

    @property
    def status(self) -> JSON:
        """As it is now."""
        found: JSON = self._client.get(self._item).get("status", {})
        return found

    @property
    def synced(self) -> int:
        """How many syncs there have been."""
        return len(self.status.get("history", ()))

    @property
    def conditions(self) -> str:
        """What is wrong with it."""
        return "\n".join(f"{one['type']}: {one['message']}" for one in self.status.get("conditions", ()))

    def resources(self) -> dict[str, str]:
        """What it manages, and whether that is Synced."""
        return {name_of(one): one["status"] for one in self.status["resources"]}

    def refresh(self, how: str = "normal") -> None:
        """Have it compared with Git now, as a webhook would; `hard` forgets what was rendered before."""
        self._client.merge(self._item, {"metadata": {"annotations": {_REFRESH: how}}})
        self._wait(lambda: _REFRESH not in self._client.get(self._item)["metadata"].get("annotations", {}), "refreshed")

    def wait_until_synced(self, revision: str) -> None:
        """Until what is there is no difference from a commit, and no sync is under way."""

        def is_synced() -> bool:
            status = self.status
            compared, phase = status.get("sync", {}), status.get("operationState", {}).get("phase")
            return (compared.get("status"), compared.get("revision"), phase) == ("Synced", revision, "Succeeded")

        self._wait(is_synced, f"Synced at {revision}")

    def wait_until_healthy(self) -> None:
        """Until everything that it manages is ready."""
        self._wait(lambda: self.status.get("health", {}).get("status") == "Healthy", "Healthy")

    def wait_until_failed(self, text: str) -> None:
        """Until its conditions say something."""
        self._wait(lambda: text in self.conditions, f"failed with {text}")

    def _is_gone(self) -> bool:
        try:
            self._client.get(self._item)
        except ApiError as error:
            return error.status == 404
        return False

    def _wait(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + _SECONDS
        while not condition():
            assert time.monotonic() < deadline, f"not {what}: {self._explanation()}"
            time.sleep(0.1)

    def _explanation(self) -> str:
        status = self.status
        states = {key: status.get(key) for key in ("sync", "health", "conditions", "operationState")}
        open_ones = [one for one in status.get("resources", ()) if one.get("status") != "Synced"]
        return f"{yaml.safe_dump([states, open_ones])}\n{self._argocd.tail()}"


def names_of(items: Iterable[Mapping[str, Any]], namespace: str) -> set[str]:
    """Manifests by the names that `resources` has; `namespace` is for those that name none."""
    return {
        name_of({"kind": item["kind"], "namespace": _place(item, namespace), "name": item["metadata"]["name"]})
        for item in items
    }


def _place(item: Mapping[str, Any], namespace: str) -> str:
    return "" if item["kind"].startswith("Cluster") else item["metadata"].get("namespace", namespace)


def name_of(resource: Mapping[str, Any]) -> str:
    """Kind, namespace and name."""
    return "/".join(part for part in (resource["kind"], resource.get("namespace"), resource["name"]) if part)
