"""`promote` and `diff --env A --env B`: versions go from one environment to the other, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness import EXAMPLES, kagent_render, tree

SPECS = """\
apiVersion: kagent.dev/v1alpha1
kind: ModelConfig
metadata: {name: m}
spec: {model: qwen3, baseUrl: "http://vllm.models.svc/v1"}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: triage}
spec:
  description: Sorts
  systemMessageFrom: {file: prompts/triage.md}
  modelConfigRef: {name: m}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: writer}
spec: {description: Writes, systemMessage: Write., modelConfigRef: {name: m}}
---
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}
spec: {namespace: base, image: "ghcr.io/acme/runtime:1.0"}
"""
STAGING = """\
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: triage}
spec:
  systemMessageFrom: {file: prompts/triage-v2.md}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: writer}
spec: {systemMessage: Write well.}
---
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}
spec: {namespace: staging, image: "ghcr.io/acme/runtime:1.1"}
"""
PROD = """\
# prod: what people use.
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}   # there is one
spec:
    namespace: "prod"
    # more than staging
    workload:
        resources:
            limits: {memory: 1Gi}
---
apiVersion: kagent.dev/v1alpha1
kind: Agent
metadata: {name: triage}
spec:
    workload: {replicas: 1}   # for now
"""
DIGESTS = {name: f"sha256:{name[0] * 64}" for name in ("a", "b", "c")}


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Specs with two environments, staging ahead of prod."""
    files = {
        "specs.yaml": SPECS,
        "prompts/triage.md": "Sort.\n",
        "environments/staging/all.yaml": STAGING,
        "environments/staging/prompts/triage-v2.md": "Sort by urgency.\n",
        "environments/staging/images.lock": f'images:\n  ghcr.io/acme/runtime:1.1: "{DIGESTS["b"]}"\n',
        "environments/prod/platform.yaml": PROD,
        "environments/prod/images.lock": (
            f'images:\n  ghcr.io/acme/runtime:1.0: "{DIGESTS["a"]}"\n  ghcr.io/acme/tool:3: "{DIGESTS["c"]}"\n'
        ),
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def test_versions_go_over_and_all_else_stays(repository: Path) -> None:
    """Comments, indentation and quotes too; a second time there is nothing to do."""
    said = kagent_render("promote", ".", "--from", "staging", "--to", "prod", cwd=repository)
    assert said.code == 0, said.stderr
    assert [line for line in said.stderr.splitlines() if line.startswith("promoted")] == [
        "promoted environments/prod/prompts/triage-v2.md: the prompt of environments/staging/prompts/triage-v2.md",
        "promoted Agent triage: systemMessageFrom as in the base -> prompts/triage-v2.md",
        "promoted Agent writer: systemMessage as in the base -> Write well.",
        "promoted Platform platform: image as in the base -> ghcr.io/acme/runtime:1.1",
        f"promoted ghcr.io/acme/runtime:1.1: not locked -> {DIGESTS['b'][:19]}",
    ]
    found = tree(repository / "environments" / "prod")
    assert found["prompts/triage-v2.md"] == "Sort by urgency.\n"
    assert found["platform.yaml"] == PROD.replace(
        "            limits: {memory: 1Gi}\n",
        "            limits: {memory: 1Gi}\n    image: ghcr.io/acme/runtime:1.1\n",
    ).replace(
        "    workload: {replicas: 1}   # for now\n",
        "    workload: {replicas: 1}   # for now\n    systemMessageFrom:\n        file: prompts/triage-v2.md\n",
    )
    again = kagent_render("promote", ".", "--from", "staging", "--to", "prod", "--check", cwd=repository)
    assert (again.code, again.stderr) == (0, "prod has the versions of staging already\n")


def test_a_check_writes_nothing(repository: Path) -> None:
    """It exits 1, for CI."""
    before = tree(repository)
    outcome = kagent_render("promote", ".", "--from", "staging", "--to", "prod", "--check", cwd=repository)
    assert outcome.code == 1
    assert "would promote Agent writer: systemMessage as in the base -> Write well." in outcome.stderr
    assert tree(repository) == before


def test_the_prompt_of_one_agent(repository: Path) -> None:
    """No image, and no other agent's."""
    before = tree(repository / "environments" / "prod")
    outcome = kagent_render("promote", ".", "--from", "staging", "--to", "prod", "--agent", "writer", cwd=repository)
    assert (outcome.code, outcome.stderr) == (
        0,
        "promoted Agent writer: systemMessage as in the base -> Write well.\n",
    )
    after = tree(repository / "environments" / "prod")
    assert {name for name in after if after[name] != before.get(name)} == {"all.yaml"}
    assert "Write well." in after["all.yaml"]


def test_back_to_what_the_base_says(repository: Path) -> None:
    """What the source does not change, the target does not change any more."""
    assert kagent_render("promote", ".", "--from", "staging", "--to", "prod", cwd=repository).code == 0
    (repository / "environments/staging/all.yaml").write_text(STAGING.split("---\n", 2)[2])
    outcome = kagent_render("promote", ".", "--from", "staging", "--to", "prod", cwd=repository)
    assert outcome.code == 0, outcome.stderr
    assert "promoted Agent triage: systemMessageFrom prompts/triage-v2.md -> as in the base" in outcome.stderr
    found = tree(repository / "environments" / "prod")
    assert "systemMessage" not in "".join(found.values())
    assert "replicas: 1" in found["platform.yaml"]
    assert "all.yaml" not in found


def test_what_would_not_compile_changes_nothing(repository: Path) -> None:
    """The target's own rules count: there every image is locked, and this one is not."""
    (repository / "environments/staging/images.lock").unlink()
    before = tree(repository)
    outcome = kagent_render("promote", ".", "--from", "staging", "--to", "prod", cwd=repository)
    assert outcome.code == 1
    assert "ghcr.io/acme/runtime:1.1" in outcome.stderr
    assert outcome.stderr.endswith("prod would not compile with these versions, so nothing is changed\n")
    assert tree(repository) == before


@pytest.mark.parametrize(
    ("source", "target", "told"),
    [
        ("staging", "staging", "--from and --to name the same environment"),
        ("staging", "prd", "there is no environment `prd`: environments/prd"),
    ],
)
def test_environments_that_cannot_be(repository: Path, source: str, target: str, told: str) -> None:
    """Usage errors."""
    outcome = kagent_render("promote", ".", "--from", source, "--to", target, cwd=repository)
    assert outcome.code == 2
    assert told in outcome.stderr


def test_environments_side_by_side(repository: Path) -> None:
    """Objects are matched across the two namespaces; the second is the new one."""
    outcome = kagent_render("diff", ".", "--env", "staging", "--env", "prod", cwd=repository)
    assert outcome.code == 1
    assert outcome.stderr.endswith("namespace staging of staging is compared with prod of prod\n")
    assert (
        f"~ image: ghcr.io/acme/runtime:1.1@{DIGESTS['b']} → ghcr.io/acme/runtime:1.0@{DIGESTS['a']}" in outcome.stdout
    )
    assert "removed" not in outcome.stdout
    assert "added" not in outcome.stdout
    same = kagent_render("diff", ".", "--env", "prod", "--env", "prod", cwd=repository)
    assert same.code == 0, same.stdout


@pytest.mark.parametrize(
    "arguments",
    [("--env", "a"), ("--env", "a", "--env", "b", "--live"), ("--env", "a", "--env", "b", "--env", "c")],
)
def test_a_comparison_has_two_sides(arguments: tuple[str, ...]) -> None:
    """One environment alone, or two and a cluster, are not."""
    outcome = kagent_render("diff", str(EXAMPLES / "platform-team"), *arguments)
    assert outcome.code == 2
    assert "diff needs what to compare with" in outcome.stderr
