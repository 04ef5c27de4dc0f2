"""The real pre-commit runs our hooks in a repository of specs, through all that may be committed there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.harness import EXAMPLES, ROOT

CONFIG = """\
repos:
  - repo: {repository}
    rev: {revision}
    hooks:
      - id: kagent-render-fmt
      - id: kagent-render-check
        args: [specs]
      - id: kagent-render
        args: [specs, -o, rendered]
"""


@dataclass(frozen=True)
class Repository:
    """A folder with a Git repository in which pre-commit is installed."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def run(self, *command: str, expected: int | None = 0) -> str:
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=600, check=False
        )
        output = done.stdout + done.stderr
        assert expected in (None, done.returncode), output
        return output

    def commit(self, message: str, *, expected: int = 0) -> str:
        return self.run("git", "commit", "-m", message, expected=expected)

    def add(self) -> None:
        self.run("git", "add", "--all")

    @property
    def agent(self) -> Path:
        return self.folder / "specs" / "agent.yaml"


def _git_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON", "VIRTUAL_"))}
    who = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    who |= {"GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@example.com"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return (
        kept | who | {"PATH": path, "GIT_CONFIG_GLOBAL": str(home / "gitconfig"), "PRE_COMMIT_HOME": str(home / "pc")}
    )


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """This repository as somebody else's pre-commit gets it: a clone with a tag."""
    home = tmp_path_factory.mktemp("home")
    (home / "gitconfig").write_text('[safe]\n\tdirectory = *\n[protocol "file"]\n\tallow = always\n')
    clone = Repository(home / "kagent-render", _git_environment(home))
    tracked = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in (one for one in tracked.split("\0") if one and not one.startswith(("tests/", "examples/"))):
        (clone.folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, clone.folder / name)
    clone.run("git", "init", "--quiet", "--initial-branch", "main")
    clone.add()
    clone.commit("Release")
    clone.run("git", "tag", "v0.1.0")
    return clone


@pytest.fixture(scope="module")
def fresh(release: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Specs, and the hooks of a tag; nothing is rendered yet."""
    made = Repository(tmp_path_factory.mktemp("agents"), release.environment)
    shutil.copytree(EXAMPLES / "quickstart" / "specs", made.folder / "specs")
    config = CONFIG.format(repository=release.folder, revision="v0.1.0")
    (made.folder / ".pre-commit-config.yaml").write_text(config)
    made.run("git", "init", "--quiet", "--initial-branch", "main")
    made.run("pre-commit", "install")
    made.run("pre-commit", "install-hooks")
    return made


@pytest.fixture
def repository(fresh: Repository, tmp_path: Path) -> Repository:
    """A copy in which everything is committed."""
    shutil.copytree(fresh.folder, tmp_path / "agents")
    made = Repository(tmp_path / "agents", fresh.environment)
    made.add()
    made.commit("First", expected=1)
    made.add()
    made.commit("First")
    return made


def test_the_first_commit_fails_once_with_what_was_created(fresh: Repository, tmp_path: Path) -> None:
    """pre-commit does not see files that are new: the hook itself must fail (commands/run.py, _get_diff)."""
    shutil.copytree(fresh.folder, tmp_path / "agents")
    repository = Repository(tmp_path / "agents", fresh.environment)
    repository.add()
    first = repository.commit("First", expected=1)
    assert "created ai-agents/k8s-troubleshooter/deployment.yaml" in first
    assert "now: git add --all rendered" in first
    again = repository.commit("First")  # what is rendered is up to date, though not added
    assert "Failed" not in again


def test_a_change_is_rendered_and_named(repository: Repository) -> None:
    repository.agent.write_text(repository.agent.read_text().replace("smallest fix", "simplest fix"))
    repository.add()
    output = repository.commit("Change", expected=1)
    assert "changed ai-agents/k8s-troubleshooter/configmap.yaml" in output
    assert "simplest fix" in (repository.folder / "rendered/ai-agents/k8s-troubleshooter/configmap.yaml").read_text()
    repository.add()
    repository.commit("Change")
    assert repository.run("git", "status", "--porcelain") == ""


def test_a_commit_that_only_deletes_a_spec_deletes_its_manifests(repository: Repository) -> None:
    """Such a commit has no file names; hooks that go by them are skipped."""
    text = repository.agent.read_text().replace("k8s-troubleshooter", "second")
    (repository.folder / "specs" / "second.yaml").write_text(text)
    repository.add()
    repository.commit("Second", expected=1)
    repository.add()
    repository.commit("Second")
    repository.run("git", "rm", "--quiet", "specs/second.yaml")
    output = repository.commit("Delete", expected=1)
    assert "deleted ai-agents/second/deployment.yaml" in output
    repository.add()
    repository.commit("Delete")
    assert not (repository.folder / "rendered" / "ai-agents" / "second").exists()


def test_a_bad_spec_is_told_with_its_place_and_nothing_is_written(repository: Repository) -> None:
    before = repository.run("git", "ls-files", "-s", "rendered")
    repository.agent.write_text(repository.agent.read_text().replace("modelConfigRef", "modelConfigRaf"))
    repository.add()
    output = repository.commit("Break", expected=1)
    assert "specs/agent.yaml:12:3: error[KR101]" in output
    assert "did you mean `modelConfigRef`?" in output
    assert "Traceback" not in output
    repository.run("git", "add", "--all")
    assert repository.run("git", "ls-files", "-s", "rendered") == before


def test_a_manifest_that_somebody_edited_is_put_right(repository: Repository) -> None:
    file = repository.folder / "rendered/ai-agents/k8s-troubleshooter/role.yaml"
    rendered = file.read_text()
    file.write_text(rendered.replace("- get", "- delete"))
    repository.add()
    output = repository.commit("Edit", expected=1)
    assert "changed ai-agents/k8s-troubleshooter/role.yaml" in output
    assert file.read_text() == rendered


def test_what_is_not_staged_is_not_rendered(repository: Repository) -> None:
    """pre-commit puts it aside, and our files do not get into its way when it comes back."""
    changed = repository.agent.read_text().replace("smallest fix", "simplest fix")
    repository.agent.write_text(changed)
    (repository.folder / "notes.md").write_text("note\n")
    repository.run("git", "add", "notes.md")
    repository.commit("Note")
    assert repository.agent.read_text() == changed
    assert repository.run("git", "status", "--porcelain") == " M specs/agent.yaml\n"


def test_a_spec_that_is_not_in_git_is_named(repository: Repository) -> None:
    """pre-commit leaves such files where they are: what it compiles to would be committed without it."""
    text = repository.agent.read_text().replace("k8s-troubleshooter", "second")
    (repository.folder / "specs" / "second.yaml").write_text(text)
    (repository.folder / "notes.md").write_text("note\n")
    repository.run("git", "add", "notes.md")
    output = repository.commit("Note", expected=1)
    assert "created ai-agents/second/deployment.yaml" in output
    assert "note: specs/second.yaml is not in Git" in output
    repository.add()
    repository.commit("Both")


def test_the_fixers_of_others_have_nothing_to_do(repository: Repository) -> None:
    """Those for white space at the end of lines and files, which most repositories run over everything."""
    fixers = "".join(
        f"      - {{id: {name}, name: {name}, entry: {name}, language: python, types: [text],"
        " additional_dependencies: [pre-commit-hooks==6.0.0]}\n"
        for name in ("end-of-file-fixer", "trailing-whitespace-fixer", "mixed-line-ending")
    )
    config = repository.folder / ".pre-commit-config.yaml"
    config.write_text(f"{config.read_text()}  - repo: local\n    hooks:\n{fixers}")
    output = repository.run("pre-commit", "run", "--all-files")
    assert (output.count("Passed"), "Failed" in output) == (6, False), output
    assert repository.run("git", "status", "--porcelain") == " M .pre-commit-config.yaml\n"


def test_a_spec_is_formatted_and_other_yaml_left(repository: Repository) -> None:
    repository.agent.write_text(repository.agent.read_text().replace("spec:\n", "spec:    # what it does\n"))
    (repository.folder / "values.yaml").write_text("a:   {b:  1}\n")
    repository.agent.write_text(repository.agent.read_text().replace("tools: [", "tools:   [  "))
    repository.add()
    output = repository.commit("Untidy", expected=1)
    assert "formatted specs/agent.yaml" in output
    assert "spec:    # what it does" in repository.agent.read_text()
    assert (repository.folder / "values.yaml").read_text() == "a:   {b:  1}\n"
    repository.add()
    repository.commit("Tidy")


def test_all_files_pass_twice_in_ci(repository: Repository) -> None:
    assert "Failed" not in repository.run("pre-commit", "run", "--all-files")
    assert repository.run("git", "status", "--porcelain") == ""


def test_it_is_tried_from_the_tag(repository: Repository, release: Repository) -> None:
    """As the documentation of pre-commit says to try hooks before one depends on them."""
    command = ["pre-commit", "try-repo", "--ref", "v0.1.0", str(release.folder), "kagent-render-check", "--all-files"]
    assert "Passed" in repository.run(*command)
