"""A small client of the Kubernetes API that hides nothing of what the server says."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

JSON = dict[str, Any]

# Every group, resource and subresource in two requests.
_DISCOVERY = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"
_APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """The server refused; the message is its own."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


@dataclass(frozen=True)
class Resource:
    """A resource that the server serves. `name` of a subresource is `pods/log`."""

    group: str
    version: str
    name: str
    kind: str
    is_namespaced: bool
    verbs: frozenset[str]

    @property
    def api_version(self) -> str:
        """As in a manifest."""
        return f"{self.group}/{self.version}" if self.group else self.version


class Client:
    """Requests as one user; a context manager, for it keeps its connections."""

    def __init__(self, origin: str, certificate: Path, token: str) -> None:
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        verify = ssl.create_default_context(cafile=str(certificate))
        # trust_env: a proxy of the machine's has no business on the loopback interface.
        self._http = httpx.Client(base_url=origin, headers=headers, verify=verify, timeout=60, trust_env=False)
        self._resources: dict[tuple[str, str], Resource] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def request(self, method: str, path: str, body: JSON | str | None = None, **options: Any) -> Any:
        """Send a request and return the JSON answered; raises ApiError. `options` are httpx's."""
        content = body if isinstance(body, str) or body is None else json.dumps(body)
        headers = httpx.Headers(options.pop("headers", None))
        headers.setdefault("Content-Type", "application/json")
        answer = self._http.request(method, path, content=content, headers=headers, **options)
        if answer.is_error:
            raise ApiError(answer.status_code, _message(answer))
        return answer.json()

    def is_ready(self) -> bool:
        """Whether the server says that it is."""
        try:
            return self._http.get("/readyz", timeout=5).status_code == 200
        except (httpx.HTTPError, OSError):
            return False

    def resources(self) -> list[Resource]:
        """Everything served now: resources and subresources in their preferred versions."""
        found = [
            item
            for path in ("/api", "/apis")
            for group in self.request("GET", path, headers={"Accept": _DISCOVERY})["items"]
            for item in _resources_of(group)
        ]
        # The server lists the versions of a group by preference; RBAC knows no versions.
        return list({(item.group, item.name): item for item in reversed(found)}.values())

    def path(self, item: Mapping[str, Any], namespace: str | None = None, subresource: str = "") -> str:
        """The path of an object; `namespace` is for one that names none."""
        resource = self._resource(item["apiVersion"], item["kind"])
        place = item["metadata"].get("namespace") or namespace or "default"
        middle = f"/namespaces/{place}" if resource.is_namespaced else ""
        tail = f"/{subresource}" if subresource else ""
        return f"{_root(item['apiVersion'])}{middle}/{resource.name}/{item['metadata']['name']}{tail}"

    def get(self, item: Mapping[str, Any], namespace: str | None = None) -> JSON:
        """The object as the server holds it; raises ApiError."""
        found: JSON = self.request("GET", self.path(item, namespace))
        return found

    def list(self, api_version: str, kind: str, namespace: str | None = None, **query: str) -> list[JSON]:
        """All objects of a kind, perhaps of one namespace or with a `labelSelector`."""
        resource = self._resource(api_version, kind)
        middle = f"/namespaces/{namespace}" if namespace else ""
        items = self.request("GET", f"{_root(api_version)}{middle}/{resource.name}", params=query)["items"]
        return list(items)

    def create(self, item: Mapping[str, Any], namespace: str | None = None, *, is_dry_run: bool = False) -> JSON:
        """POST an object; raises ApiError."""
        path = self.path(item, namespace).rpartition("/")[0]
        query = {"fieldValidation": "Strict"} | ({"dryRun": "All"} if is_dry_run else {})
        made: JSON = self.request("POST", path, dict(item), params=query)
        return made

    def apply(
        self,
        item: Mapping[str, Any],
        namespace: str | None = None,
        *,
        text: str | None = None,
        manager: str = "kagent-render",
        is_dry_run: bool = False,
    ) -> JSON:
        """Apply an object server-side, unknown and duplicate fields refused; raises ApiError.

        `text` is its manifest, for the server's own parser to read. No conflict is forced.
        """
        query = {"fieldManager": manager, "fieldValidation": "Strict"} | ({"dryRun": "All"} if is_dry_run else {})
        body = text if text is not None else json.dumps(item)
        headers = {"Content-Type": _APPLY}
        applied: JSON = self.request("PATCH", self.path(item, namespace), body, params=query, headers=headers)
        return applied

    def merge(self, item: Mapping[str, Any], change: JSON, namespace: str | None = None) -> JSON:
        """Change an object as somebody with an editor would; raises ApiError."""
        headers = {"Content-Type": "application/merge-patch+json"}
        query = {"fieldManager": "by-hand"}
        path = self.path(item, namespace)
        changed: JSON = self.request("PATCH", path, change, params=query, headers=headers)
        return changed

    def delete(self, item: Mapping[str, Any], namespace: str | None = None) -> None:
        """Delete an object, what belongs to it afterwards, and wait until it is gone; an absent one is well."""
        path = self.path(item, namespace)
        try:
            self.request("DELETE", path, params={"propagationPolicy": "Background"})
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                self.request("GET", path)
                time.sleep(0.02)
        except ApiError as error:
            if error.status != 404:
                raise
            return
        raise TimeoutError(f"{path} is still there")

    def _resource(self, api_version: str, kind: str) -> Resource:
        if (api_version, kind) not in self._resources:
            self._resources = self._every_version()
        try:
            return self._resources[(api_version, kind)]
        except KeyError:
            raise ApiError(404, f"the server has no kind {kind} of {api_version}") from None

    def _every_version(self) -> dict[tuple[str, str], Resource]:
        return {
            (item.api_version, item.kind): item
            for path in ("/api", "/apis")
            for group in self.request("GET", path, headers={"Accept": _DISCOVERY})["items"]
            for item in _resources_of(group)
            if "/" not in item.name
        }


def _resources_of(group: JSON) -> Iterator[Resource]:
    name = group.get("metadata", {}).get("name", "")
    for version in group["versions"]:
        for item in version.get("resources", ()):
            is_namespaced = item["scope"] == "Namespaced"
            plural, kind = item["resource"], item["responseKind"]["kind"]
            yield Resource(name, version["version"], plural, kind, is_namespaced, frozenset(item["verbs"]))
            for sub in item.get("subresources", ()):
                full = f"{plural}/{sub['subresource']}"
                kind = sub.get("responseKind", {}).get("kind", "")
                yield Resource(name, version["version"], full, kind, is_namespaced, frozenset(sub["verbs"]))


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _message(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["message"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
