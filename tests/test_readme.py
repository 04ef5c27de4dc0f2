"""Every command of the README runs, and every file it links to is there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from tests.harness import ROOT

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
COMMANDS = [line for block in BLOCKS for line in block.splitlines() if line]
SETUP = [line for line in COMMANDS if line.startswith("python3 -m venv")]  # run in tests/e2e/test_readme.py


def test_there_are_two_lines_to_start_with() -> None:
    """One that runs the product, one that passes the tests; `.ci/run` runs the same test command."""
    assert len(SETUP) == 2
    assert COMMANDS[:2] == SETUP
    assert SETUP[0].endswith("kagent-render run examples/quickstart")
    assert SETUP[1].endswith("/python -m pytest")
    assert '"$python" -m pytest\n' in (ROOT / ".ci" / "run").read_text()


def test_the_commands_run_in_order(tmp_path: Path) -> None:
    """In a copy, with this environment's `kagent-render` on the path; `/tmp` is a folder of its own."""
    for name in ("examples", "tests/benchmarks", "tests/cases/import", "tests/cases/openapi"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "tmp").mkdir()
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for command in COMMANDS:
        if command in SETUP:
            continue
        done = subprocess.run(
            ["bash", "-c", command.replace("/tmp/", f"{tmp_path}/tmp/")],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"


DOCUMENTS = [p for p in sorted(ROOT.glob("**/*.md")) if not any(x[0] == "." for x in p.relative_to(ROOT).parts)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    """Relative links only; the others are not ours to check."""
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text()):
        if "://" not in target:
            assert (path.parent / target).exists(), target


def test_the_readme_names_every_diagnostic_format_and_flag() -> None:
    """What the command line has and the README does not say is found by nobody."""
    from kagent_render.cli.parser import cli
    from kagent_render.reports.registry import FORMATS

    assert [name for name in FORMATS if f"`{name}`" not in README] == []
    groups = [command for command in cli.commands.values() if isinstance(command, click.Group)]
    for command in [*cli.commands.values(), *(below for group in groups for below in group.commands.values())]:
        for option in command.params:
            flag = option.opts[0]
            if flag.startswith("--") and flag != "--help":
                assert flag in README or option.opts[-1] in README, f"{command.name} {flag}"
