"""Tool type `http`: one request to one server, with the model's arguments in its path, query or body."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal, Self
from urllib.parse import parse_qsl, urlsplit

from pydantic import ConfigDict, Field, model_validator

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.connection import ClientTls, Header
from kagent_render.catalog.fields import SecretKeyReference, SpecModel, Text, coded
from kagent_render.catalog.output_schema import OutputValue
from kagent_render.catalog.tools import placeholders, selection
from kagent_render.catalog.tools.base import Builtin, Parameter, ToolDeclaration
from kagent_render.catalog.tools.parameters import check_parameters, is_always_given, schema_of
from kagent_render.catalog.tools.remote import Needs, check_header_name, check_headers, check_plaintext, check_tls
from kagent_render.catalog.tools.urls import check_url, endpoint_of
from kagent_render.diagnostics import did_you_mean

NAME = "http"
_READING = ("GET", "HEAD")  # what RFC 9110 calls safe
BUILTINS: dict[str, Builtin] = {}
_AUTHORIZATIONS = ("bearer_token_secret_ref", "basic", "header")


class Basic(SpecModel):
    """User name and password (RFC 7617)."""

    username: Text = Field(description="The user name.")
    password_secret_ref: SecretKeyReference = Field(description="The password.")


class SecretHeader(SpecModel):
    """A header whose value is a credential."""

    name: Text = Field(description="Name of the header.")
    secret_ref: SecretKeyReference = Field(description="Its value.")


class Auth(SpecModel):
    """One way to authenticate."""

    bearer_token_secret_ref: SecretKeyReference | None = Field(
        default=None, description="Sent as `Authorization: Bearer`."
    )
    basic: Basic | None = Field(default=None, description="User and password.")
    header: SecretHeader | None = Field(default=None, description="A header that holds the credential.")


class Response(SpecModel):
    """What of the answer the model gets, and what is right of it."""

    # For editors; the validator below says it with a place and a fix.
    model_config = ConfigDict(json_schema_extra={"anyOf": [{"required": ["path"]}, {"required": ["schema"]}]})

    path: Text | None = Field(
        default=None, description="Place in a JSON answer: `a.b[0].c`; `items[*].name` for each item."
    )
    schema_: OutputValue | None = Field(
        default=None,
        alias="schema",
        description="What the answer, or what is at `path`, has to be; fields that it does not name are let through.",
    )

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.path is None and self.schema_ is None:
            raise coded("KR102", "`response` says nothing", "", "add path or schema, or remove it")
        return self


class HttpBlock(SpecModel):
    """The request."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = Field(
        default="GET", description="The HTTP method."
    )
    url: Text = Field(description="The URL; `{parameter}` may stand in its path and query.")
    headers: list[Header] = Field(default_factory=list, description="Headers of every request.")
    query: dict[str, str] = Field(default_factory=dict, description='Query: values, or "{parameter}".')
    body: dict[str, Any] | None = Field(default=None, description='JSON body; "{parameter}" keeps the type.')
    auth: Auth | None = Field(default=None, description="Which credential every call carries.")
    tls: ClientTls | None = Field(default=None, description="Whom the connection trusts, and its certificate.")
    response: Response | None = Field(default=None, description="Which part of the answer the model gets.")
    timeout_seconds: float = Field(default=30, gt=0, le=300, description="The whole call, redirects included.")
    max_bytes: int = Field(default=65536, ge=256, le=1048576, description="What the model gets of an answer, at most.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network; Services of the cluster always may."
    )


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """Templates and parameters that do not fit, and what the runtime would refuse."""
    block: HttpBlock | None = tool.block
    if block is None:
        yield Problem("KR102", "the block `http` is missing", (), "add http: {url: https://…}")
        return
    parameters = tool.parameters or {}
    yield from check_parameters(parameters)
    url = ("http", "url")
    yield from check_url(block.url, url, is_template=True, allows_private=block.allow_private_addresses)
    yield from _check_placeholders(block, parameters)
    yield from _check_request(block)
    has_authorization = bool(block.auth and not block.auth.header)
    yield from check_headers(block.headers, ("http", "headers"), has_authorization=has_authorization)
    yield from check_tls(block.tls, block.url, ("http", "tls"))
    has_credential = block.auth is not None or any(header.secret_ref for header in block.headers)
    yield from check_plaintext(block.url, url, has_credential=has_credential)


def _check_placeholders(block: HttpBlock, parameters: Mapping[str, Parameter]) -> Iterator[Problem]:
    used: set[str] = set()
    for location, template in _templates(block):
        for name in placeholders.names(template):
            used.add(name)
            parameter = parameters.get(name)
            if parameter is None:
                help = did_you_mean(name, parameters) or f"declare it, or write {{{{{name}}}}} for the text itself"
                yield Problem("KR351", f"`{{{name}}}` is not a parameter of this tool", location, help)
            elif not is_always_given(parameter) and (location[1] == "url" or not placeholders.is_whole(template)):
                message = f"`{name}` may be left out, and the text around it cannot"
                help = f"add `required: true` or a `default` to `{name}`"
                yield Problem("KR354", message, location, help)
    for name in parameters:
        if name not in used:
            help = f"use {{{name}}} in the url, query or body, or remove it"
            yield Problem("KR352", f"the request does not use `{name}`", ("parameters", name), help)


def _templates(block: HttpBlock) -> Iterator[tuple[tuple[int | str, ...], str]]:
    yield ("http", "url"), block.url
    yield from placeholders.templates_in(block.query, ("http", "query"))
    if block.body is not None:
        yield from placeholders.templates_in(block.body, ("http", "body"))


def _check_request(block: HttpBlock) -> Iterator[Problem]:
    if block.body is not None and block.method in _READING:
        help = "use `method: POST`, or move it to `query`"
        yield Problem("KR104", f"{block.method} has no body", ("http", "body"), help)
    if block.auth and len([name for name in _AUTHORIZATIONS if getattr(block.auth, name)]) != 1:
        help = "bearerTokenSecretRef, basic or header"
        yield Problem("KR104", "`auth` takes exactly one way to authenticate", ("http", "auth"), help)
    if block.auth and block.auth.basic and ":" in block.auth.basic.username:
        place = ("http", "auth", "basic", "username")
        yield Problem("KR104", "a user name cannot have a `:` (RFC 7617)", place, None)
    if block.auth and block.auth.header:
        name, place = block.auth.header.name, ("http", "auth", "header", "name")
        yield from check_header_name(name, place)
        if any(header.name.lower() == name.lower() for header in block.headers):
            yield Problem("KR355", f"`{name}` is given twice", place, "remove it from `headers`")
    if block.response and block.response.path is not None and selection.steps(block.response.path) is None:
        help = 'as in a.b[0].c, items[*].name or data["odd key"]'
        message = f"`{block.response.path}` is not a path"
        yield Problem("KR357", message, ("http", "response", "path"), help)
    if block.response and block.method == "HEAD":
        yield Problem(
            "KR104", "the answer to HEAD has no body", ("http", "response"), "use `method: GET`, or remove it"
        )


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The request as the runtime makes it, and whom the pod calls with which credentials."""
    block: HttpBlock = tool.block
    needs = Needs(tool.name)
    base, _, query = block.url.partition("?")
    pairs = [*parse_qsl(query, keep_blank_values=True), *block.query.items()]
    config: dict[str, Any] = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": schema_of(tool.parameters or {}),
        "method": block.method,
        "url": base if urlsplit(base).path else f"{base}/",
        "query": [{"name": name, "value": value} for name, value in pairs],
        "headers": [needs.header(header) for header in block.headers] + _authorization(block, needs),
        "timeout_seconds": float(block.timeout_seconds),
        "max_bytes": block.max_bytes,
        "allow_private_addresses": block.allow_private_addresses,
    }
    response = block.response
    optional = {
        "basic": _basic(block, needs),
        "tls": needs.tls(block.tls),
        "body": block.body,
        "select": selection.steps(response.path) if response and response.path is not None else None,
        "answer_schema": response.schema_.json_schema(is_open=True) if response and response.schema_ else None,
    }
    config |= {name: value for name, value in optional.items() if value is not None}
    endpoint = endpoint_of(base, is_private=block.allow_private_addresses)
    effect: Literal["reads", "changes"] = "reads" if block.method in _READING else "changes"
    return LoweredTool(tool.name, NAME, config, needs=needs.contribution(endpoint), effect=effect)


def _authorization(block: HttpBlock, needs: Needs) -> list[dict[str, str]]:
    if block.auth and block.auth.bearer_token_secret_ref:
        return [needs.bearer(block.auth.bearer_token_secret_ref)]
    if block.auth and block.auth.header:
        return [needs.secret_header(block.auth.header.name, block.auth.header.secret_ref)]
    return []


def _basic(block: HttpBlock, needs: Needs) -> dict[str, str] | None:
    if not block.auth or not block.auth.basic:
        return None
    basic = block.auth.basic
    return {"username": basic.username, "password_env": needs.secret("PASSWORD", basic.password_secret_ref)}


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all http tools of an agent."""
    return component("kagent_runtime.components.HttpTools", "workbench", {"tools": [tool.config for tool in tools]})
