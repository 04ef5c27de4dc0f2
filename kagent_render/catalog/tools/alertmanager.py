"""Tool type `alertmanager`: the alerts that it holds, and silences, over its HTTP API."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.operations import Operation, check_narrowing, narrowed_schema, number, text
from kagent_render.catalog.tools.remote import MAX_OUTPUT_BYTES, Needs, check_headers, check_plaintext, check_tls
from kagent_render.catalog.tools.urls import check_url, endpoint_of

NAME = "alertmanager"
# The Service that the Prometheus Operator makes for every Alertmanager, in the namespace that its charts go to.
DEFAULT_URL = "http://alertmanager-operated.monitoring.svc.cluster.local:9093"


class AlertmanagerBlock(SpecModel):
    """What is done, and at which server."""

    operation: Literal["alerts", "silences", "silence", "expire_silence"] = Field(description="What the tool does.")
    url: Text = Field(description="The server, without /api/v2, such as http://alertmanager.monitoring.svc:9093.")
    headers: list[Header] = Field(default_factory=list, description="Headers of every request, such as X-Scope-OrgID.")
    bearer_token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="Sent as `Authorization: Bearer`."
    )
    tls: ClientTls | None = Field(default=None, description="Whom the connection trusts, and its certificate.")
    max_minutes: int = Field(default=240, ge=1, le=44640, description="How long a silence may be.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="One call.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network; Services of the cluster always may."
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    summary: str
    operation: Operation
    is_changing: bool = False


_MATCH = text('Label matchers with commas between, such as alertname="DiskFull",instance=~"db.*"')

_ENTRIES: dict[str, _Entry] = {
    "alerts": _Entry(
        "List the alerts that Alertmanager holds, and which of them are silenced or inhibited.",
        Operation(
            {
                "match": _MATCH,
                "state": text("Only alerts in this state; default all", "active", "suppressed", "unprocessed"),
            }
        ),
    ),
    "silences": _Entry(
        "List the silences, with who made them, why, and until when.",
        Operation(
            {"match": _MATCH, "state": text("Which ones; default active and pending", "active", "pending", "expired")}
        ),
    ),
    "silence": _Entry(
        "Silence the alerts that match, from now on for some minutes. Name as few alerts as you can.",
        Operation(
            {
                "match": _MATCH,
                "minutes": number("How long, in minutes"),
                "comment": text("Why, for those who wonder where their alerts are"),
            },
            ("match", "minutes", "comment"),
        ),
        is_changing=True,
    ),
    "expire_silence": _Entry(
        "End a silence, so that its alerts are sent again.",
        Operation({"id": text("Id of the silence, as alertmanager-silences shows it")}, ("id",)),
        is_changing=True,
    ),
}
# The runtime implements exactly these; tests/contract holds both sides together.
OPERATIONS: dict[str, Operation] = {name: entry.operation for name, entry in _ENTRIES.items()}
_BY_NAME = {f"alertmanager-{name.replace('_', '-')}": name for name in _ENTRIES}
BUILTINS: dict[str, Builtin] = {name: Builtin(NAME, _ENTRIES[found].summary) for name, found in _BY_NAME.items()}
READING = tuple(name for name, found in _BY_NAME.items() if not _ENTRIES[found].is_changing)


def _block(tool: ToolDeclaration) -> AlertmanagerBlock | None:
    """The block of a document, or that of the built-in without one."""
    if tool.block is None and tool.description is None and tool.name in _BY_NAME:
        return AlertmanagerBlock.model_validate({"operation": _BY_NAME[tool.name], "url": DEFAULT_URL})
    block: AlertmanagerBlock | None = tool.block
    return block


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A server that cannot be called, and parameters that the operation does not have."""
    block = _block(tool)
    if block is None:
        help = "add alertmanager: {operation: alerts, url: http://…}"
        yield Problem("KR102", "the block `alertmanager` is missing", (), help)
        return
    url = ("alertmanager", "url")
    has_token = block.bearer_token_secret_ref is not None
    yield from check_url(block.url, url, is_template=False, allows_private=block.allow_private_addresses)
    yield from check_headers(block.headers, ("alertmanager", "headers"), has_authorization=has_token)
    yield from check_tls(block.tls, block.url, ("alertmanager", "tls"))
    has_credential = has_token or any(header.secret_ref for header in block.headers)
    yield from check_plaintext(block.url, url, has_credential=has_credential)
    yield from check_narrowing(tool.parameters, OPERATIONS[block.operation])


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The operation as the runtime carries it out, and whom the pod calls with which credentials."""
    block = _block(tool)
    assert block is not None, "checked before"
    needs, entry = Needs(tool.name), _ENTRIES[block.operation]
    headers = [needs.header(header) for header in block.headers]
    if block.bearer_token_secret_ref:
        headers.append(needs.bearer(block.bearer_token_secret_ref))
    config: dict[str, Any] = {
        "name": tool.name,
        "operation": block.operation,
        "description": tool.description or entry.summary,
        "parameters": narrowed_schema(tool.parameters, entry.operation),
        "url": block.url.rstrip("/"),
        "headers": headers,
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": MAX_OUTPUT_BYTES,
        "allow_private_addresses": block.allow_private_addresses,
        "max_minutes": block.max_minutes,
    }
    if tls := needs.tls(block.tls):
        config["tls"] = tls
    endpoint = endpoint_of(block.url, is_private=block.allow_private_addresses)
    return LoweredTool(
        tool.name,
        NAME,
        config,
        needs=needs.contribution(endpoint),
        effect="changes" if entry.is_changing else "reads",
        is_approved_by_default=not entry.is_changing,
    )


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all alertmanager tools of an agent."""
    config = {"tools": [tool.config for tool in tools]}
    return component("kagent_runtime.components.AlertmanagerTools", "workbench", config)
