"""Python tools from files: read as text and as a tree, never run, and never from outside the given folders."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kagent_render.catalog.base import Problem
from kagent_render.catalog.tools.python_docstring import descriptions
from kagent_render.catalog.tools.python_file import parse
from kagent_render.catalog.tools.python_names import RUNTIME_MODULES
from kagent_render.cli.before import compile_revision
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.lower import Workload
from kagent_render.source import SourceFile
from kagent_render.source.named_files import MAX_NAMED_BYTES
from tests.harness import ROOT, kagent_render

SPECS = """apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}
spec: {python: {modules: [capacity, rates]}}
---
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: qwen3, baseUrl: "http://vllm:8000/v1"}
---
apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: forecast}
spec: {type: python, description: Forecast, python: {file: ../functions/capacity.py, function: forecast}}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: one}
spec: {description: One, systemMessage: s, modelConfigRef: {name: m}, tools: [{name: forecast}], WORKLOAD}
"""
CODE = "def forecast() -> str:\n    return 'ten'\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one agent, whose tool is functions/capacity.py."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "agents/specs/one.yaml", SPECS.replace("WORKLOAD", "workload: {}"))
    write(tmp_path / "agents/functions/capacity.py", CODE)
    return tmp_path / "agents"


def write(path: Path, text: str | bytes) -> None:
    """A file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def code_of(compilation: Compilation) -> dict[str, str]:
    """The files that come with the one workload."""
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()
    (workload,) = compilation.workloads
    return dict(workload.python_files)


def reported(compilation: Compilation) -> list[str]:
    """Code and place of what is reported."""
    return [f"{item.code} {item.span}" for item in compilation.diagnostics.in_order()]


def test_the_file_is_in_a_config_map_of_its_own(folder: Path) -> None:
    """Mounted, named to the runtime, and another checksum when it is another file; nothing without such a tool."""
    compilation = compile_paths(["agents"])
    assert code_of(compilation) == {"capacity.py": CODE}
    (workload,) = compilation.workloads
    assert _variables(workload) == {"KAGENT_PYTHON_MODULES": "capacity", "KAGENT_PYTHON_PATH": "/etc/kagent-python"}
    objects = {(item.data["kind"], item.data["metadata"]["name"]): item.data for item in compilation.objects}
    assert objects["ConfigMap", "one-python"]["data"] == {"capacity.py": CODE}
    pod = objects["Deployment", "one"]["spec"]["template"]
    mount = {"name": "python", "mountPath": "/etc/kagent-python", "readOnly": True}
    assert mount in pod["spec"]["containers"][0]["volumeMounts"]
    write(folder / "functions/capacity.py", CODE.replace("ten", "two"))
    changed = {item.data["kind"]: item.data for item in compile_paths(["agents"]).objects}["Deployment"]
    before, after = (item["metadata"]["annotations"] for item in (pod, changed["spec"]["template"]))
    assert {key for key in before if before[key] != after[key]} == {"checksum/python"}
    write(
        folder / "specs/one.yaml", SPECS.replace("WORKLOAD", "workload: {}").replace("tools: [{name: forecast}],", "")
    )
    assert "python" not in str([item.data for item in compile_paths(["agents"]).objects])


def _variables(workload: Workload) -> dict[str, str]:
    return {item.name: item.value for item in workload.variables if "PYTHON" in item.name}


def test_knative_mounts_it_too(folder: Path) -> None:
    """The same pod, in the form that Knative accepts."""
    write(folder / "specs/one.yaml", SPECS.replace("WORKLOAD", "workload: {type: Knative}"))
    compilation = compile_paths(["agents"])
    assert code_of(compilation) == {"capacity.py": CODE}
    (service,) = (item.data for item in compilation.objects if item.data["kind"] == "Service")
    template = service["spec"]["template"]
    assert {"name": "python", "configMap": {"name": "one-python"}} in template["spec"]["volumes"]
    assert "checksum/python" in template["metadata"]["annotations"]


def test_an_environment_names_another_file(folder: Path) -> None:
    """Relative to the overlay; that is no clash of two files, since only one of them is used."""
    overlay = "apiVersion: kagent.dev/v1alpha1\nkind: Tool\nmetadata: {name: forecast}\nspec: {python: {file: FILE}}\n"
    write(folder / "environments/prod/tool.yaml", overlay.replace("FILE", "capacity.py"))
    write(folder / "environments/prod/capacity.py", CODE.replace("ten", "two"))
    assert code_of(compile_paths(["agents"], environment="prod")) == {"capacity.py": CODE.replace("ten", "two")}
    assert code_of(compile_paths(["agents"])) == {"capacity.py": CODE}


def test_links_are_followed_inside_only(folder: Path) -> None:
    """As of prompts: whoever may change a spec must not get at the renderer's own files."""
    (folder / "functions/capacity.py").rename(folder.parent / "elsewhere.py")
    (folder / "functions/capacity.py").symlink_to("../../elsewhere.py")
    assert [item[:5] for item in reported(compile_paths(["agents"]))] == ["KR341"]
    (folder.parent / "elsewhere.py").rename(folder / "real.py")
    (folder / "functions/capacity.py").unlink()
    (folder / "functions/capacity.py").symlink_to("../real.py")
    assert code_of(compile_paths(["agents"])) == {"capacity.py": CODE}


def test_the_folder_of_the_specs_may_be_a_link(folder: Path) -> None:
    """The file is where the real folder's parent is, not where the path that is shown would lead."""
    (folder / "real").mkdir()
    (folder / "specs").rename(folder / "real/specs")
    (folder / "functions").rename(folder / "real/functions")
    (folder / "specs").symlink_to("real/specs")
    assert code_of(compile_paths(["agents"])) == {"capacity.py": CODE}


def test_credentials_in_it_are_found(folder: Path) -> None:
    """By place, and never repeated."""
    key = "sk-ant-" + "a1b2c3d4" * 4
    write(folder / "functions/capacity.py", f"{CODE}KEY = '{key}'\n")
    assert reported(compile_paths(["agents"])) == ["KR106 agents/functions/capacity.py:3:1"]
    outcome = kagent_render("check", str(folder), "--format", "full")
    assert outcome.code == 1
    assert key not in outcome.stdout + outcome.stderr


def test_what_does_not_fit_a_config_map_is_refused(folder: Path) -> None:
    """Of one file, and of all files of a workload together."""
    write(folder / "functions/capacity.py", CODE + "#" * MAX_NAMED_BYTES)
    assert [item[:5] for item in reported(compile_paths(["agents"]))] == ["KR340"]
    names = [f"part{number}" for number in range(5)]
    for name in names:
        write(folder / f"functions/{name}.py", f"{name} = 1\n" + "#" * (MAX_NAMED_BYTES - 100))
    write(folder / "functions/capacity.py", CODE)
    imports = ", ".join(f"../functions/{name}.py" for name in names)
    specs = SPECS.replace("WORKLOAD", "workload: {}").replace(
        "function: forecast", f"function: forecast, imports: [{imports}]"
    )
    write(folder / "specs/one.yaml", specs.replace("rates]", f"{', '.join(names)}]"))
    found = compile_paths(["agents"]).diagnostics.in_order()
    assert [(item.code, item.help) for item in found] == [("KR502", "put the code into the image")]


def test_a_revision_is_compiled_with_the_code_it_had(folder: Path) -> None:
    """Of a spec that is given by its own name, which does not have its code in it."""
    (folder / "specs/one.yaml").unlink()
    specs = SPECS.replace("WORKLOAD", "workload: {}").replace("../functions", "functions")
    write(folder / "one.yaml", specs)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=folder.parent, check=True)
    write(folder / "functions/capacity.py", CODE.replace("ten", "two"))
    earlier = compile_revision(["agents/one.yaml"], "HEAD", None, None)
    assert earlier is not None
    assert code_of(earlier) == {"capacity.py": CODE}
    shown = kagent_render("diff", "agents/one.yaml", "--rev", "HEAD", cwd=folder.parent, PYTHONPATH=str(ROOT))
    assert shown.code == 1
    assert "~ code of capacity.py:" in shown.stdout
    assert "+    return 'two'" in shown.stdout
    assert "changed Deployment one (rolls the pods)" in shown.stdout


HOSTILE = """import os, sys
os.system("touch {canary}")
open({canary!r}, "w")
__import__("pathlib").Path({canary!r}).touch()


class Meta(type(open({canary!r}, "w"))):
    pass


@os.system("touch {canary}")
def forecast(days: int = os.system("touch {canary}")) -> exec("open({canary!r}, 'w')"):
    '''Text.

    Args:
        days: How many.
    '''
"""


@pytest.mark.parametrize(
    "command", ["build", "check", "get tools", "describe tool forecast", "graph", "argocd generate"]
)
def test_nothing_of_a_file_is_run(folder: Path, command: str) -> None:
    """Whatever stands in it, and whatever the compiler is asked for."""
    canary = folder.parent / "canary"
    write(folder / "functions/capacity.py", HOSTILE.format(canary=str(canary)))
    write(folder / "functions/sitecustomize.py", HOSTILE.format(canary=str(canary)))
    outcome = kagent_render(*command.split(), "agents", cwd=folder.parent, PYTHONPATH=str(ROOT))
    assert outcome.code == 0, outcome.stderr
    assert not canary.exists()
    assert not list(folder.rglob("__pycache__"))


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (b"def forecast():\0 pass\n", "KR008 agents/functions/capacity.py:1:16"),
        (b"\xef\xbb\xbf" + CODE.encode(), None),
        (b"\xef\xbb\xbf\xef\xbb\xbf" + CODE.encode(), "KR008 agents/functions/capacity.py:1:1"),
        (b"\xff\xfe" + CODE.encode("utf-16-le"), "KR340 agents/specs/one.yaml:14:60"),
        (b"# -*- coding: utf-8 -*-\n" + CODE.encode(), None),
        (b"#!/usr/bin/python\n# vim: set fileencoding=UTF_8 :\n" + CODE.encode(), None),
        (b"# coding: utf-7\n# +AAo-import os\n" + CODE.encode(), "KR380 agents/functions/capacity.py:1:11"),
        (b"\n# coding=nonsense\n" + CODE.encode(), "KR380 agents/functions/capacity.py:2:10"),
        (b"# a comment\rimport capacity, sys\r\n" + CODE.encode(), None),
        (CODE.encode() + b"x = " + b"(" * 50_000 + b")" * 50_000, "KR380 agents/functions/capacity.py:3:"),
        (CODE.encode() + b"x = " + b"-" * 200_000 + b"1", "KR380 agents/functions/capacity.py:1:1"),
        (CODE.encode() + b"x = " + b"1+" * 100_000 + b"1", "KR380 agents/functions/capacity.py:1:1"),
        (CODE.encode() + b"x = a" + b".a" * 100_000, "KR380 agents/functions/capacity.py:1:1"),
        (CODE.encode() + b"x = " + b"9" * 10_000, "KR380 agents/functions/capacity.py:"),
        (CODE.encode() + b"x = f'{" * 200, "KR380 agents/functions/capacity.py:"),
        (CODE.encode() + b"if 1:\n" + b"\n".join(b" " * n + b"if 1:" for n in range(1, 200)), "KR380 agents/functions"),
        (CODE.encode() + b"x = '\\d\\N{no such name}'", "KR380 agents/functions/capacity.py:"),
        (CODE.encode() + b"x = '\\d' is 1", None),
        (CODE.encode() + b"'", "KR380 agents/functions/capacity.py:3:1"),
        (b"def forecast(a: " + b"|".join([b"int"] * 900) + b" = 1): 'Args:\\n  a: b'\n", "KR382 agents/functions"),
        (b"A = B\nB = A\ndef forecast(a: A): 'Args:\\n  a: b'\n", "KR382 agents/functions/capacity.py:3:17"),
    ],
)
def test_hostile_files_are_reported_or_harmless(folder: Path, content: bytes, wanted: str | None) -> None:
    """With a place, and not as a stack trace. What Python would read as other lines is rendered as such."""
    write(folder / "functions/capacity.py", content)
    found = reported(compile_paths(["agents"]))
    if wanted is None:
        assert found == []
        assert "\r" not in "".join(code_of(compile_paths(["agents"])).values())
    else:
        assert len(found) == 1
        assert found[0].startswith(wanted), found


PIECES = [
    "def f(",
    "):",
    "\n",
    "    ",
    "a: int",
    " = ",
    "'",
    '"""',
    "Args:",
    "# coding: x",
    "\\",
    "é",
    "\t",
    "lambda",
    "@",
    "[",
    "}",
]


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=5)), max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_tree_or_a_problem_in_the_file(text: str) -> None:
    """Never an exception, and no place outside the file."""
    parsed = parse(SourceFile("any.py", text))
    if isinstance(parsed, Problem):
        assert parsed.span is not None
        lines = text.split("\n")
        assert 1 <= parsed.span.line <= len(lines)
        assert 1 <= parsed.span.column <= len(lines[parsed.span.line - 1]) + 1


GOOGLE = """Text.

Args:
    a: One.
    b (int, optional): Two
        lines: of it.

    **more: Rest.

Returns:
    a: No.
"""


@pytest.mark.parametrize(
    ("docstring", "found"),
    [
        (GOOGLE, {"a": "One.", "b": "Two lines: of it.", "more": "Rest."}),
        ("Args:\n    a:\n        Below.\n    b:", {"a": "Below."}),
        ("Args: a: not so.\n", {}),
        ("Text.\n    Args:\n        a: Indented.\n    a: no", {"a": "Indented."}),
        ("Args:", {}),
        ("", {}),
    ],
)
def test_descriptions_stand_in_the_section_of_the_arguments(docstring: str, found: dict[str, str]) -> None:
    assert descriptions(docstring) == found


def test_the_names_of_the_runtime_are_those_of_its_packages() -> None:
    """Of runtime/requirements.lock, as far as they are installed here."""
    lines = (ROOT / "runtime/requirements.lock").read_text().splitlines()
    locked = {_plain(match[1]) for line in lines if (match := re.match(r"([A-Za-z0-9_.-]+)(\[.*\])?==", line))}
    assert len(locked) > 80
    found = {name for name, owners in packages_distributions().items() if locked & {_plain(owner) for owner in owners}}
    assert {name for name in found if name.isidentifier()} - RUNTIME_MODULES == set()
    assert not RUNTIME_MODULES & sys.stdlib_module_names


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
