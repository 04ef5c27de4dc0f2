"""An agent and the MCP server of its tool as two containers of one pod, as rendered: images, command, Secret, security.

The server is made with the official SDK, which the runtime's image has: the same image serves for both containers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.e2e.containers import Containers
from tests.e2e.manifests import load_rendered
from tests.e2e.pod import of_type
from tests.e2e.surroundings import surrounded
from tests.harness import kagent_render

PORT = 8765
PASSWORD = "s3cret-of-the-orders"
# Not with an empty line first: podman 4 writes its YAML anew, in a form that it cannot read.
SERVER = f"""import os
from mcp.server import MCPServer

server = MCPServer("orders", version="1")


def writes(path: str) -> bool:
    try:
        with open(path, "w") as file:
            file.write("x")
    except OSError:
        return False
    return True


@server.tool()
async def find_order(number: str) -> str:
    "Finds an order."
    import json
    with open("/proc/self/status") as file:
        status = dict(line.split(":", 1) for line in file)
    return json.dumps({{
        "order": number,
        "user": os.getuid(),
        "capabilities": status["CapEff"].strip(),
        "no_new_privileges": status["NoNewPrivs"].strip(),
        "password": os.environ.get("DATABASE_PASSWORD"),
        "agents": sorted(name for name in os.environ if name.startswith("KAGENT_")),
        "token": os.path.exists("/var/run/secrets/kubernetes.io/serviceaccount/token"),
        "writes": [path for path in ("/tmp/x", "/var/cache/orders/x", "/opt/x", "/x") if writes(path)],
    }})


server.run("streamable-http", host="0.0.0.0", port={PORT})
"""
SCRIPT: list[dict[str, Any]] = [
    {
        "system": "You work with orders",
        "steps": [
            {"tool_calls": [{"name": "find_order", "arguments": {"number": "4711"}}]},
            {"text": "Order 4711 is on its way."},
        ],
    }
]
SPECS: list[dict[str, Any]] = [
    {
        "apiVersion": "kagent.dev/v1alpha1",
        "kind": "ModelConfig",
        "metadata": {"name": "m"},
        "spec": {"model": "gpt-4o", "apiKeySecretRef": {"name": "openai", "key": "key"}},
    },
    {
        "apiVersion": "kagent.dev/v1alpha1",
        "kind": "Tool",
        "metadata": {"name": "orders"},
        "spec": {
            "type": "mcp",
            "description": "Orders of the shop",
            "mcp": {
                "server": {
                    "placement": "Sidecar",
                    "image": "ghcr.io/acme/orders-mcp:1.4.0",
                    "command": ["/opt/kagent/bin/python", "-c"],
                    "args": [SERVER],
                    "port": PORT,
                    "env": [{"name": "DATABASE_PASSWORD", "secretRef": {"name": "orders-db", "key": "password"}}],
                    "writablePaths": ["/var/cache/orders"],
                },
                "tools": ["find_order"],
            },
        },
    },
    {
        "apiVersion": "kagent.dev/v1alpha1",
        "kind": "Agent",
        "metadata": {"name": "clerk", "namespace": "shop"},
        "spec": {
            "description": "Works with orders",
            "systemMessage": "You work with orders.",
            "modelConfigRef": {"name": "m"},
            "tools": [{"name": "orders"}],
        },
    },
]


def test_a_sidecar_answers_the_agent_of_its_pod(containers: Containers, image: str, tmp_path: Path) -> None:
    """It has its own Secret and nothing of the agent's, a read-only root with two folders, and no rights."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "specs.yaml").write_text(yaml.safe_dump_all(SPECS), "utf-8")
    done = kagent_render("build", str(tmp_path / "specs"), "-o", str(tmp_path / "rendered"))
    assert done.code == 0, done.stderr
    workload = load_rendered(tmp_path / "rendered")
    assert [each["name"] for each in workload.containers] == ["tool-orders-server", "agent"]
    with (
        surrounded(containers, workload, SCRIPT, tmp_path, {"orders-db": PASSWORD}) as surroundings,
        surroundings.started(image, tmp_path) as started,
    ):
        events = started.pod.ask("Where is order 4711?")
        log = started.pod.logs()
    (result,) = of_type(events, "tool.result")
    assert not result["isError"], f"{result}\n{log}"
    assert json.loads(result["content"]) == {
        "order": "4711",
        "user": 10001,
        "capabilities": "0000000000000000",
        "no_new_privileges": "1",
        "password": PASSWORD,
        "agents": [],
        "token": False,
        "writes": ["/tmp/x", "/var/cache/orders/x"],
    }
    assert of_type(events, "message")[-1]["content"] == "Order 4711 is on its way."
    assert events[-1]["outcome"] == "completed"
    assert PASSWORD not in log
