"""The connection to Kubernetes, chosen once by the process: in the cluster, by kubeconfig, or the recorded sample."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, Configuration


@dataclass(slots=True)
class Connection:
    """How to connect; set by the server before any tool runs."""

    mode: str = "in-cluster"
    context: str | None = None
    sample_url: str | None = None
    namespace: str = "default"
    field_manager: str = "kagent"


CONNECTION = Connection()
# Set when nobody waits for the answer of a call any more: what takes long then ends.
GIVEN_UP: ContextVar[threading.Event | None] = ContextVar("GIVEN_UP", default=None)


class ClusterError(Exception):
    """A request failed. The text is for a model to act on; `status` is the HTTP status, 0 if there was none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


@cache
def _client() -> ApiClient:
    # Imported on first use: it is half a second that agents without Kubernetes tools never pay.
    from kubernetes import client, config

    configuration = client.Configuration()
    if CONNECTION.mode == "sample":
        configuration.host = CONNECTION.sample_url or ""
    elif CONNECTION.mode == "in-cluster":
        config.load_incluster_config(client_configuration=configuration)  # type: ignore[no-untyped-call]
    else:
        config.load_kube_config(context=CONNECTION.context, client_configuration=configuration)  # type: ignore[no-untyped-call]
    configuration.retries = False
    return client.ApiClient(configuration)


def request(path: str, query: dict[str, str], accept: str, timeout: float) -> bytes:
    """GET a path of the API server. Blocks; run it in a thread. Raises ClusterError."""
    return send("GET", path, query, timeout, accept=accept)


def send(
    method: str,
    path: str,
    query: Mapping[str, str],
    timeout: float,
    *,
    accept: str = "application/json",
    body: Any = None,
    content_type: str = "application/json",
) -> bytes:
    """Any request to the API server; `body` is sent as JSON. Blocks; run it in a thread. Raises ClusterError."""
    from urllib3.exceptions import HTTPError

    given = {"Accept": accept} | ({} if body is None else {"Content-Type": content_type})
    _, url, headers = signed(method, path, list(query.items()), given)
    try:
        response = _client().call_api(method, url, headers, body, _request_timeout=timeout)
        data: bytes = response.read() or b""  # type: ignore[no-untyped-call]
    except (HTTPError, OSError) as error:
        raise ClusterError(f"the Kubernetes API cannot be reached: {type(error).__name__}") from None
    if response.status >= 400:
        raise ClusterError(status_message(data, response.status), response.status)
    return data


def signed(
    method: str, path: str, query: Sequence[tuple[str, str]], headers: Mapping[str, str] | None = None
) -> tuple[Configuration, str, dict[str, str]]:
    """The connection's settings, the URL of a request, and its headers with the credential. Raises ClusterError."""
    from kubernetes.config import ConfigException

    try:
        api = _client()
        call = api.param_serialize(
            method=method, resource_path=path, header_params=dict(headers or {}), auth_settings=["BearerToken"]
        )
    except (ConfigException, OSError) as error:
        raise ClusterError(f"no Kubernetes API is configured: {error}") from None
    _, url, signed_headers, *_ = call
    return api.configuration, f"{url}?{urlencode(query)}" if query else url, signed_headers


def status_message(data: bytes, status: int) -> str:
    """What the API server says in a Status object, or whatever else it sent."""
    try:
        parsed: Any = json.loads(data)
        message = parsed["message"]
    except (ValueError, KeyError, TypeError):
        message = data[:200].decode("utf-8", "replace")
    return f"{status}: {message}"
