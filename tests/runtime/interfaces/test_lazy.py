"""What a process that nobody has spoken to yet has not loaded."""

from __future__ import annotations

import subprocess
import sys

from tests.harness import ROOT

_SCRIPT = """
import sys
import kagent_runtime.app
from fastapi import FastAPI
from kagent_runtime.interfaces import registry
from kagent_runtime.settings import read_settings
app = FastAPI()
registry.install(app, read_settings([], {}))
print("/v1/models" in app.openapi()["paths"], "/mcp" in [getattr(route, "path", "") for route in app.routes])
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"a2a", "google", "jsonrpc", "mcp", "openai"}))
"""


def test_the_protocols_cost_nothing_before_their_first_request() -> None:
    """Their routes are there, the SDKs behind them are not."""
    done = subprocess.run(
        [sys.executable, "-c", _SCRIPT], cwd=ROOT / "runtime", capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == ["True True", ""]


_ASKING = """
import sys
from autogen_core.tools import Workbench
tool = {"name": "ask", "description": "d", "parameters": {"type": "object", "properties": {}, "required": [],
        "additionalProperties": False}, "timeout_seconds": 5, "max_bytes": 1024, "url": "http://a.b.svc"}
config = {"provider": "kagent_runtime.components.AgentTools", "component_type": "workbench", "version": 1,
          "config": {"tools": [tool]}}
Workbench.load_component(config)
print(*sorted({name.partition(".")[0] for name in sys.modules} & {"a2a", "jsonrpc"}))
"""


def test_the_client_of_a2a_costs_nothing_before_the_first_question() -> None:
    """An agent that may ask others has not loaded the SDK either."""
    done = subprocess.run(
        [sys.executable, "-c", _ASKING], cwd=ROOT / "runtime", capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines() == [""]


_PROBING = """
import asyncio
import sys
from openai._httpx2 import timeout_exceptions
from kagent_runtime import a2a_sdk
def load():
    import a2a.client
    return len(timeout_exceptions())
print("httpx" in sys.modules, asyncio.run(a2a_sdk.loaded(lambda: (len(timeout_exceptions()), load()))))
"""


def test_a_model_that_is_called_meanwhile_finds_no_half_of_a_library() -> None:
    """The SDK of OpenAI looks at each call for httpx, which that of A2A imports: it is whole when the thread begins."""
    done = subprocess.run(
        [sys.executable, "-c", _PROBING], cwd=ROOT / "runtime", capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.splitlines() == ["False (2, 2)"]
