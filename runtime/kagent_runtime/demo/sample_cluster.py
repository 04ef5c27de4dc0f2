"""A small recorded cluster behind a real HTTP server that speaks the Kubernetes REST wire format, read-only."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from kagent_runtime.demo.recording import CLUSTER_SCOPED, KINDS, Object, Recording, load
from kagent_runtime.demo.selectors import SelectorError, matches_fields, matches_labels
from kagent_runtime.demo.tables import table

RESOURCE_VERSION = "41000"
_REASONS = {400: "BadRequest", 404: "NotFound", 405: "MethodNotAllowed"}
_JSON = "application/json"


class SampleCluster:
    """The recorded cluster: its objects live in one namespace, and their times are relative to the start."""

    def __init__(self, namespace: str) -> None:
        self._namespace = namespace
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> str:
        """Serve on a free port of 127.0.0.1; return the base URL."""
        recording = load(self._namespace, datetime.now(UTC).replace(microsecond=0))
        self._server = _Server(recording)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sample-cluster", daemon=True
        )
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        """Stop serving; does nothing when not started."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._server.server_close()
            self._thread.join()
            self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # A client keeps its connections open; closing must not wait for their threads.
    block_on_close = False

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[-1] for key, values in parse_qs(url.query).items()}
        parts = [unquote(part) for part in url.path.split("/") if part]
        self._send(_answer(self.server.recording, parts, query, self.headers.get("Accept", "")))

    def _refuse(self) -> None:
        # The body is not read: the connection cannot be used again.
        self.close_connection = True
        self._send(_failure(405, "the sample cluster is read-only"))

    do_POST = do_PUT = do_PATCH = do_DELETE = _refuse

    def _send(self, answer: _Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.media_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on stderr."""


@dataclass(frozen=True)
class _Answer:
    status: int
    body: bytes
    media_type: str = _JSON


@dataclass(frozen=True)
class _Target:
    """A request path, taken apart."""

    version: str
    resource: str
    namespace: str | None = None
    name: str | None = None
    subresource: str | None = None


def _json(document: Object, status: int = 200) -> _Answer:
    return _Answer(status, json.dumps(document).encode())


def _failure(status: int, message: str, details: Object | None = None) -> _Answer:
    document = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return _json(document | {"reason": _REASONS[status], "details": details or {}, "code": status}, status)


def _not_found(target: _Target) -> _Answer:
    group = target.version.rpartition("/")[0]
    full = f"{target.resource}.{group}" if group else target.resource
    details = {"name": target.name, "kind": target.resource} | ({"group": group} if group else {})
    return _failure(404, f'{full} "{target.name}" not found', details)


def _target(parts: list[str]) -> _Target | None:
    """Read a path such as apis/apps/v1/namespaces/shop/deployments/checkout; None when there is no such path."""
    if parts[:1] == ["api"]:
        version, rest = "/".join(parts[1:2]), parts[2:]
    elif parts[:1] == ["apis"]:
        version, rest = "/".join(parts[1:3]), parts[3:]
    else:
        return None
    namespace = None
    if len(rest) > 2 and rest[0] == "namespaces":
        namespace, rest = rest[1], rest[2:]
    elif len(rest) > 1 and rest[0] not in CLUSTER_SCOPED:
        return None
    if not 1 <= len(rest) <= 3 or (version, rest[0]) not in KINDS:
        return None
    return _Target(version, rest[0], namespace, *rest[1:])


def _answer(recording: Recording, parts: list[str], query: dict[str, str], accept: str) -> _Answer:
    target = _target(parts)
    if target is None:
        return _failure(404, "the server could not find the requested resource")
    if target.name is None:
        return _list(recording, target, query, accept)
    found = next((item for item in _items(recording, target) if item["metadata"]["name"] == target.name), None)
    if found is None:
        return _not_found(target)
    if target.subresource == "log" and target.resource == "pods":
        return _log(recording, found, query)
    if target.subresource is not None:
        return _failure(404, "the server could not find the requested resource")
    return _json(_shown(recording, [found], target, accept) or found)


def _items(recording: Recording, target: _Target) -> list[Object]:
    items = recording.objects[target.version, target.resource]
    return [item for item in items if target.namespace in (None, item["metadata"].get("namespace"))]


def _list(recording: Recording, target: _Target, query: dict[str, str], accept: str) -> _Answer:
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    try:
        items = [i for i in _items(recording, target) if matches_labels(i, labels) and matches_fields(i, fields)]
    except SelectorError as error:
        return _failure(400, str(error))
    document = {
        "kind": f"{KINDS[target.version, target.resource]}List",
        "apiVersion": target.version,
        "metadata": {"resourceVersion": RESOURCE_VERSION},
        "items": items,
    }
    return _json(_shown(recording, items, target, accept) or document)


def _shown(recording: Recording, items: list[Object], target: _Target, accept: str) -> Object | None:
    """The table, if one is asked for. Ages are those at the start: a recording does not grow older."""
    if "as=Table" not in accept.replace(" ", ""):
        return None
    return table(items, target.resource, recording.start, RESOURCE_VERSION)


def _log(recording: Recording, pod: Object, query: dict[str, str]) -> _Answer:
    name = pod["metadata"]["name"]
    containers = [container["name"] for container in pod["spec"]["containers"]]
    container = query.get("container") or containers[0]
    if container not in containers:
        return _failure(400, f"container {container} is not valid for pod {name}")
    kept = recording.logs.get(name, {}).get(container, {})
    lines = kept.get("previous" if query.get("previous") == "true" else "current")
    if lines is None:
        return _failure(400, f'previous terminated container "{container}" in pod "{name}" not found')
    limit = query.get("tailLines", "")
    if limit and not limit.isdigit():
        return _failure(400, f"tailLines must be a number, not {limit}")
    tail = lines[max(0, len(lines) - int(limit)) :] if limit else lines
    return _Answer(200, "".join(f"{line}\n" for line in tail).encode(), "text/plain")
