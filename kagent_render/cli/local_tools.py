"""MCP servers that a build deploys, which do not run on this machine: what `run` says, and where they are instead."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import click

from kagent_render.lower import Workload

Config = dict[str, Any]
_WORKBENCH = "kagent_runtime.components.McpTools"


def named_urls(given: Sequence[str]) -> dict[str, str]:
    """`NAME=URL` by name. Raises UsageError for what is neither."""
    found = {}
    for item in given:
        name, _, url = item.partition("=")
        parts = urlsplit(url)
        if not name or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise click.UsageError(f"--tool-url `{item}` is not NAME=URL, such as orders=http://127.0.0.1:8000/mcp")
        found[name] = url
    return found


def with_urls(workload: Workload, urls: Mapping[str, str]) -> Config:
    """The config of the runtime, with these MCP servers elsewhere. Raises UsageError for a tool that has none."""
    config = copy.deepcopy(workload.runtime_config)
    servers = list(_servers(config["component"]))
    names = {server["name"] for server in servers}
    if unknown := sorted(urls.keys() - names):
        there = ", ".join(sorted(names)) or "none"
        raise click.UsageError(f"--tool-url: no MCP server over HTTP is called `{unknown[0]}`; there are: {there}")
    for server in servers:
        # Of a pod's loopback; on this machine something else may listen there, which no spec gets at by itself.
        server.pop("loopback_port", None)
        if url := urls.get(server["name"]):
            # Whoever runs it here says where, and may mean a private address.
            server.update(url=url, allow_private_addresses=True)
    return config


def about_servers(workload: Workload, urls: Mapping[str, str]) -> Iterator[str]:
    """A line for each server that a build would start and that nothing starts here."""
    deployed = {tool.declaration.name for tool in workload.servers}
    found = {server["name"]: server for server in _servers(workload.runtime_config["component"])}
    for name in sorted(found):
        server = found[name]
        if name in urls:
            yield f"  tool {name}: {urls[name]}"
        elif name in deployed or "loopback_port" in server:
            yield f"  tool {name}: its server is not started here, so that what it offers is not available;"
            yield f"    --tool-url {name}=URL takes one that runs"


def _servers(value: Any) -> Iterator[Config]:
    """The config of every MCP server over HTTP in a component tree."""
    if isinstance(value, list):
        for item in value:
            yield from _servers(item)
    elif isinstance(value, dict):
        if value.get("provider") == _WORKBENCH:
            yield from (server for server in value["config"]["tools"] if "url" in server)
        else:
            for item in value.values():
                yield from _servers(item)
