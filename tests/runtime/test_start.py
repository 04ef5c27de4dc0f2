"""What does not start: one clear line and exit 78, before anything dangerous is imported."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.harness import EXAMPLES, ROOT
from tests.runtime.process import runtime_config

Config = dict[str, Any]
FUNCTION_TOOL = {
    "provider": "autogen_core.tools.FunctionTool",
    "component_type": "tool",
    "version": 1,
    "config": {"source_code": "raise SystemExit(99)", "name": "x", "description": "x", "global_imports": []},
}


def _start(config: str | None, tmp_path: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = tmp_path / "runtime.json"
    if config is not None:
        path.write_text(config)
    command = [sys.executable, "-m", "kagent_runtime", "--config", str(path), "--host", "127.0.0.1", "--port", "0"]
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("KAGENT_")}
    return subprocess.run(
        command, cwd=ROOT, env=inherited | environment, capture_output=True, text=True, timeout=60, check=False
    )


def _change(change: Callable[[Config], object]) -> str:
    config = copy.deepcopy(runtime_config(EXAMPLES / "incident-response"))
    change(config)
    return json.dumps(config)


def _first(config: Config) -> Config:
    agent: Config = config["component"]["config"]["participants"][0]["config"]
    return agent


REFUSED: list[tuple[str | None, str]] = [
    (None, "No such file or directory"),
    ("{", "not JSON"),
    ("[" * 100_000, "not JSON"),
    ("[]", "input should be a valid dictionary"),
    (_change(lambda c: c.update(apiVersion="runtime.kagent.dev/v2")), "$.apiVersion: input should be"),
    (_change(lambda c: c.update(extra=1)), "$.extra: unknown key"),
    (_change(lambda c: c["component"].update(provider="os.system")), "$.component: provider `os.system` is not in"),
    (
        _change(lambda c: _first(c)["model_client"]["config"].update(provider="AzureOpenAI")),
        "`azure` belongs to the provider AzureOpenAI",
    ),
    (
        _change(lambda c: _first(c)["model_client"]["config"].update(headers=[{"name": "X-A"}])),
        "a header has either `value` or `env`",
    ),
    (
        _change(lambda c: c["component"]["config"]["participants"].append(FUNCTION_TOOL)),
        "$.component.config.participants[3]: provider `autogen_core.tools.FunctionTool` is not in",
    ),
    (_change(lambda c: _first(c).update(tools=[FUNCTION_TOOL])), "participants[0].config.tools: unknown key"),
    (_change(lambda c: _first(c).update(workbench=[FUNCTION_TOOL])), "participants[0].config.workbench[0]: provider"),
    (
        _change(lambda c: _first(c)["workbench"][0]["config"]["tools"][0].update(parameters={})),
        "config.workbench[0].config.tools[0].parameters.type: field required",
    ),
    (_change(lambda c: _first(c).update(handoffs=["remediation_agent"])), "config.handoffs[0]"),
    (_change(lambda c: _first(c).update(name="not-an-identifier")), "config.name: string should match"),
    (_change(lambda c: c["component"]["config"].update(max_turns="9")), "max_turns: input should be a valid integer"),
]


@pytest.mark.parametrize(("config", "message"), REFUSED, ids=[str(n) for n in range(len(REFUSED))])
def test_a_bad_config_is_one_line_and_exit_78(config: str | None, message: str, tmp_path: Path) -> None:
    """And the source of a FunctionTool never runs: that would have been exit 99."""
    done = _start(config, tmp_path, KAGENT_GPT4_CONFIG_API_KEY="sk-x")
    assert done.returncode == 78, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("kagent-runtime: ")
    assert message in done.stderr


def test_a_missing_key_names_its_variable(tmp_path: Path) -> None:
    """Before readiness, not at the first message."""
    done = _start(json.dumps(runtime_config(EXAMPLES / "quickstart")), tmp_path)
    assert done.returncode == 78
    assert "KAGENT_GPT4_CONFIG_API_KEY is not set" in done.stderr


def test_a_config_is_refused_before_the_agent_library_is_imported(tmp_path: Path) -> None:
    """The registry is checked on data."""
    (tmp_path / "runtime.json").write_text(_change(lambda c: c["component"].update(provider="antigravity")))
    command = [sys.executable, "-X", "importtime", "-m", "kagent_runtime", "--config", str(tmp_path / "runtime.json")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 78
    assert "autogen" not in done.stderr
    assert "antigravity\n" not in [line.split("|")[-1].strip() for line in done.stderr.splitlines() if "|" in line]


def test_a_database_that_cannot_be_used_is_one_line(tmp_path: Path) -> None:
    """A volume that is missing or read-only."""
    config = json.dumps(runtime_config(EXAMPLES / "quickstart"))
    done = _start(config, tmp_path, KAGENT_GPT4_CONFIG_API_KEY="sk-x", KAGENT_STATE_DIR=str(tmp_path / "absent"))
    assert done.returncode == 78
    assert "Traceback" not in done.stderr
    assert "the database cannot be used" in done.stderr.splitlines()[-1]


def test_a_taken_address_is_one_line(tmp_path: Path) -> None:
    """Exit 2: an I/O error, not a config error."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        config = json.dumps(runtime_config(EXAMPLES / "quickstart"))
        environment = {"KAGENT_GPT4_CONFIG_API_KEY": "sk-x", "KAGENT_STATE_DIR": str(tmp_path)}
        (tmp_path / "runtime.json").write_text(config)
        command = [sys.executable, "-m", "kagent_runtime", "--config", str(tmp_path / "runtime.json")]
        command += ["--host", "127.0.0.1", "--port", str(taken.getsockname()[1])]
        done = subprocess.run(
            command, cwd=ROOT, env=os.environ | environment, capture_output=True, text=True, timeout=60, check=False
        )
    assert done.returncode == 2
    assert "cannot listen" in done.stderr
