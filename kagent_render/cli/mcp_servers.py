"""Live MCP servers, asked for their tools by the runtime, which has the client, its rules and its credentials."""

from __future__ import annotations

import importlib.util
import ipaddress
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click

from kagent_render.catalog.tools.remote import check_plaintext
from kagent_render.catalog.tools.urls import check_url, is_in_cluster
from kagent_render.diagnostics import did_you_mean
from kagent_render.lower.agent import lower_tool
from kagent_render.resolve import Graph, ToolNode
from kagent_render.source.tool_lock import key_of

JSON = dict[str, Any]
_SECONDS = 180.0  # each server has 15, and all are asked at once


def mcp_tools(graph: Graph) -> dict[str, ToolNode]:
    """The Tool documents of type mcp, by the names that the lock has for them."""
    found = {}
    for tool in graph.tools:
        if tool.type == "mcp" and tool.document is not None:
            namespace = tool.document.data["metadata"].get("namespace")
            found[key_of(namespace, tool.declaration.name)] = tool
    return {key: found[key] for key in sorted(found)}


def configs(tools: Mapping[str, ToolNode], servers: Sequence[str]) -> dict[str, JSON]:
    """How the runtime reaches each server; `servers` are NAME=URL in place of what the specs say. Raises UsageError."""
    instead = dict(_instead(text, tools) for text in servers)
    found = {}
    for key, tool in tools.items():
        config = lower_tool(tool).config
        if "loopback_port" in config and key not in instead:
            # On this port of this machine may be anything; it would get the credentials.
            raise click.UsageError(
                f"{key}: its server runs beside each agent: --tool-url {key}=URL takes one that runs"
            )
        # What is locked and fixed is for models; whoever is asked now says what there is.
        config = {name: value for name, value in config.items() if name not in ("locked", "fixed")}
        found[key] = _moved(key, config, instead[key]) if key in instead else config
    return found


def _instead(text: str, tools: Mapping[str, ToolNode]) -> tuple[str, str]:
    name, sign, url = text.partition("=")
    keys = [key for key in tools if name in (key, key.rpartition("/")[2])]
    if not sign or not url:
        raise click.UsageError(f"--tool-url takes NAME=URL, not `{text}`")
    if not keys:
        help = did_you_mean(name, tools) or f"there are: {', '.join(tools) or 'none'}"
        raise click.UsageError(f"--tool-url: no Tool of type mcp is called `{name}`; {help}")
    if len(keys) > 1:
        raise click.UsageError(f"--tool-url: say which `{name}`: {', '.join(keys)}")
    return keys[0], url


def _moved(key: str, config: JSON, url: str) -> JSON:
    """The server at another URL. Files of certificates are only in the pod; here the system's CAs are trusted."""
    if config["transport"] == "stdio":
        raise click.UsageError(f"--tool-url: `{key}` is a process that is started here; it has no URL")
    is_loopback = _is_loopback(url)
    allows_private = is_loopback or config["allow_private_addresses"]
    problems = list(check_url(url, (), is_template=False, allows_private=allows_private))
    if not is_loopback:
        has_credential = any("env" in header for header in config["headers"])
        problems += check_plaintext(url, (), has_credential=has_credential)
    if problems:
        raise click.UsageError(f"--tool-url {key}: {problems[0].message}")
    kept = {name: value for name, value in config.items() if name != "tls"}
    return kept | {"url": url, "allow_private_addresses": allows_private}


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_runtime() -> None:
    """Raises UsageError without the runtime."""
    if any(importlib.util.find_spec(name) is None for name in ("kagent_runtime", "mcp")):
        raise click.UsageError("asking servers needs the runtime: pip install 'kagent-render[runtime]'")


def ask(asked: Mapping[str, JSON]) -> dict[str, JSON]:
    """What each server answers: `tools` and `names`, or `failure`. Raises UsageError when it cannot be asked at all."""
    if not asked:
        return {}
    command = [sys.executable, "-m", "kagent_runtime.mcp_listing"]
    config = json.dumps({"tools": list(asked.values())})
    try:
        done = subprocess.run(
            command, input=config, stdout=subprocess.PIPE, encoding="utf-8", check=False, timeout=_SECONDS
        )
        answers = json.loads(done.stdout) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        raise click.UsageError(f"the servers did not answer within {_SECONDS:g} s") from None
    except ValueError:
        answers = None
    if answers is None:
        raise click.UsageError("the runtime could not ask the servers; is it of the same version as the compiler?")
    return dict(zip(asked, answers, strict=True))


def hint(config: JSON) -> str:
    """What may help when a server could not be asked from this machine; nothing for one that is started here."""
    if "url" not in config:
        return ""
    files = [value for value in (config.get("tls") or {}).values() if isinstance(value, str)]
    missing = next((file for file in files if not Path(file).exists()), None)
    if missing:
        return f"{missing} is only in the pod: --tool-url takes another URL"
    if is_in_cluster(urlsplit(config["url"]).hostname or ""):
        return "it is only reached in the cluster: --tool-url takes a URL that is forwarded"
    return ""
