"""Specs of an agent with an MCP server, whose `tools.lock` the command writes."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.edge.mcp_server import PATHS, ROOT
from tests.runtime.specs import MODEL, agent

JSON = dict[str, Any]
SECRET = "mcp-lock-canary-7f31c0aa"
HEADER = "KAGENT_TOOL_ORDERS_HEADER_X_KEY"
VARIABLE = "KAGENT_TOOL_ORDERS_ENV_DOCS_TOKEN"
FIXED_ORDER = {"name": "order", "arguments": {"tenant": "acme"}}


def block(transport: str, port: int, log: Path, **changes: str) -> JSON:
    """How the server of `tests/edge/mcp_server.py` is reached, with a credential; `changes` are words of its own."""
    if transport == "stdio":
        own = {"MCP_LOG": str(log), "PYTHONPATH": str(ROOT)} | changes
        env: list[JSON] = [{"name": name, "value": value} for name, value in own.items()]
        env.append({"name": "DOCS_TOKEN", "secretRef": {"name": "docs", "key": "token"}})
        arguments = ["-m", "tests.edge.mcp_server", "stdio"]
        return {"transport": transport, "command": sys.executable, "args": arguments, "env": env}
    header = {"name": "X-Key", "secretRef": {"name": "orders", "key": "key"}}
    url = f"http://127.0.0.1:{port}{PATHS[transport]}"
    return {"transport": transport, "url": url, "headers": [header], "allowPrivateAddresses": True}


def write(
    folder: Path, mcp: JSON, *tools: str | Mapping[str, Any], grant: str = "", model: str = "http://m.svc/v1"
) -> Path:
    """The specs of the agent `solo` with the Tool `orders`, in a folder of their own."""
    spec = {"type": "mcp", "description": "Orders", "mcp": mcp | {"tools": list(tools)}}
    tool = {"apiVersion": "kagent.dev/v1alpha1", "kind": "Tool", "metadata": {"name": "orders"}, "spec": spec}
    documents = [
        MODEL.format(base_url=model, model_info=""),
        agent("solo", f"tools: [{{name: orders{grant}}}]"),
        json.dumps(tool) + "\n",
    ]
    (folder / "specs").mkdir(parents=True, exist_ok=True)
    (folder / "specs/specs.yaml").write_text("---\n".join(documents), encoding="utf-8")
    return folder


def locked(folder: Path) -> dict[str, JSON]:
    """The tools of `orders` in the lock, by name."""
    data = yaml.safe_load((folder / "tools.lock").read_text(encoding="utf-8"))
    return {tool["name"]: tool for tool in data["tools"]["orders"]}
