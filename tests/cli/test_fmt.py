"""`fmt`: one form, twice the same, with every comment, and the same manifests."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kagent_render.diagnostics import Diagnostics
from kagent_render.source import SourceFile, read_documents
from kagent_render.source.formatting import formatted
from tests.harness import CASES, EXAMPLES, kagent_render, tree

SPECS = sorted(
    path
    for path in [*EXAMPLES.rglob("*.yaml"), *CASES.glob("build/*/input/**/*.yaml")]
    if not {"rendered", "expected"} & set(path.parts)
)
UGLY = """\
apiVersion:   kagent.dev/v1alpha1
kind: Agent   # what it is
metadata: { name:   helper }
spec:
    # why it is there
    description: 'Helps'
    systemMessage: |
        # Help
        Do: not
         lose: "this"
    modelConfigRef: {name: m}
    tools:
    - name: kubectl-get   # only reads


"""
NEAT = """\
apiVersion: kagent.dev/v1alpha1
kind: Agent   # what it is
metadata: {name: helper}
spec:
  # why it is there
  description: 'Helps'
  systemMessage: |
    # Help
    Do: not
     lose: "this"
  modelConfigRef: {name: m}
  tools:
    - name: kubectl-get   # only reads
"""


def _comments(text: str) -> list[str]:
    return re.findall(r"#.*$", text, re.MULTILINE)


@pytest.mark.parametrize("path", SPECS, ids=lambda path: "/".join(path.parts[-4:]))
def test_a_form_is_stable_and_says_the_same(path: Path) -> None:
    diagnostics, file = Diagnostics(), SourceFile("specs.yaml", path.read_text())
    once = formatted(file, diagnostics)
    assert once is not None
    assert formatted(SourceFile("specs.yaml", once), diagnostics) == once
    before = [item.data for item in read_documents(file, diagnostics)]
    assert [item.data for item in read_documents(SourceFile("specs.yaml", once), diagnostics)] == before
    assert [item.rstrip() for item in _comments(once)] == [item.rstrip() for item in _comments(file.text)]


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
def test_the_examples_are_in_their_form(example: str) -> None:
    done = kagent_render("fmt", "--check", f"examples/{example}")
    assert (done.code, done.stderr) == (0, "")


def test_files_are_rewritten_once(tmp_path: Path) -> None:
    """Also with the line ends of Windows; what is not ours stays as it is."""
    (tmp_path / "agent.yaml").write_bytes(UGLY.replace("\n", "\r\n").encode())
    (tmp_path / "agent.yaml").chmod(0o640)
    (tmp_path / "values.yaml").write_text("image:   {tag:  1}\n")
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    (tmp_path / "environments" / "prod" / "agent.yaml").write_text(UGLY)
    checked = kagent_render("fmt", "--check", cwd=tmp_path)
    assert (checked.code, checked.stderr.splitlines()) == (
        1,
        ["would be formatted agent.yaml", "would be formatted environments/prod/agent.yaml"],
    )
    assert (tmp_path / "environments" / "prod" / "agent.yaml").read_text() == UGLY
    assert kagent_render("fmt", cwd=tmp_path).code == 1
    assert (tmp_path / "agent.yaml").read_bytes() == NEAT.encode()
    assert (tmp_path / "agent.yaml").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "values.yaml").read_text() == "image:   {tag:  1}\n"
    again = kagent_render("fmt", cwd=tmp_path)
    assert (again.code, again.stderr) == (0, "")


def test_a_file_that_cannot_be_read_is_named_and_left(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("apiVersion: kagent.dev/v1alpha1\nkind: [\n")
    (tmp_path / "agent.yaml").write_text(UGLY)
    before = tree(tmp_path)["broken.yaml"]
    done = kagent_render("fmt", cwd=tmp_path)
    assert done.code == 1
    assert "broken.yaml:" in done.stderr
    assert "Traceback" not in done.stderr
    assert tree(tmp_path) == {"broken.yaml": before, "agent.yaml": NEAT}


def test_without_ruamel_it_says_what_to_install(tmp_path: Path) -> None:
    """The compiler's own install is light."""
    shutil.copytree(EXAMPLES / "quickstart" / "specs", tmp_path / "specs")
    (tmp_path / "ruamel").mkdir()
    (tmp_path / "ruamel" / "__init__.py").write_text("raise ImportError\n")
    done = kagent_render("fmt", "specs", cwd=tmp_path, PYTHONPATH=f"{tmp_path}:{Path.cwd()}")
    assert done.code == 2
    assert "pip install 'kagent-render[fmt]'" in done.stderr
