"""A Kubernetes API server for reading given objects: real paths, Table and Status bodies, tokens and RBAC."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer

JSON = dict[str, Any]
REASONS = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound"}


@dataclass(frozen=True)
class ApiRequest:
    """One request as RBAC sees it."""

    verb: str
    group: str
    resource: str
    namespace: str
    name: str
    path: str
    label_selector: str = ""


class RefusedError(Exception):
    """A request answered with a Status of kind Failure."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code

    def response(self) -> Response:
        """Return the Status object the API server sends."""
        status = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": str(self),
            "reason": REASONS[self.code],
            "code": self.code,
        }
        return JSONResponse(status, self.code)


class KubernetesApi(LoopbackServer):
    """Serve `objects` (manifests) and `logs` (pod name to text) to whoever has `token`.

    `roles` are Role and ClusterRole objects; None allows every read. `tls` is (certificate, key).
    """

    def __init__(
        self,
        objects: Iterable[JSON],
        *,
        logs: Mapping[str, str] | None = None,
        token: str | None = None,
        roles: Sequence[JSON] | None = None,
        tls: tuple[Path, Path] | None = None,
    ) -> None:
        core, grouped = "/api/{version}", "/apis/{group}/{version}"
        tails = [
            "/{resource}",
            "/namespaces/{namespace}/{resource}",
            "/namespaces/{namespace}/{resource}/{name}",
        ]
        tails += ["/{resource}/{name}", "/namespaces/{namespace}/{resource}/{name}/{subresource}"]
        routes = [Route(prefix + tail, self._serve) for prefix in (core, grouped) for tail in tails]
        super().__init__(Starlette(routes=[*routes, *self._more_routes()]), tls=tls)
        self._objects = list(objects)
        self._logs = dict(logs or {})
        self._token = token
        self._roles = roles
        self.requests: list[ApiRequest] = []

    def _more_routes(self) -> list[Route]:
        """What a server that does more than read has besides."""
        return []

    async def _serve(self, request: Request) -> Response:
        try:
            seen = asked(request)
            self.requests.append(seen)
            self._authorize(request, seen)
            return self._read(request, seen)
        except RefusedError as refused:
            return refused.response()

    def _authorize(self, request: Request, asked: ApiRequest) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if self._token is not None and (scheme.lower(), token) != ("bearer", self._token):
            raise RefusedError(401, "Unauthorized")
        if self._roles is not None and not any(_grants(role, asked) for role in self._roles):
            raise RefusedError(
                403,
                f'{asked.resource} is forbidden: User "system:serviceaccount:edge" cannot {asked.verb}'
                f' resource "{asked.resource}" in API group "{asked.group}" in namespace "{asked.namespace}"',
            )

    def _read(self, request: Request, asked: ApiRequest) -> Response:
        if asked.resource == "pods/log":
            return self._log(request, asked)
        found = [item for item in self._objects if _matches(item, request, asked)]
        if asked.resource.endswith("/scale") and found:
            return JSONResponse({"kind": "Scale", "spec": {"replicas": found[0].get("spec", {}).get("replicas", 0)}})
        if asked.name and not found:
            raise RefusedError(404, f'{asked.resource} "{asked.name}" not found')
        if "as=Table" in request.headers.get("accept", ""):
            return JSONResponse(_table(found))
        if asked.name:
            return JSONResponse(found[0])
        kind = found[0]["kind"] + "List" if found else "List"
        version = found[0]["apiVersion"] if found else "v1"
        return JSONResponse({"kind": kind, "apiVersion": version, "metadata": {"resourceVersion": "1"}, "items": found})

    def _log(self, request: Request, asked: ApiRequest) -> Response:
        if asked.name not in self._logs:
            raise RefusedError(404, f'pods "{asked.name}" not found')
        lines = self._logs[asked.name].splitlines(keepends=True)
        tail = int(request.query_params.get("tailLines", len(lines)))
        return PlainTextResponse("".join(lines[max(len(lines) - tail, 0) :]))


def plural(kind: str) -> str:
    """Return the resource name of `kind`, by the rule that holds for every built-in kind."""
    word = kind.lower()
    if word.endswith("y"):
        return word[:-1] + "ies"
    if word == "endpoints":
        return word
    return word + ("es" if word.endswith("s") else "s")


def asked(request: Request) -> ApiRequest:
    """What a request asks for."""
    path = request.path_params
    resource, name = path["resource"], path.get("name", "")
    if "subresource" in path:
        resource += "/" + path["subresource"]
    return ApiRequest(
        verb="get" if name else "list",
        group=path.get("group", ""),
        resource=resource,
        namespace=path.get("namespace", ""),
        name=name,
        path=request.url.path,
        label_selector=request.query_params.get("labelSelector", ""),
    )


def _grants(role: JSON, asked: ApiRequest) -> bool:
    elsewhere = role["kind"] == "Role" and role["metadata"].get("namespace", "default") != asked.namespace
    return not elsewhere and any(_allows(rule, asked) for rule in role["rules"])


def _allows(rule: JSON, asked: ApiRequest) -> bool:
    names = rule.get("resourceNames")
    return (
        asked.group in rule["apiGroups"]
        and asked.resource in rule["resources"]
        and asked.verb in rule["verbs"]
        and (not names or asked.name in names)
    )


def _matches(item: JSON, request: Request, asked: ApiRequest) -> bool:
    group = item["apiVersion"].rpartition("/")[0]
    metadata = item["metadata"]
    return (
        (group, plural(item["kind"])) == (asked.group, asked.resource.removesuffix("/scale"))
        and asked.namespace in ("", metadata.get("namespace", ""))
        and asked.name in ("", metadata["name"])
        and _selected(request.query_params.get("labelSelector", ""), metadata.get("labels", {}))
    )


def _selected(selector: str, labels: Mapping[str, str]) -> bool:
    """Match an equality-based selector, `a=b,c==d`."""
    terms = [term.replace("==", "=").split("=") for term in selector.split(",") if term]
    return all(labels.get(key.strip()) == value.strip() for key, value in terms)


def _table(items: Sequence[JSON]) -> JSON:
    columns = [{"name": "Name", "type": "string", "format": "name", "description": "", "priority": 0}]
    columns.append({"name": "Status", "type": "string", "format": "", "description": "", "priority": 0})
    rows = [
        {
            "cells": [item["metadata"]["name"], item.get("status", {}).get("phase", "")],
            "object": {
                "kind": "PartialObjectMetadata",
                "apiVersion": "meta.k8s.io/v1",
                "metadata": item["metadata"],
            },
        }
        for item in items
    ]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "1"},
        "columnDefinitions": columns,
        "rows": rows,
    }
