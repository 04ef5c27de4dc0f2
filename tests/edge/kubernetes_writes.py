"""The Kubernetes API as one meets it who changes something: patches, deletions, evictions, dry runs and conflicts.

An apply that would create an object is authorized twice, as patch and as create, which is what a real server does
(apiserver `handlers/patch.go`). Lists are merged by the names of their items, as in `kubernetes_apply`.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.edge.kubernetes_api import JSON, REASONS, ApiRequest, KubernetesApi, RefusedError, asked, plural
from tests.edge.kubernetes_apply import _merge as merge_by_names

REASONS |= {409: "Conflict", 422: "Invalid", 429: "TooManyRequests"}
_PREFIXES = ("/api/{version}", "/apis/{group}/{version}")
_TAILS = ("/{resource}/{name}", "/namespaces/{namespace}/{resource}/{name}")
_SUBRESOURCE = "/namespaces/{namespace}/{resource}/{name}/{subresource}"


class WritableApi(KubernetesApi):
    """Holds `objects`, which change. Pods of `guarded` (their names) have a PodDisruptionBudget that lets none go."""

    def __init__(self, objects: Iterable[JSON], *, guarded: Iterable[str] = (), **options: Any) -> None:
        self._guarded = set(guarded)
        self.bodies: list[tuple[ApiRequest, dict[str, str], Any]] = []
        """Every write that was authorized: the request, its query, its body."""
        super().__init__(objects, **options)

    def object(self, kind: str, name: str) -> JSON | None:
        """An object as it is now."""
        return next((o for o in self._objects if (o["kind"], o["metadata"]["name"]) == (kind, name)), None)

    def _more_routes(self) -> list[Route]:
        paths = [prefix + tail for prefix in _PREFIXES for tail in (*_TAILS, _SUBRESOURCE)]
        return [Route(path, self._write, methods=["PATCH", "DELETE", "POST"]) for path in paths]

    async def _write(self, request: Request) -> Response:
        body = json.loads(await request.body() or b"null")
        verb = {"PATCH": "patch", "DELETE": "delete", "POST": "create"}[request.method]
        seen = replace(asked(request), verb=verb)
        try:
            self._admit(request, seen, body)
            return JSONResponse(self._changed(request, seen, body))
        except RefusedError as refused:
            return refused.response()

    def _admit(self, request: Request, seen: ApiRequest, body: Any) -> None:
        self.requests.append(seen)
        self._authorize(request, seen)
        self.bodies.append((seen, dict(request.query_params), body))

    def _changed(self, request: Request, seen: ApiRequest, body: Any) -> JSON:
        live, is_dry = self._find(seen), request.query_params.get("dryRun") == "All"
        if seen.verb == "delete" and body:  # a real server takes no option from the query then
            is_dry = body.get("dryRun") == ["All"]
        if live is None and request.headers.get("content-type") == "application/apply-patch+yaml":
            created = replace(seen, verb="create")
            self.requests.append(created)
            self._authorize(request, created)
            return self._created(body, is_dry)
        if live is None:
            raise RefusedError(404, f'{seen.resource} "{seen.name}" not found')
        if seen.verb == "patch":
            return self._patched(request, seen, live, body, is_dry)
        if seen.resource == "pods/eviction" and seen.name in self._guarded:
            raise RefusedError(429, "Cannot evict pod as it would violate the pod's disruption budget.")
        return self._removed(live, body.get("deleteOptions") or body, is_dry)

    def _find(self, seen: ApiRequest) -> JSON | None:
        resource = seen.resource.partition("/")[0]
        for item in self._objects:
            group, metadata = item["apiVersion"].rpartition("/")[0], item["metadata"]
            place = (group, plural(item["kind"]), metadata.get("namespace", ""), metadata["name"])
            if place == (seen.group, resource, seen.namespace, seen.name):
                return item
        return None

    def _created(self, body: JSON, is_dry: bool) -> JSON:
        created: JSON = body | {"metadata": body["metadata"] | {"uid": "new"}}
        if not is_dry:
            self._objects.append(created)
        return created

    def _removed(self, live: JSON, options: JSON, is_dry: bool) -> JSON:
        if (options.get("preconditions") or {}).get("uid", live["metadata"].get("uid")) != live["metadata"].get("uid"):
            raise RefusedError(409, "Precondition failed: UID in precondition differs from UID in object meta")
        if not is_dry:
            self._objects.remove(live)
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}

    def _patched(self, request: Request, seen: ApiRequest, live: JSON, body: Any, is_dry: bool) -> JSON:
        planned = copy.deepcopy(live)
        form = request.headers.get("content-type")
        if seen.resource.endswith("/scale"):
            planned.setdefault("spec", {})["replicas"] = body["spec"]["replicas"]
        elif form == "application/json-patch+json":
            _replace_paths(planned, body)
        elif form == "application/apply-patch+yaml":
            self._check_conflicts(request, live, body)
            merge_by_names(planned, body)
        elif form in ("application/merge-patch+json", "application/strategic-merge-patch+json"):
            _merge_patch(planned, body)
        else:
            raise RefusedError(422, f"the body of the request was in an unknown format: {form}")
        if not is_dry:
            live.clear()
            live.update(planned)
        return planned

    def _check_conflicts(self, request: Request, live: JSON, body: JSON) -> None:
        """The field `replicas` belongs to whom the object's annotation `edge/owns-replicas` says."""
        owner = (live["metadata"].get("annotations") or {}).get("edge/owns-replicas")
        wanted, now = body.get("spec", {}).get("replicas"), live.get("spec", {}).get("replicas")
        if owner and request.query_params.get("force") != "true" and wanted not in (None, now):
            raise RefusedError(409, f'Apply failed with 1 conflict: conflict with "{owner}": .spec.replicas')


def _merge_patch(live: JSON, patch: JSON) -> None:
    """RFC 7386, and `$patch: replace` of strategic merge patches."""
    for key, value in patch.items():
        if value is None:
            live.pop(key, None)
        elif isinstance(value, dict) and value.get("$patch") == "replace":
            live[key] = {name: item for name, item in value.items() if name != "$patch"}
        elif isinstance(value, dict):
            _merge_patch(live.setdefault(key, {}), value)
        else:
            live[key] = copy.deepcopy(value)


def _replace_paths(live: JSON, operations: list[JSON]) -> None:
    for operation in operations:
        assert operation["op"] == "replace"
        *folders, last = operation["path"].strip("/").split("/")
        target = live
        for folder in folders:
            target = target[folder]
        target[last] = copy.deepcopy(operation["value"])
