"""Prompts in files of their own: where they are read, what an environment changes, what a revision had."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kagent_render.cli.before import compile_revision
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.source.discover import MAX_TOTAL_BYTES
from kagent_render.source.named_files import MAX_NAMED_BYTES

SPECS = """apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: qwen3, baseUrl: "http://vllm:8000/v1"}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: one}
spec: {description: One, modelConfigRef: {name: m}, systemMessageFrom: {file: FILE}}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one agent, whose prompt is prompts/one.md."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "agents/specs/one.yaml", SPECS.replace("FILE", "../prompts/one.md"))
    write(tmp_path / "agents/prompts/one.md", "You are one.\n")
    return tmp_path / "agents"


def write(path: Path, text: str) -> None:
    """A file, with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")


def prompt(compilation: Compilation) -> str:
    """The system message in the one workload's config."""
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()
    (workload,) = compilation.workloads
    config: dict[str, Any] = json.loads(json.dumps(workload.runtime_config))
    text: str = config["component"]["config"]["system_message"]
    return text


def codes(compilation: Compilation) -> list[str]:
    """The codes of what is reported."""
    return [item.code for item in compilation.diagnostics.in_order()]


def test_a_folder_beside_the_specs_is_in_the_folder_that_was_given(folder: Path) -> None:
    """`agents` stands for `agents/specs`; prompts beside it are inside what the user named."""
    assert prompt(compile_paths(["agents"])) == "You are one."
    assert codes(compile_paths(["agents/specs"])) == ["KR341"]
    assert prompt(compile_paths(["agents/specs", "agents/prompts"])) == "You are one."


def test_line_ends_and_a_byte_order_mark_do_not_change_the_output(folder: Path) -> None:
    """Git checks files out with other line ends on another machine."""
    write(folder / "prompts/one.md", "\ufeffYou are one.\r\nTwo lines.\r\n\r\n")
    assert prompt(compile_paths(["agents"])) == "You are one.\nTwo lines."


def test_a_link_inside_the_folder_is_followed_and_one_that_leaves_is_not(folder: Path) -> None:
    """Also when a folder on the way is the link."""
    (folder / "prompts/one.md").rename(folder / "shared.md")
    (folder / "prompts/one.md").symlink_to("../shared.md")
    assert prompt(compile_paths(["agents"])) == "You are one."
    (folder / "prompts/one.md").unlink()
    (folder / "prompts").rmdir()
    write(folder.parent / "elsewhere/one.md", "You are a secret.\n")
    (folder / "prompts").symlink_to("../elsewhere")
    assert codes(compile_paths(["agents"])) == ["KR341"]


def test_an_absolute_path_is_refused_even_inside(folder: Path) -> None:
    """It would work on one machine only."""
    write(folder / "specs/one.yaml", SPECS.replace("FILE", (folder / "prompts/one.md").as_posix()))
    assert codes(compile_paths(["agents"])) == ["KR341"]


def test_a_loop_of_links_and_a_name_with_a_nul_are_reported(folder: Path) -> None:
    """Not as a stack trace."""
    (folder / "prompts/one.md").unlink()
    (folder / "prompts/one.md").symlink_to("one.md")
    assert codes(compile_paths(["agents"])) == ["KR340"]
    write(folder / "specs/one.yaml", SPECS.replace("FILE", '"a\\0.md"'))
    assert codes(compile_paths(["agents"])) == ["KR340"]


def test_a_fifo_does_not_hang(folder: Path) -> None:
    """Opening one for reading waits for a writer, usually."""
    (folder / "prompts/one.md").unlink()
    os.mkfifo(folder / "prompts/one.md")
    assert codes(compile_paths(["agents"])) == ["KR340"]


def test_a_prompt_has_a_limit_and_all_together_too(folder: Path) -> None:
    """Shared renderers read what anybody pushes."""
    write(folder / "prompts/one.md", "x" * MAX_NAMED_BYTES)
    assert len(prompt(compile_paths(["agents"]))) == MAX_NAMED_BYTES
    write(folder / "prompts/one.md", "x" * (MAX_NAMED_BYTES + 1))
    assert codes(compile_paths(["agents"])) == ["KR340"]
    number = MAX_TOTAL_BYTES // MAX_NAMED_BYTES + 1
    for index in range(number):
        write(folder / f"prompts/{index}.md", "x" * MAX_NAMED_BYTES)
    agents = [SPECS.split("---\n")[1].replace("one", f"a{index}") for index in range(number)]
    texts = [text.replace("FILE", f"../prompts/{index}.md") for index, text in enumerate(agents)]
    write(folder / "specs/one.yaml", "---\n".join([SPECS.split("---\n")[0], *texts]))
    assert codes(compile_paths(["agents"])).count("KR340") == 1


def test_a_prompt_file_is_not_a_spec(folder: Path) -> None:
    """Although YAML stands in it."""
    write(folder / "specs/note.md", "apiVersion: kagent.dev/v1alpha1\nkind: Nonsense\n")
    write(folder / "specs/one.yaml", SPECS.replace("FILE", "note.md"))
    assert prompt(compile_paths(["agents"])) == "apiVersion: kagent.dev/v1alpha1\nkind: Nonsense"


def overlay(spec: str) -> str:
    """A change of the agent."""
    return f"apiVersion: kagent.dev/v1alpha1\nkind: Agent\nmetadata: {{name: one}}\nspec: {spec}\n"


def test_an_environment_names_its_own_file_relative_to_itself(folder: Path) -> None:
    """The overlay's path, not the base's."""
    write(folder / "environments/prod/one.yaml", overlay("{systemMessageFrom: {file: one.md}}"))
    write(folder / "environments/prod/one.md", "You are one, in production.\n")
    assert prompt(compile_paths(["agents"], environment="prod")) == "You are one, in production."
    assert prompt(compile_paths(["agents"])) == "You are one."


def test_an_environment_replaces_a_file_by_a_text(folder: Path) -> None:
    """Deleting the one and setting the other; both is a mistake."""
    write(folder / "environments/prod/one.yaml", overlay("{systemMessageFrom: null, systemMessage: You are it.}"))
    assert prompt(compile_paths(["agents"], environment="prod")) == "You are it."
    write(folder / "environments/prod/one.yaml", overlay("{systemMessage: You are it.}"))
    assert codes(compile_paths(["agents"], environment="prod")) == ["KR342"]


@pytest.mark.parametrize("top", [".", "agents"])
@pytest.mark.parametrize("given", ["agents", "agents/one.yaml"])
def test_a_revision_is_compiled_with_the_prompts_it_had(folder: Path, given: str, top: str) -> None:
    """Of a folder, and of a spec that is given by its own name, which does not have its prompts in it."""
    (folder / "specs/one.yaml").unlink()
    (folder / "specs").rmdir()
    write(folder / "one.yaml", SPECS.replace("FILE", "prompts/one.md"))
    write(folder / "broken[.md", "not referred to\n")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], cwd=folder.parent / top, check=True)
    write(folder / "prompts/one.md", "You are another.\n")
    earlier = compile_revision([given], "HEAD", None, None)
    assert earlier is not None
    assert prompt(earlier) == "You are one."
    assert prompt(compile_paths([given])) == "You are another."
