"""`init`: what it writes builds in every environment, passes `check`, and is never written over anything."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.harness import kagent_render, tree
from tests.runtime.process import Runtime, runtime_config


def test_what_it_writes_builds_and_passes(tmp_path: Path) -> None:
    """With no warning either, in both environments; only the overlay differs."""
    started = kagent_render("init", "agents", cwd=tmp_path)
    assert started.code == 0, started.stderr
    assert started.stderr.endswith("next: kagent-render run agents\n")
    checked = kagent_render("check", "agents", cwd=tmp_path)
    assert (checked.code, checked.stdout, checked.stderr) == (0, "", "ok: 3 files, 1 workloads\n")
    base = kagent_render("build", "agents", cwd=tmp_path)
    prod = kagent_render("build", "agents", "--env", "prod", cwd=tmp_path)
    assert (base.code, prod.code, base.stderr, prod.stderr) == (0, 0, "", "")
    assert prod.stdout.replace('memory: "1Gi"', 'memory: "512Mi"') == base.stdout


def test_every_command_of_its_readme_works(tmp_path: Path) -> None:
    """But `run`, which is the next test."""
    kagent_render("init", ".", cwd=tmp_path)
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-C", str(tmp_path)]
    for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "Start"]):
        subprocess.run([*git, *step], check=True)
    readme = (tmp_path / "README.md").read_text()
    commands = [part for part in readme.split("`")[1::2] if part.startswith("kagent-render ")]
    assert len(commands) == 5
    for command in commands:
        arguments = command.split()[1:]
        if arguments[0] != "run":
            outcome = kagent_render(*arguments, cwd=tmp_path)
            assert outcome.code == 0, (command, outcome.stderr)
    assert (tmp_path / "rendered/prod/kustomization.yaml").exists()


def test_its_agent_answers(tmp_path: Path) -> None:
    """The stock runtime, the replay model, the sample cluster: as `run` starts them."""
    kagent_render("init", "agents", cwd=tmp_path)
    config = runtime_config(tmp_path / "agents")
    with Runtime(config, tmp_path / "state", "--model", "replay", "--cluster", "sample") as runtime:
        assert runtime.ask(runtime.new_session(), "what is wrong?")[-1]["outcome"] == "completed"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """One file in the way, and none is written."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs/models.yaml").write_text("mine\n")
    outcome = kagent_render("init", ".", cwd=tmp_path)
    assert outcome.code == 2
    assert "specs/models.yaml exists" in outcome.stderr
    assert tree(tmp_path) == {"specs/models.yaml": "mine\n"}
