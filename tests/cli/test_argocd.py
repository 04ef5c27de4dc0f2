"""The plugin's commands as Argo CD runs them: everything or nothing on stdout, a short stderr, parameters by JSON."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.harness import EXAMPLES, Outcome, kagent_render

MODEL = "kind: ModelConfig\nmetadata: {name: m}\nspec: {model: gpt-4o, apiKeySecretRef: {name: key, key: key}}\n"
SPEC = "{description: Helps, systemMessage: Help., modelConfigRef: {name: m}}"
AGENT = f"kind: Agent\nmetadata: {{name: helper}}\nspec: {SPEC}\n"
HEAD = "apiVersion: kagent.dev/v1alpha1\n"


def generate(folder: Path, *arguments: str, parameters: list[dict[str, Any]] | None = None, **more: str) -> Outcome:
    environment = {"ARGOCD_APP_PARAMETERS": json.dumps(parameters), **more}
    return kagent_render("argocd", "generate", *arguments, cwd=folder, **environment)


@pytest.fixture
def specs(tmp_path: Path) -> Path:
    (tmp_path / "model.yaml").write_text(HEAD + MODEL)
    (tmp_path / "agent.yaml").write_text(HEAD + AGENT)
    return tmp_path


@pytest.mark.parametrize("environment", ["dev", "staging", "prod"])
def test_an_environment_is_what_build_prints(environment: str) -> None:
    folder = EXAMPLES / "platform-team"
    done = generate(folder, parameters=[{"name": "env", "string": environment}])
    built = kagent_render("build", "--env", environment, cwd=folder)
    assert (done.code, done.stdout) == (0, built.stdout)


def test_objects_get_the_namespace_of_the_application(specs: Path) -> None:
    done = generate(specs, ARGOCD_APP_NAMESPACE="team")
    assert {item["metadata"]["namespace"] for item in yaml.safe_load_all(done.stdout)} == {"team"}
    own = generate(specs, parameters=[{"name": "namespace", "string": "own"}], ARGOCD_APP_NAMESPACE="team")
    assert {item["metadata"]["namespace"] for item in yaml.safe_load_all(own.stdout)} == {"own"}


def test_a_parameter_sets_a_field(specs: Path) -> None:
    done = generate(specs, parameters=[{"name": "set", "map": {"Agent/helper:spec.workload.replicas": "3"}}])
    (deployment,) = (item for item in yaml.safe_load_all(done.stdout) if item["kind"] == "Deployment")
    assert deployment["spec"]["replicas"] == 3
    assert done.stdout == kagent_render("build", "--set", "Agent/helper:spec.workload.replicas=3", cwd=specs).stdout


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("Agent/helper:spec.workload.replicas=many", "--set Agent/helper:spec.workload.replicas:1:"),
        ("Agent/helpr:spec.description=x", "there is no Agent `helpr` to change"),
        ("Agent/helper:spec.workload.replica=1", "the field `replica` does not exist"),
        ("spec.workload.replicas=1", "error[KR011] `spec.workload.replicas` does not name a field of a spec"),
    ],
)
def test_a_setting_that_does_not_fit_is_a_diagnostic(specs: Path, setting: str, message: str) -> None:
    for command in ("build", "check"):
        done = kagent_render(command, "--set", setting, cwd=specs)
        assert done.code == 1
        assert message in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


def test_a_setting_reaches_keys_with_dots_and_removes_fields(specs: Path) -> None:
    pod = "Agent/helper:spec.workload.podAnnotations"
    done = kagent_render("build", "--set", f"{pod}.example\\.com/team=blue", cwd=specs)
    assert "example.com/team: blue" in done.stdout
    (specs / "agent.yaml").write_text(HEAD + AGENT.replace("{description", "{workload: {replicas: 3}, description"))
    removed = kagent_render("build", "--set", "Agent/helper:spec.workload.replicas=", cwd=specs)
    assert (removed.code, "replicas: 3" in removed.stdout) == (0, False)


def test_one_bad_spec_means_no_output_at_all(specs: Path) -> None:
    """What Argo CD does not get, it deletes."""
    (specs / "other.yaml").write_text(HEAD + AGENT.replace("helper", "other").replace("{name: m}", "{name: gone}"))
    done = generate(specs)
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr.startswith("other.yaml:4:")
    assert len(done.stderr.splitlines()) == 1


def test_many_defects_are_cut_short(specs: Path) -> None:
    """Argo CD shows all of stderr in one message."""
    for number in range(50):
        broken = AGENT.replace("helper", f"other-{number}").replace("{name: m}", f"{{name: {'n' * 600}}}")
        (specs / f"other-{number:02}.yaml").write_text(HEAD + broken)
    done = generate(specs)
    assert (done.code, done.stdout) == (1, "")
    lines = done.stderr.splitlines()
    assert lines[-1].endswith("more; `kagent-render check` shows all")
    assert (len(lines), max(map(len, lines))) == (21, 400)


@pytest.mark.parametrize("text", [None, HEAD + MODEL])
def test_nothing_to_deploy_is_an_error_unless_allowed(tmp_path: Path, text: str | None) -> None:
    if text:
        (tmp_path / "model.yaml").write_text(text)
    done = generate(tmp_path)
    assert (done.code, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    allowed = generate(tmp_path, "--allow-empty")
    assert (allowed.code, allowed.stdout) == (0, "")


def test_allow_empty_does_not_hide_defects(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text(HEAD + AGENT)
    done = generate(tmp_path, "--allow-empty")
    assert (done.code, done.stdout) == (1, "")
    assert "KR201" in done.stderr


def test_an_unknown_parameter_or_environment_is_said(specs: Path) -> None:
    done = generate(specs, parameters=[{"name": "enviroment", "string": "prod"}])
    assert (done.code, done.stdout) == (1, "")
    assert done.stderr == "error: unknown parameter `enviroment`; there are: env, namespace, paths, set\n"
    done = generate(specs, parameters=[{"name": "env", "string": "prod"}])
    assert (done.code, done.stdout) == (1, "")
    assert "KR010" in done.stderr


def test_shared_specs_of_a_monorepo_are_reached_and_nothing_outside(tmp_path: Path) -> None:
    """What is above the repository that Argo CD sent is another Application's, or the sidecar's own."""
    app = tmp_path / "repository" / "teams" / "blue"
    shared = tmp_path / "repository" / "shared"
    app.mkdir(parents=True)
    shared.mkdir()
    (app / "agent.yaml").write_text(HEAD + AGENT)
    (shared / "model.yaml").write_text(HEAD + MODEL)
    (tmp_path / "secret.yaml").write_text(HEAD + MODEL)

    def paths(*given: str) -> Outcome:
        return generate(app, parameters=[{"name": "paths", "array": [*given]}], ARGOCD_APP_SOURCE_PATH="teams/blue")

    assert paths(".", "../../shared").code == 0
    for outside in ("../../../secret.yaml", str(tmp_path / "secret.yaml"), "../../.."):
        done = paths(".", outside)
        assert (done.code, done.stdout) == (1, "")
        assert done.stderr == f"error: the path `{outside}` is outside the repository\n"
    missing = paths(".", "../../shard")
    assert (missing.code, missing.stdout) == (1, "")
    assert missing.stderr.splitlines()[-1].startswith("note: with manifest-generate-paths")


def test_argo_cds_own_files_are_no_specs(specs: Path) -> None:
    (specs / ".argocd-source.yaml").write_text("plugin: {env: [{name: A, value: b}]}\n")
    (specs / ".argocd-source-agents.yaml").write_text("plugin: {}\n")
    assert generate(specs).code == 0


def test_neither_the_place_nor_the_revision_shows(specs: Path, tmp_path: Path) -> None:
    """The hydrator commits the output: the same specs are the same bytes."""
    other = tmp_path / "elsewhere" / "deep"
    shutil.copytree(specs, other, ignore=shutil.ignore_patterns("elsewhere"))
    shutil.rmtree(tmp_path / "elsewhere" / "elsewhere", ignore_errors=True)
    there = generate(
        other,
        ARGOCD_APP_REVISION="0f" * 20,
        ARGOCD_APP_NAME="agents",
        ARGOCD_APP_SOURCE_REPO_URL="https://git.example.com/a.git",
        KUBE_VERSION="1.30",
        KUBE_API_VERSIONS="v1",
        ARGOCD_ENV_SECRET="s3cret",
    )
    shutil.rmtree(tmp_path / "elsewhere")
    assert (there.code, there.stdout) == (0, generate(specs).stdout)


def test_parameters_are_announced_even_of_broken_specs(tmp_path: Path) -> None:
    (tmp_path / "agent.yaml").write_text("kind: [")
    (tmp_path / "environments" / "prod").mkdir(parents=True)
    done = kagent_render("argocd", "parameters", cwd=tmp_path)
    announced = {entry["name"]: entry for entry in json.loads(done.stdout)}
    assert (done.code, done.stderr) == (0, "")
    assert [*announced] == ["env", "namespace", "paths", "set"]
    assert announced["env"]["tooltip"].endswith("one of: prod")


def test_what_installs_it_is_printed() -> None:
    plugin = yaml.safe_load(kagent_render("argocd", "plugin", "plugin").stdout)
    assert (plugin["kind"], plugin["metadata"]["name"]) == ("ConfigManagementPlugin", "kagent-render")
    assert "version" not in plugin["spec"]
    patch = yaml.safe_load(kagent_render("argocd", "plugin", "kustomize", "--image", "registry/p@sha256:0").stdout)
    values = yaml.safe_load(kagent_render("argocd", "plugin", "helm", "--image", "registry/p@sha256:0").stdout)
    (container,) = patch["spec"]["template"]["spec"]["containers"]
    assert values["repoServer"]["extraContainers"] == [container]
    assert container["image"] == "registry/p@sha256:0"
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    volumes = {volume["name"] for volume in patch["spec"]["template"]["spec"]["volumes"]}
    # The others are the repo server's own.
    assert {mount["name"] for mount in container["volumeMounts"]} - volumes == {"var-files", "plugins"}


def test_an_application_set_needs_environments() -> None:
    done = kagent_render("argocd", "plugin", "applicationset")
    assert (done.code, done.stdout) == (2, "")
    assert "--env dev --env prod" in done.stderr
