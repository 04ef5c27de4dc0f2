"""Tool type `prometheus`: questions to a Prometheus, Thanos or Mimir, over its HTTP API. Reads only."""

from collections.abc import Iterable
from typing import Any, Literal

from pydantic import Field

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema, text
from kagent_render.catalog.tools.remote import MAX_OUTPUT_BYTES, Needs, check_headers, check_plaintext, check_tls
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "prometheus"
# The Service that the Prometheus Operator makes for every Prometheus, in the namespace that its charts go to.
# For any other server: a Tool document with its URL.
DEFAULT_URL = "http://prometheus-operated.monitoring.svc.cluster.local:9090"


class PrometheusBlock(SpecModel):
    """Which question, and to which server."""

    operation: Literal["query", "query_range", "labels", "series", "targets", "rules", "alerts"] = Field(
        description="What the tool asks."
    )
    url: Text = Field(description="The server, without /api/v1, such as http://prometheus.monitoring.svc:9090.")
    headers: list[Header] = Field(default_factory=list, description="Headers of every request, such as X-Scope-OrgID.")
    bearer_token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="Sent as `Authorization: Bearer`."
    )
    tls: ClientTls | None = Field(default=None, description="Whom the connection trusts, and its certificate.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="One call.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network; Services of the cluster always may."
    )


_QUERY = text("PromQL expression, such as sum by (pod) (rate(http_requests_total[5m]))")
_TIMES = "RFC 3339, Unix seconds, now, or relative such as -1h"
_START, _END = text(f"Start of the range: {_TIMES}; default -1h"), text(f"End of the range: {_TIMES}; default now")
_MATCH = text('Series selector, such as up or http_requests_total{job="api"}')

# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = {
    "query": Operation({"query": _QUERY, "time": text(f"At which time: {_TIMES}; default now")}, ("query",)),
    "query_range": Operation(
        {
            "query": _QUERY,
            "start": _START,
            "end": _END,
            "step": text("Distance of the points, such as 30s or 5m; default: about 60 points"),
        },
        ("query",),
    ),
    "labels": Operation(
        {
            "label": text("List the values of this label; default: list the names of all labels"),
            "match": _MATCH,
            "start": _START,
            "end": _END,
        }
    ),
    "series": Operation({"match": _MATCH, "start": _START, "end": _END}, ("match",)),
    "targets": Operation(
        {
            "state": text("Which targets; default active", "active", "dropped", "any"),
            "job": text("Only targets of this scrape job"),
        }
    ),
    "rules": Operation(
        {
            "type": text("Which rules; default all", "alert", "record"),
            "name": text("Only rules of this name"),
        }
    ),
    "alerts": Operation({"state": text("Only alerts in this state", "firing", "pending")}),
}
_SUMMARIES = {
    "query": "Ask Prometheus for the value of a PromQL expression at one time.",
    "query_range": "Ask Prometheus how a PromQL expression went over a range of time.",
    "labels": "List the label names that Prometheus knows, or the values of one label.",
    "series": "List the series that match a selector.",
    "targets": "List what Prometheus scrapes, and whether that works.",
    "rules": "List the alerting and recording rules.",
    "alerts": "List the alerts that are pending or firing.",
}
_BY_NAME = {f"prometheus-{name.replace('_', '-')}": name for name in OPERATIONS}
BUILTINS: dict[str, Builtin] = {name: Builtin(NAME, _SUMMARIES[operation]) for name, operation in _BY_NAME.items()}


def _block(tool: ToolDeclaration) -> PrometheusBlock | None:
    """The block of a document, or that of the built-in without one."""
    if tool.block is None and tool.description is None and tool.name in _BY_NAME:
        return PrometheusBlock.model_validate({"operation": _BY_NAME[tool.name], "url": DEFAULT_URL})
    block: PrometheusBlock | None = tool.block
    return block


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A server that cannot be called, and parameters that the operation does not have."""
    block = _block(tool)
    if block is None:
        help = "add prometheus: {operation: query, url: http://…}"
        yield Problem("KR102", "the block `prometheus` is missing", (), help)
        return
    url = ("prometheus", "url")
    has_token = block.bearer_token_secret_ref is not None
    yield from check_url(block.url, url, is_template=False, allows_private=block.allow_private_addresses)
    yield from check_headers(block.headers, ("prometheus", "headers"), has_authorization=has_token)
    yield from check_tls(block.tls, block.url, ("prometheus", "tls"))
    has_credential = has_token or any(header.secret_ref for header in block.headers)
    yield from check_plaintext(block.url, url, has_credential=has_credential)
    yield from check_narrowing(tool.parameters, OPERATIONS[block.operation])


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The operation as the runtime carries it out, and whom the pod calls with which credentials."""
    block = _block(tool)
    assert block is not None, "checked before"
    needs = Needs(tool.name)
    headers = [needs.header(header) for header in block.headers]
    if block.bearer_token_secret_ref:
        headers.append(needs.bearer(block.bearer_token_secret_ref))
    config: dict[str, Any] = {
        "name": tool.name,
        "operation": block.operation,
        "description": tool.description or _SUMMARIES[block.operation],
        "parameters": narrowed_schema(tool.parameters, OPERATIONS[block.operation]),
        "url": block.url.rstrip("/"),
        "headers": headers,
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": MAX_OUTPUT_BYTES,
        "allow_private_addresses": block.allow_private_addresses,
    }
    if tls := needs.tls(block.tls):
        config["tls"] = tls
    endpoint = endpoint_of(block.url, is_private=block.allow_private_addresses)
    return LoweredTool(tool.name, NAME, config, needs=needs.contribution(endpoint), effect="reads")


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all prometheus tools of an agent."""
    config = {"tools": [tool.config for tool in tools]}
    return component("kagent_runtime.components.PrometheusTools", "workbench", config)
