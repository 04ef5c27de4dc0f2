"""The views for people: `diff`, `get`, `describe` and `graph`, as a user meets them."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.harness import CASES, ROOT, Outcome, kagent_render

FOLDER = CASES / "views"
BROKEN = "tests/cases/diagnostics/KR201-unknown-reference/input"
GROWN = "tests/cases/views/grown-agent"
TEAM = "tests/cases/views/team/input"


@pytest.mark.parametrize("name", sorted(path.name for path in FOLDER.iterdir()))
def test_the_output_is_exactly_as_expected(name: str, tmp_path: Path, update_golden: bool) -> None:
    """Every command of `commands.txt`, with `{before}` the rendered form of `before/`."""
    folder = FOLDER / name
    shown = ""
    if (folder / "before").is_dir():
        assert kagent_render("build", str(folder / "before"), "-o", str(tmp_path / "before")).code == 0
    for line in (folder / "commands.txt").read_text().splitlines():
        places = {"input": (folder / "input").relative_to(ROOT).as_posix(), "before": str(tmp_path / "before")}
        outcome = kagent_render(*line.format(**places).split())
        shown += f"$ kagent-render {line}\n{outcome.stdout}{outcome.stderr}exit {outcome.code}\n\n"
    shown = shown.replace(f"{(folder / 'input').relative_to(ROOT).as_posix()}/", "")
    if update_golden:
        (folder / "expected.txt").write_text(shown, encoding="utf-8")
    assert shown == (folder / "expected.txt").read_text(encoding="utf-8")


def test_nothing_differs_from_what_was_just_built(tmp_path: Path) -> None:
    """Exit 0 and an empty stdout; Markdown says it in words."""
    assert kagent_render("build", f"{GROWN}/input", "-o", str(tmp_path)).code == 0
    same = kagent_render("diff", f"{GROWN}/input", "-o", str(tmp_path))
    assert (same.code, same.stdout, same.stderr) == (0, "", "nothing differs\n")
    assert "nothing changes" in kagent_render("diff", f"{GROWN}/input", "-o", str(tmp_path), "--format=markdown").stdout


@pytest.mark.parametrize(
    "arguments",
    [["diff", BROKEN, "-o", "."], ["get", "agents", BROKEN], ["describe", "agent", "a", BROKEN], ["graph", BROKEN]],
)
def test_an_error_in_the_specs_means_no_output(arguments: list[str]) -> None:
    """Diagnostics on stderr, exit 1."""
    outcome = kagent_render(*arguments)
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "error[KR201]" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diff", TEAM], "either --output DIR or --rev GITREV"),
        (["diff", TEAM, "-o", "docs-that-are-not-there"], "has no kustomization.yaml"),
        (["get", "agnets", TEAM], "agents"),
        (["describe", "agnet", "finder", TEAM], "did you mean `agent`?"),
        (["describe", "agent", "fnder", TEAM], "did you mean `finder`?"),
        (["describe", "team", "finder", TEAM], "is not one of the teams; there are: incident"),
        (["graph", TEAM, "--format", "svgg"], "mermaid"),
    ],
)
def test_usage_errors_exit_2(arguments: list[str], says: str) -> None:
    """And say how it is meant."""
    outcome = kagent_render(*arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert says in outcome.stderr


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("kustomization.yaml", "resources: [../secret.yaml]\n", "which is not below the folder"),
        ("kustomization.yaml", "resources: [/etc/passwd]\n", "which is not below the folder"),
        ("kustomization.yaml", "resources: [\n", "is not YAML"),
        ("kustomization.yaml", "- a\n", "not a Kubernetes object"),
        ("kustomization.yaml", "resources: [gone.yaml]\n", "gone.yaml"),
        ("service.yaml", "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\n", "build it again"),
        ("service.yaml", "just: text\n", "not a Kubernetes object"),
        ("service.yaml", "a: !!python/object:os.system x\n", "is not YAML"),
    ],
)
def test_a_folder_that_cannot_be_read_is_a_usage_error(tmp_path: Path, name: str, text: str, says: str) -> None:
    """Never our bug, never a file outside the folder."""
    (tmp_path / "kustomization.yaml").write_text("resources: [service.yaml]\n")
    (tmp_path / name).write_text(text)
    outcome = kagent_render("diff", TEAM, "-o", str(tmp_path))
    assert (outcome.code, outcome.stdout) == (2, "")
    assert says in outcome.stderr


def test_only_listed_files_are_compared(tmp_path: Path) -> None:
    """Somebody's other manifests beside ours are not removed objects."""
    kagent_render("build", TEAM, "-o", str(tmp_path))
    (tmp_path / "other.yaml").write_text("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n")
    assert kagent_render("diff", TEAM, "-o", str(tmp_path)).code == 0


def test_a_name_in_two_namespaces_has_to_be_given_in_full(tmp_path: Path) -> None:
    """`NAMESPACE/NAME` tells them apart."""
    text = (ROOT / GROWN / "before" / "specs.yaml").read_text()
    (tmp_path / "a.yaml").write_text(text)
    (tmp_path / "b.yaml").write_text("\n---\n".join(text.split("\n---\n")[:1]).replace("ops", "dev"))
    outcome = kagent_render("describe", "agent", "troubleshooter", str(tmp_path))
    assert outcome.code == 2
    assert "say which: dev/troubleshooter, ops/troubleshooter" in outcome.stderr
    assert "Namespace:   dev" in kagent_render("describe", "agent", "dev/troubleshooter", str(tmp_path)).stdout


def test_get_for_machines() -> None:
    """JSON has every field, lists as lists."""
    agents = json.loads(kagent_render("get", "agents", TEAM, "-o", "json").stdout)
    assert agents[0]["tools"] == ["kubectl-logs", "pods"]
    assert agents[1]["runsIn"] == ["writer", "incident"]


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="needs git")


def _repository(folder: Path) -> Path:
    identity = ["-c", "user.name=T", "-c", "user.email=t@example.com", "-c", "commit.gpgsign=false"]
    shutil.copytree(ROOT / GROWN / "before", folder / "agents" / "specs")
    for arguments in (["init", "-q"], ["add", "."], [*identity, "commit", "-q", "-m", "one"]):
        subprocess.run(["git", "-C", str(folder), *arguments], check=True, timeout=60)
    shutil.copy(ROOT / GROWN / "input" / "specs.yaml", folder / "agents" / "specs" / "specs.yaml")
    return folder


def _diff(folder: Path, *arguments: str) -> Outcome:
    return kagent_render("diff", *arguments, cwd=folder, PYTHONPATH=str(ROOT))


@needs_git
def test_diff_with_a_git_revision(tmp_path: Path) -> None:
    """The same text as with the folder that revision renders; also from a folder below."""
    folder = _repository(tmp_path / "repository")
    assert kagent_render("build", f"{GROWN}/before", "-o", str(tmp_path / "out")).code == 0
    outcome = _diff(folder, "agents", "--rev", "HEAD")
    assert outcome.code == 1
    assert outcome.stdout == _diff(folder, "agents", "-o", str(tmp_path / "out")).stdout != ""
    assert _diff(folder / "agents", "specs", "--rev", "HEAD").stdout == outcome.stdout
    subprocess.run(["git", "-C", str(folder), "checkout", "-q", "."], check=True, timeout=60)
    assert _diff(folder, "agents", "--rev", "HEAD").code == 0


@needs_git
def test_paths_that_a_revision_did_not_have_are_all_new(tmp_path: Path) -> None:
    """A pull request may add a folder of agents."""
    folder = _repository(tmp_path)
    shutil.copytree(folder / "agents", folder / "more")
    outcome = _diff(folder, "more", "--rev", "HEAD")
    assert (outcome.code, "ops/troubleshooter (Agent, added)" in outcome.stdout) == (1, True)


@needs_git
def test_git_mistakes_are_usage_errors(tmp_path: Path) -> None:
    """A revision that is none, one that looks like an option, and a folder without a repository."""
    folder = _repository(tmp_path / "repository")
    for revision in ("nonsense", "--output=x", ""):
        outcome = _diff(folder, "agents", f"--rev={revision}")
        assert (outcome.code, outcome.stdout) == (2, "")
        assert "is not a Git revision" in outcome.stderr
    outside = tmp_path / "outside"
    shutil.copytree(folder / "agents", outside)
    assert "is not in a Git repository" in _diff(outside, ".", "--rev", "HEAD").stderr
    without = kagent_render("diff", "agents", "--rev", "HEAD", cwd=folder, PYTHONPATH=str(ROOT), PATH=str(outside))
    assert (without.code, "which is not installed" in without.stderr) == (2, True)


@needs_git
def test_a_revision_with_errors_is_not_compared(tmp_path: Path) -> None:
    """It says so, and prints nothing that could be taken for a diff."""
    folder = _repository(tmp_path)
    (folder / "agents" / "specs" / "specs.yaml").write_text("kind: [\n")
    commit = [
        "-c",
        "user.name=T",
        "-c",
        "user.email=t@example.com",
        "-c",
        "commit.gpgsign=false",
        "commit",
        "-qam",
        "x",
    ]
    subprocess.run(["git", "-C", str(folder), *commit], check=True, timeout=60)
    shutil.copy(ROOT / GROWN / "input" / "specs.yaml", folder / "agents" / "specs" / "specs.yaml")
    outcome = _diff(folder, "agents", "--rev", "HEAD")
    assert (outcome.code, outcome.stdout) == (1, "")
    assert "the specs have errors at HEAD" in outcome.stderr


def test_switching_authentication_off_shows(tmp_path: Path) -> None:
    """The one line of a pull request that nobody should overlook."""
    specs = tmp_path / "specs.yaml"
    agent = (CASES / "diagnostics/KR591-no-block/input/specs.yaml").read_text().partition("---\n")[2]
    head = "apiVersion: render.kagent.dev/v1alpha1\nkind: Platform\nmetadata: {name: platform}\nspec:\n"
    bearer = "  authentication: {type: Bearer, bearer: {tokensSecretRef: {name: t, key: tokens}, admins: [root]}}\n"
    specs.write_text(f"{head}{bearer}---\n{agent}")
    built = kagent_render("build", str(specs), "-o", str(tmp_path / "out"))
    assert built.code == 0, built.stderr
    specs.write_text(f"{head}  authentication: {{type: None}}\n---\n{agent}")
    told = kagent_render("diff", str(specs), "-o", str(tmp_path / "out"))
    change = "a token of Secret t key tokens (root may read every session) → nothing: whoever the network lets in"
    assert f"~ callers show: {change} is answered" in told.stdout
    shown = kagent_render("describe", "agent", "team/a", str(specs))
    assert "Callers:     show nothing: whoever the network lets in is answered" in shown.stdout


def test_tools_tell_what_is_deployed_for_them() -> None:
    """For machines, in a field of its own."""
    outcome = kagent_render("get", "tools", "tests/cases/views/mcp-server/input", "-o", "json")
    found = {item["name"]: item["server"] for item in json.loads(outcome.stdout)}
    assert (found["orders"], found["rates"], found["kubectl-get"]) == ("Deployment", "Sidecar", None)
