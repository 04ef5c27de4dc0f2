"""The server of a tool of type mcp, run from an image: the block `mcp.server`, and the container that it means."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from pydantic import Field
from pydantic.alias_generators import to_camel

from kagent_render.catalog.base import Contribution, Endpoint, LoweredTool, Problem, ServerContainer, Variable
from kagent_render.catalog.container_resources import ResourceAmounts, Resources
from kagent_render.catalog.fields import ImageName, MountPath, SpecModel, Text, UrlPath
from kagent_render.catalog.tools.server_variables import ServerVariable, check_variables
from kagent_render.catalog.tools.urls import check_url

LOOPBACK = "127.0.0.1"
_PLACE = ("mcp", "server")
_DEFAULT_PATHS = {"streamable-http": "/mcp", "sse": "/sse"}
_TMP = "/tmp"
_HOST = re.compile(r"[A-Za-z0-9._-]+\Z|[0-9A-Fa-f:.]+\Z")


class ServerEgress(SpecModel):
    """Whom the server may call."""

    host: Text = Field(description="A Service such as orders-db.data.svc, a name outside the cluster, or an address.")
    port: int = Field(ge=1, le=65535, description="Its TCP port.")
    allow_private_addresses: bool = Field(
        default=False, description="Whether the host may be on a private network; Services of the cluster always may."
    )


def _default_resources() -> Resources:
    requests = ResourceAmounts(cpu="50m", memory="64Mi")
    return Resources(requests=requests, limits=ResourceAmounts(cpu="500m", memory="256Mi"))


class McpServer(SpecModel):
    """A container that serves the tools over HTTP: as a Deployment that all users share, or beside each agent."""

    placement: Literal["Deployment", "Sidecar"] = Field(
        default="Deployment", description="`Sidecar`: a container in every pod of each workload that uses the tool."
    )
    image: ImageName = Field(description="The image, best with a digest; images.lock adds it.")
    command: list[str] = Field(default_factory=list, description="In place of the image's entrypoint.")
    args: list[str] = Field(default_factory=list, description="In place of the image's arguments.")
    port: int = Field(
        default=8000, ge=1, le=65535, description="Where it listens, on all addresses of the pod: it is probed there."
    )
    path: UrlPath | None = Field(default=None, description="Its endpoint. Default /mcp; /sse with `transport: sse`.")
    env: list[ServerVariable] = Field(default_factory=list, description="Its environment.")
    resources: Resources = Field(
        default_factory=_default_resources, description="Default: 50m and 64Mi, at most 500m and 256Mi."
    )
    replicas: int | None = Field(default=None, ge=1, le=1000, description="Of a Deployment. Default 1.")
    egress: list[ServerEgress] = Field(
        default_factory=list, description="Whom it may call, and DNS then. Default: nobody. A sidecar shares its pod's."
    )
    writable_paths: list[MountPath] = Field(
        default_factory=list,
        max_length=16,
        description="Folders that it may write to, besides /tmp; they end with the pod.",
    )


def check_server(server: McpServer, transport: str, others: Sequence[str]) -> Iterator[Problem]:
    """Fields of the block that have no effect beside `server`, and a container that could not work."""
    for name in map(to_camel, others):
        message = f"`{name}` has no effect: `server` says what runs, and where it answers"
        yield Problem("KR361", message, ("mcp", name), "remove it, or `server`")
    if transport not in _DEFAULT_PATHS:
        message = f"the transport {transport} is for a process of the agent's own container"
        help = (
            "remove it, and have the image serve streamable HTTP; a stdio server needs a bridge in its image for that"
        )
        yield Problem("KR104", message, ("mcp", "transport"), help)
    if server.replicas is not None and server.placement == "Sidecar":
        message = "`replicas` has no effect: a sidecar is in every pod of the agent"
        yield Problem("KR361", message, (*_PLACE, "replicas"), "remove it")
    yield from check_variables(server.env, (*_PLACE, "env"))
    for index, path in enumerate(server.writable_paths):
        if path in (_TMP, *server.writable_paths[:index]):
            yield Problem("KR204", f"`{path}` is writable already", (*_PLACE, "writablePaths", index), "remove it")
    for index, item in enumerate(server.egress):
        yield from _check_egress(item, (*_PLACE, "egress", index, "host"))


def _check_egress(item: ServerEgress, place: tuple[int | str, ...]) -> Iterator[Problem]:
    if not _HOST.match(item.host):
        yield Problem("KR353", f"`{item.host}` is not a host", place, "a name or an address; `port` stands beside it")
        return
    # Judged as the URL of a tool is; at 443 a short name is a public one.
    scheme, host = "https" if item.port == 443 else "http", f"[{item.host}]" if ":" in item.host else item.host
    url, is_private = f"{scheme}://{host}:{item.port}", item.allow_private_addresses
    yield from check_url(url, place, is_template=False, allows_private=is_private)


def with_server(tool: LoweredTool, server: McpServer) -> LoweredTool:
    """The tool as its own server answers it. A sidecar does so on one port of the pod's loopback; where a Deployment
    does, by its full name, is known once it has a namespace."""
    transport = str(tool.config["transport"])
    container = _container(tool.name, server, _DEFAULT_PATHS[transport])
    if not container.is_sidecar:
        return replace(tool, server=container, config=tool.config | {"url": container.url_at(tool.name)})
    address = {"url": container.url_at(LOOPBACK), "loopback_port": container.port}
    needs = tool.needs | Contribution(endpoints=container.endpoints)
    return replace(tool, server=container, config=tool.config | address, needs=needs)


def _container(name: str, server: McpServer, default_path: str) -> ServerContainer:
    return ServerContainer(
        name=name,
        image=server.image,
        is_sidecar=server.placement == "Sidecar",
        command=tuple(server.command),
        args=tuple(server.args),
        port=server.port,
        path=server.path or default_path,
        variables=tuple(_variable(item) for item in server.env),
        folders=(_TMP, *server.writable_paths),
        endpoints=frozenset(_endpoint(item) for item in server.egress),
        resources=server.resources,
        replicas=server.replicas or 1,
    )


def _variable(item: ServerVariable) -> Variable:
    if item.secret_ref is not None:
        return Variable(item.name, secret=item.secret_ref.name, key=item.secret_ref.key)
    return Variable(item.name, item.value or "")


def _endpoint(item: ServerEgress) -> Endpoint:
    return Endpoint(item.host.lower().removesuffix("."), item.port, "tcp", is_private=item.allow_private_addresses)
