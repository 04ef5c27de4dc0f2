"""`python -m kagent_runtime.mcp_listing`: it connects where tools may, trusts whom they trust, and shows no more."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.edge.certificate import loopback_certificate
from tests.edge.mcp_sessions import McpSessions
from tests.harness import ROOT

JSON = dict[str, Any]
TOKEN = "listing-canary-93ab5e11"


def listed(*servers: JSON, **environment: str) -> list[JSON]:
    """What the module answers."""
    done = subprocess.run(
        [sys.executable, "-m", "kagent_runtime.mcp_listing"],
        input=json.dumps({"tools": list(servers)}),
        env=os.environ | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    answers: list[JSON] = json.loads(done.stdout)
    return answers


def server(url: str, **changes: Any) -> JSON:
    config: JSON = {"name": "orders", "description": "", "transport": "streamable-http", "allowed": ["add"], "url": url}
    config |= {"timeout_seconds": 3.0, "max_output_bytes": 4096, "headers": [], "allow_private_addresses": True}
    return config | changes


def test_servers_are_asked_at_once_and_fail_alone(tmp_path: Path) -> None:
    """Addresses are judged, names verified by the CA of the spec, and credentials taken out of what comes back."""
    pair = loopback_certificate(tmp_path, names=["localhost"])
    header = {"name": "Authorization", "prefix": "Bearer ", "env": "KAGENT_TOOL_ORDERS_TOKEN"}
    with McpSessions() as plain, McpSessions(tls=pair) as secure, McpSessions() as refusing:
        plain.tool = {
            "name": "add",
            "description": f"Adds with {TOKEN}.",
            "inputSchema": {"type": "object", "x": {TOKEN: [TOKEN]}},
        }
        refusing.refusal = f"no: {TOKEN}"
        here = f"http://127.0.0.1:{plain.port}/mcp"
        trust = {"tls": {"system_cas": False, "ca": str(pair[0])}}
        answers = listed(
            server(here, headers=[header]),
            server(here, allow_private_addresses=False),
            server(f"https://localhost:{secure.port}/mcp", **trust),
            server(f"https://127.0.0.1:{secure.port}/mcp", **trust),
            server(f"http://127.0.0.1:{refusing.port}/mcp", headers=[header]),
            server(here, allowed=["absent"]),
            server("http://169.254.169.254/mcp"),
            KAGENT_TOOL_ORDERS_TOKEN=TOKEN,
        )
    schema = {"type": "object", "x": {"[redacted]": ["[redacted]"]}}
    told = {"name": "add", "description": "Adds with [redacted].", "inputSchema": schema}
    assert answers[0] == {"tools": [told], "names": ["add"]}
    assert "127.0.0.1, which this tool may not call" in answers[1]["failure"]
    assert answers[2]["names"] == ["add"]
    assert "CERTIFICATE_VERIFY_FAILED" in answers[3]["failure"]
    assert answers[4]["failure"] == "the MCP server `orders`: no: [redacted]"
    assert answers[5] == {"tools": [], "names": ["add"]}
    assert "169.254.169.254, which this tool may not call" in answers[6]["failure"]


def test_a_config_that_is_none_is_refused() -> None:
    command = [sys.executable, "-m", "kagent_runtime.mcp_listing"]
    done = subprocess.run(command, input='{"tools": [{}]}', capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (78, "")
    assert "defects in the config" in done.stderr
