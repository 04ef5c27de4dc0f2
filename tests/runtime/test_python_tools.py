"""Python tools: only listed modules, only functions that take what is declared, and never a hanging turn."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from autogen_core import CancellationToken

from kagent_render.compiler import compile_paths
from kagent_runtime.components.python_tools import PythonToolError, PythonTools
from kagent_runtime.model.python_tools import PythonToolsConfig
from tests.edge.model_server import ModelServer
from tests.harness import CASES, ROOT
from tests.runtime.process import Runtime, runtime_config

_NUMBERS = itertools.count()
MODULES = ROOT / "tests/edge/python_modules"
DAYS = {"type": "integer", "description": "Days"}
CLUSTER = {"type": "string", "description": "Cluster"}
SECONDS = {"type": "number", "description": "Seconds"}


@pytest.fixture(autouse=True)
def listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The modules are installed, and one is listed."""
    monkeypatch.syspath_prepend(MODULES)
    monkeypatch.setenv("KAGENT_PYTHON_MODULES", "acme.capacity")


def _tool(function: str = "forecast", properties: Any = None, required: Any = (), **more: Any) -> PythonTools:
    parameters = {
        "type": "object",
        "properties": properties if properties is not None else {"cluster": CLUSTER, "days": DAYS},
        "required": list(required),
        "additionalProperties": False,
    }
    tool = {"name": "t", "description": "d", "parameters": parameters, "module": "acme.capacity", "function": function}
    return PythonTools(
        PythonToolsConfig.model_validate({"tools": [tool | {"timeout_seconds": 5.0, "max_bytes": 1024} | more]})
    )


async def test_a_function_is_called_with_what_is_declared() -> None:
    """Its result is text; its own error is what the model reads."""
    tool = _tool(required=["cluster"])
    good = await tool.call_tool("t", {"cluster": "east", "days": 20})
    assert (good.is_error, '"nodes": 12' in good.to_text()) == (False, True)
    bad = await tool.call_tool("t", {"cluster": "unknown"})
    assert bad.is_error
    assert bad.to_text() == "LookupError: there is no cluster `unknown`; there are: east, west"
    assert "Traceback" not in bad.to_text()
    wrong = await tool.call_tool("t", {"cluster": "east", "days": "many"})
    assert wrong.is_error


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({"module": "os", "function": "getcwd", "properties": {}}, "the module os is not in KAGENT_PYTHON_MODULES"),
        ({"module": "acme.prices", "properties": {}}, "the module acme.prices is not in"),
        ({"function": "forcast"}, "acme.capacity has no function forcast"),
        ({"properties": {"cluster": CLUSTER, "weeks": DAYS}, "required": ["cluster"]}, "does not take `weeks`"),
        ({"required": []}, "needs `cluster`, which a call may leave out"),
    ],
)
def test_what_cannot_be_called_is_refused_at_the_start(more: dict[str, Any], problem: str) -> None:
    """Not in the middle of a conversation."""
    with pytest.raises(PythonToolError, match=problem.replace("(", "\\(")):
        _tool(**more)


def test_a_listed_module_that_is_missing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the image was built without it."""
    monkeypatch.setenv("KAGENT_PYTHON_MODULES", "acme.absent")
    with pytest.raises(PythonToolError, match=r"acme\.absent cannot be imported: No module named"):
        _tool(module="acme.absent", properties={})


@pytest.mark.parametrize("function", ["slow", "busy"])
async def test_a_call_ends_by_its_timeout_and_by_a_cancel(function: str) -> None:
    """Within a second, whatever the function does."""
    tool = _tool(function, {"seconds": SECONDS}, ["seconds"], timeout_seconds=0.2)
    started = time.monotonic()
    late = await tool.call_tool("t", {"seconds": 2.0})
    assert (late.is_error, time.monotonic() - started < 1) == (True, True)
    token = CancellationToken()
    import asyncio

    asyncio.get_running_loop().call_later(0.1, token.cancel)
    patient = _tool(function, {"seconds": SECONDS}, ["seconds"])
    started = time.monotonic()
    cancelled = await patient.call_tool("t", {"seconds": 2.0}, token)
    assert (cancelled.is_error, time.monotonic() - started < 1) == (True, True)


def test_an_agent_uses_it_in_the_real_process(tmp_path: Path) -> None:
    """As compiled; and without the variable of the Deployment the process does not start."""
    config = runtime_config(CASES / "build/tool-python/input", "planner")
    steps: Iterator[dict[str, Any]] = iter(
        [
            {"tool_calls": [{"name": "forecast", "arguments": {"cluster": "east"}}]},
            {"text": "It needs 13 nodes."},
        ]
    )
    with ModelServer(lambda _: next(steps)) as model:
        flags = ("--model-base-url", model.base_url)
        environment = {"PYTHONPATH": f"{MODULES}:{ROOT}:{ROOT / 'runtime'}", "KAGENT_PYTHON_MODULES": "acme.capacity"}
        with Runtime(config, tmp_path / "good", *flags, **environment) as runtime:
            events = runtime.ask(runtime.new_session(), "how many?")
            (result,) = [event for event in events if event["type"] == "tool.result"]
            assert '"nodes": 13' in result["content"]  # the default of 30 days
        refused = Runtime(config, tmp_path / "bad", *flags, PYTHONPATH=environment["PYTHONPATH"])
        with pytest.raises(AssertionError, match="not serving"):
            refused.start()
        text = refused.wait_stderr()
        refused.__exit__()
        assert refused.process.returncode == 78
        assert "the module acme.capacity is not in KAGENT_PYTHON_MODULES" in text
        assert "Traceback" not in text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of tools are, as mounted: each a link into a folder that the kubelet replaces as a whole."""
    path = tmp_path / "files"
    (path / "..2026").mkdir(parents=True)
    (path / "..data").symlink_to("..2026")
    monkeypatch.setenv("KAGENT_PYTHON_PATH", str(path))
    monkeypatch.setattr("sys.path", [*sys.path])
    return path


def _mount(folder: Path, name: str, text: str) -> str:
    """A file, and the name that it has as a module: no other test's, since a process imports each once."""
    module = f"{name}_{next(_NUMBERS)}" if name.islower() else name.lower()
    (folder / "..data" / f"{module}.py").write_text(text)
    (folder / f"{module}.py").symlink_to(f"..data/{module}.py")
    return module


def _from_file(module: str, monkeypatch: pytest.MonkeyPatch, **more: Any) -> PythonTools:
    monkeypatch.setenv("KAGENT_PYTHON_MODULES", f"acme.capacity,{module}")
    return _tool("run", more.pop("properties", {}), module=module, is_file=True, **more)


async def test_a_file_is_imported_from_its_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found last, so that no file takes the place of what is installed."""
    module = _mount(folder, "quota", "import json\n\n\ndef run() -> str:\n    return json.dumps([1])\n")
    (folder / "..data" / "json.py").write_text("raise SystemExit('the wrong one')\n")
    (folder / "json.py").symlink_to("..data/json.py")
    assert (await _from_file(module, monkeypatch).call_tool("t", {})).to_text() == "[1]"
    assert sys.path[-1] == str(folder)


@pytest.mark.parametrize(
    ("name", "text", "more", "problem"),
    [
        ("JSON", "def run(): ...", {}, "an installed module hides json.py"),
        ("SYS", "def run(): ...", {}, "an installed module hides sys.py"),
        ("broken", "raise RuntimeError('at import')", {}, r"cannot be imported: at import"),
        ("deep", "x = " + "-" * 200_000 + "1", {}, "cannot be imported"),
        ("less", "def go(): ...", {}, "has no function run"),
        ("more", "def run(cluster): ...", {}, "needs `cluster`"),
        (
            "place",
            "def run(days, /): ...",
            {"properties": {"days": DAYS}, "required": ["days"]},
            "does not take `days`",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_at_the_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, more: Any, problem: str
) -> None:
    """As what is installed; and what only has the file's name is not taken for it."""
    with pytest.raises(PythonToolError, match=problem):
        _from_file(_mount(folder, name, text), monkeypatch, **more)


def test_without_the_folder_or_the_file_it_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As when the ConfigMap is of another version than the Deployment."""
    with pytest.raises(PythonToolError, match=r"there is no absent\.py; the files are in KAGENT_PYTHON_PATH"):
        _from_file("absent", monkeypatch)
    monkeypatch.delenv("KAGENT_PYTHON_PATH")
    with pytest.raises(PythonToolError, match=r"KAGENT_PYTHON_PATH is not the folder with absent\.py"):
        _from_file("absent", monkeypatch)


def test_an_agent_uses_a_file_in_the_real_process(tmp_path: Path) -> None:
    """As compiled: its parameters are those of the function, and it imports the other file."""
    source = CASES / "build/tool-python/input"
    (workload,) = [item for item in compile_paths([str(source)]).workloads if item.name == "accountant"]
    files = tmp_path / "files"
    files.mkdir()
    for name, text in workload.python_files:
        (files / name).write_text(text)
    variables = {item.name: item.value for item in workload.variables if item.name.startswith("KAGENT_PYTHON")}
    assert variables.pop("KAGENT_PYTHON_PATH") == "/etc/kagent-python"
    call = {"team": "shop", "tier": "large", "with_cost": True, "discount": 0.5, "used": 38}
    steps: Iterator[dict[str, Any]] = iter(
        [
            {"tool_calls": [{"name": "quota", "arguments": call}]},
            {"tool_calls": [{"name": "quota", "arguments": {"tier": "huge"}}]},
            {"text": "Two nodes."},
        ]
    )
    with ModelServer(lambda _: next(steps)) as model:
        flags = ("--model-base-url", model.base_url)
        config = runtime_config(source, "accountant")
        with Runtime(config, tmp_path / "state", *flags, **variables, KAGENT_PYTHON_PATH=str(files)) as runtime:
            events = runtime.ask(runtime.new_session(), "how many?")
        first, second = [event["content"] for event in events if event["type"] == "tool.result"]
        assert json.loads(first) == {"team": "shop", "tier": "large", "region": "eu", "nodes": 2, "hour": 2.0}
        assert second == "`tier` must be one of: small, large"
        (offered,) = [t["function"] for t in model.requests[0].body["tools"] if t["function"]["name"] == "quota"]
        assert offered["parameters"]["required"] == ["team"]
        assert offered["parameters"]["properties"]["discount"] == {
            "type": "number",
            "description": "Part of the price that is not paid, from 0 to 1.",
        }
