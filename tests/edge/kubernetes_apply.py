"""The Kubernetes API as kubectl meets it: discovery, reads, and server-side apply as a dry run.

Apply follows the documented rules of field ownership (kubernetes.io, `Server-Side Apply`) with one simplification: a
list is merged by the names of its items where all have one (containers, ports, env, volumes), and is atomic otherwise.
Nothing is ever stored: a write that is no dry run is refused.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.edge.kubernetes_api import JSON, REASONS, KubernetesApi, RefusedError, asked, plural

REASONS |= {405: "MethodNotAllowed", 409: "Conflict", 415: "UnsupportedMediaType"}
_CLUSTER_SCOPED = {"ClusterRole", "ClusterRoleBinding", "Namespace"}
_VERBS = ["get", "list", "patch"]
_PREFIXES = ("/api/{version}", "/apis/{group}/{version}")
_TAILS = ("/namespaces/{namespace}/{resource}/{name}", "/{resource}/{name}")


class ApplyingApi(KubernetesApi):
    """A cluster that serves `kinds` ((apiVersion, kind)) and holds `objects`.

    `owners` says who applied what: manager, and the objects as that manager wrote them.
    """

    def __init__(
        self,
        objects: Iterable[JSON],
        kinds: Iterable[tuple[str, str]],
        *,
        owners: Sequence[tuple[str, Sequence[JSON]]] = (),
        forbidden: Iterable[str] = (),
    ) -> None:
        self._kinds = sorted(set(kinds))
        self._owners = owners
        self._forbidden = set(forbidden)
        self.patches: list[Mapping[str, str]] = []
        super().__init__(objects)

    def _more_routes(self) -> list[Route]:
        patches = [Route(prefix + tail, self._apply, methods=["PATCH"]) for prefix in _PREFIXES for tail in _TAILS]
        return [
            Route("/version", self._version),
            Route("/api", self._core_versions),
            Route("/apis", self._groups),
            Route("/api/{version}", self._resources),
            Route("/apis/{group}/{version}", self._resources),
            *patches,
        ]

    async def _version(self, request: Request) -> Response:
        return JSONResponse({"major": "1", "minor": "32", "gitVersion": "v1.32.4"})

    async def _core_versions(self, request: Request) -> Response:
        return JSONResponse({"kind": "APIVersions", "versions": ["v1"]})

    async def _groups(self, request: Request) -> Response:
        found = []
        for name in sorted({version for version, _ in self._kinds if "/" in version}):
            version = {"groupVersion": name, "version": name.partition("/")[2]}
            found.append({"name": name.partition("/")[0], "versions": [version], "preferredVersion": version})
        return JSONResponse({"kind": "APIGroupList", "apiVersion": "v1", "groups": found})

    async def _resources(self, request: Request) -> Response:
        path = request.path_params
        wanted = "/".join(part for part in (path.get("group"), path["version"]) if part)
        found = [
            {"name": plural(kind), "singularName": kind.lower(), "kind": kind, "verbs": _VERBS}
            | {"namespaced": kind not in _CLUSTER_SCOPED}
            for version, kind in self._kinds
            if version == wanted
        ]
        if not found:
            return RefusedError(404, "the server could not find the requested resource").response()
        return JSONResponse({"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": wanted, "resources": found})

    async def _serve(self, request: Request) -> Response:
        resource = request.path_params["resource"]
        if resource in self._forbidden:
            return RefusedError(403, f'{resource} is forbidden: User "edge" cannot list resource').response()
        return await super()._serve(request)

    async def _apply(self, request: Request) -> Response:
        try:
            return JSONResponse(self._planned(request, yaml.safe_load(await request.body())))
        except RefusedError as refused:
            return refused.response()

    def _planned(self, request: Request, wanted: JSON) -> JSON:
        """The object as it would be. Raises RefusedError for what is no dry run of an apply."""
        query = dict(request.query_params)
        self.patches.append(query)
        if query.get("dryRun") != "All":
            raise RefusedError(405, "this server stores nothing")
        form = request.headers.get("content-type")
        if form == "application/json-patch+json":
            return self._with_other_owner(request, wanted)
        if form != "application/apply-patch+yaml":
            raise RefusedError(415, "only apply patches are served")
        live = next((item for item in self._objects if _same(item, wanted)), None)
        if live is None:
            return wanted | {"metadata": wanted["metadata"] | {"uid": "new"}}
        manager = query.get("fieldManager", "")
        mine, others = self._configurations(wanted, manager)
        if query.get("force") != "true" and any(_conflicts(wanted, other) for other in others):
            raise RefusedError(409, "Apply failed with 1 conflict: another manager owns a field")
        planned = copy.deepcopy(live)
        for previous in mine:
            _remove(planned, previous, [wanted, *others])
        _merge(planned, wanted)
        return planned

    def _with_other_owner(self, request: Request, operations: Any) -> JSON:
        """kubectl hands the fields of a client-side apply over to the new manager before it applies again."""
        if any(not item["path"].startswith("/metadata/") for item in operations):
            raise RefusedError(415, "only the owners of fields are patched so")
        found: JSON = json.loads(bytes(self._read(request, asked(request)).body))
        return found

    def _configurations(self, wanted: JSON, manager: str) -> tuple[list[JSON], list[JSON]]:
        found = [(name, item) for name, items in self._owners for item in items if _same(item, wanted)]
        return [item for name, item in found if name == manager], [item for name, item in found if name != manager]


def _same(one: JSON, other: JSON) -> bool:
    return _place(one) == _place(other)


def _place(item: JSON) -> tuple[str, str, str, str]:
    metadata = item["metadata"]
    return (item["apiVersion"].rpartition("/")[0], item["kind"], metadata.get("namespace", ""), metadata["name"])


def _named(items: Any) -> dict[str, Any] | None:
    if not isinstance(items, list) or not all(isinstance(item, dict) and "name" in item for item in items):
        return None
    return {item["name"]: item for item in items}


def _merge(live: JSON, wanted: Mapping[str, Any]) -> None:
    for key, value in wanted.items():
        names = _named(value)
        if isinstance(value, dict) and isinstance(live.get(key), dict):
            _merge(live[key], value)
        elif names is not None and _named(live.get(key)) is not None:
            known = _named(live[key]) or {}
            for name, item in names.items():
                if name in known:
                    _merge(known[name], item)
                else:
                    live[key].append(copy.deepcopy(item))
        else:
            live[key] = copy.deepcopy(value)


def _remove(live: Any, previous: Mapping[str, Any], kept: Sequence[Any]) -> None:
    """Drop what `previous` set and none of `kept` does."""
    for key, value in previous.items():
        below = [item[key] for item in kept if isinstance(item, dict) and key in item]
        if not isinstance(live, dict) or key not in live:
            continue
        if not below:
            del live[key]
        elif isinstance(value, dict):
            _remove(live[key], value, below)
        elif (names := _named(value)) is not None:
            _remove_items(live[key], names, below)


def _remove_items(live: list[Any], previous: Mapping[str, Any], kept: Sequence[Any]) -> None:
    tables = [_named(items) or {} for items in kept]
    for item in list(live):
        if item.get("name") in previous:
            below = [table[item["name"]] for table in tables if item["name"] in table]
            if below:
                _remove(item, previous[item["name"]], below)
            else:
                live.remove(item)


def _conflicts(wanted: Any, other: Any) -> bool:
    """Whether both set a field, to different values."""
    if isinstance(wanted, dict) and isinstance(other, dict):
        return any(_conflicts(wanted[key], other[key]) for key in wanted if key in other)
    one, two = _named(wanted), _named(other)
    if one is not None and two is not None:
        return _conflicts(one, two)
    return bool(wanted != other)
