"""Argo CD itself takes specs from Git to a real API server by way of our plugin, and finds no difference afterwards.

Its application controller, repo server and plugin server are built of the released module; the Application is the one
that `kagent-render argocd plugin application` prints.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.argocd_application import Application, names_of, printed
from tests.e2e.cluster import Cluster
from tests.e2e.controlplane import argocd_server
from tests.e2e.controlplane.argocd_server import ArgoCD
from tests.e2e.controlplane.client import ApiError
from tests.e2e.controlplane.git_server import GitServer, Repository
from tests.e2e.pod import wait_for
from tests.harness import CASES, EXAMPLES, kagent_render

REMOVED = "release-watcher"
NAMESPACE = "ai-agents"
JSON = dict[str, Any]


@pytest.fixture(scope="module")
def argocd(cluster: Cluster) -> Iterator[ArgoCD]:
    reason = argocd_server.missing_requirement()
    if reason:
        stop = pytest.fail if os.environ.get("REQUIRE_ARGOCD") == "1" else pytest.skip
        stop(f"Argo CD cannot be started here: {reason}")
    with ArgoCD(cluster.plane) as running:
        yield running


@pytest.fixture(scope="module")
def git() -> Iterator[GitServer]:
    with GitServer() as server:
        yield server


@pytest.fixture
def repository(git: GitServer, argocd: ArgoCD, request: pytest.FixtureRequest) -> Repository:
    """An empty one, of this test's name."""
    assert argocd
    return git.repository("".join(c if c.isalnum() else "-" for c in request.node.name))


def _team(repository: Repository) -> Path:
    """The example of a platform team, in a folder of the repository."""
    folder = repository.folder / "platform-team"
    shutil.copytree(EXAMPLES / "platform-team", folder, ignore=shutil.ignore_patterns("rendered"))
    return folder


def _built(folder: Path, *flags: str) -> list[JSON]:
    done = kagent_render("build", str(folder), *flags)
    assert done.code == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


def _generations(cluster: Cluster, items: list[JSON]) -> dict[str, tuple[str, int]]:
    """What tells that an object was neither made again nor changed in its spec."""
    found = [cluster.client.get(item, NAMESPACE)["metadata"] for item in items]
    return {json.dumps(i["metadata"]): (f["uid"], f.get("generation", 0)) for i, f in zip(items, found, strict=True)}


def _as_printed(_: JSON) -> None:
    """With server-side apply."""


def _by_the_client(application: JSON) -> None:
    application["spec"]["syncPolicy"]["syncOptions"] = ["CreateNamespace=true"]


def _compared_by_the_server(application: JSON) -> None:
    application["metadata"]["annotations"] = {"argocd.argoproj.io/compare-options": "ServerSideDiff=true"}


@pytest.mark.parametrize(
    ("environment", "change"), [("prod", _as_printed), ("staging", _by_the_client), ("dev", _compared_by_the_server)]
)
def test_a_team_is_synced_and_a_hard_refresh_shows_no_difference(
    cluster: Cluster, argocd: ArgoCD, repository: Repository, environment: str, change: Callable[[JSON], None]
) -> None:
    """By each way of applying and of comparing that Argo CD has."""
    items = _built(_team(repository), "--env", environment, "--namespace", NAMESPACE)
    cluster.prepare(items)
    item = printed(repository.url, "platform-team", "--env", environment)
    change(item)
    revision = repository.commit("A team")
    with Application(argocd, item) as application:
        application.wait_until_synced(revision)
        assert application.resources() == dict.fromkeys(names_of(items, NAMESPACE), "Synced")
        before, runs = _generations(cluster, items), argocd.plugin_runs
        for _ in range(2):
            application.refresh("hard")
            assert application.status["sync"]["status"] == "Synced"
            assert set(application.resources().values()) == {"Synced"}
        assert argocd.plugin_runs >= runs + 2
        assert application.synced == 1
        assert _generations(cluster, items) == before
        assert application.conditions == ""


def test_a_removed_agent_is_pruned_and_a_revert_brings_it_back(
    cluster: Cluster, argocd: ArgoCD, repository: Repository
) -> None:
    folder = _team(repository)
    flags = ("--env", "prod", "--namespace", NAMESPACE)
    before = _built(folder, *flags)
    cluster.prepare(before)
    revision = repository.commit("A team")
    with Application(argocd, printed(repository.url, "platform-team", "--env", "prod")) as application:
        application.wait_until_synced(revision)
        file = folder / "specs" / "agents" / "single.yaml"
        kept = [spec for spec in yaml.safe_load_all(file.read_text()) if spec["metadata"]["name"] != REMOVED]
        file.write_text(yaml.safe_dump_all(kept))
        after = _built(folder, *flags)
        others = [one for one in after if one in before]  # not Dapr's Components: they list the agents
        generations = _generations(cluster, others)
        revision = repository.commit("Without an agent")
        application.refresh()
        application.wait_until_synced(revision)
        gone = names_of(before, NAMESPACE) - names_of(after, NAMESPACE)
        assert gone
        assert all(name.rpartition("/")[2].startswith(REMOVED) for name in gone)
        assert application.resources() == dict.fromkeys(names_of(after, NAMESPACE), "Synced")
        absent = [one for one in before if names_of([one], NAMESPACE) <= gone]
        assert not any(_is_there(cluster, one) for one in absent)
        assert _generations(cluster, others) == generations  # nobody else was rolled out
        revision = repository.revert()
        application.refresh()
        application.wait_until_synced(revision)
        assert application.resources() == dict.fromkeys(names_of(before, NAMESPACE), "Synced")
        assert all(_is_there(cluster, one) for one in absent)
    assert not any(_is_there(cluster, one) for one in before)


def _is_there(cluster: Cluster, item: JSON) -> bool:
    try:
        return "deletionTimestamp" not in cluster.client.get(item, NAMESPACE)["metadata"]
    except ApiError as error:
        if error.status != 404:
            raise
        return False


@pytest.mark.usefixtures("node")
def test_a_team_gets_healthy_and_what_is_changed_by_hand_is_put_right(
    cluster: Cluster, argocd: ArgoCD, repository: Repository
) -> None:
    """Deployments, whose pods start: nothing here waits for a controller that is not there."""
    shutil.copytree(CASES / "views" / "team" / "input", repository.folder / "team")
    items = _built(repository.folder / "team")
    cluster.prepare(items)
    revision = repository.commit("A team")
    with Application(argocd, printed(repository.url, "team")) as application:
        application.wait_until_synced(revision)
        application.wait_until_healthy()
        deployment, role = (next(one for one in items if one["kind"] == kind) for kind in ("Deployment", "Role"))
        rules = cluster.client.get(role)["rules"]
        every = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
        cluster.client.merge(role, {"rules": [*rules, every]})
        cluster.client.merge(deployment, {"spec": {"replicas": 3}})
        wait_for(lambda: cluster.client.get(role)["rules"] == rules, 60)
        wait_for(lambda: cluster.client.get(deployment)["spec"]["replicas"] == 1, 60)
        file = repository.folder / "team" / "specs.yaml"
        file.write_text(file.read_text().replace("Find it.", "Find it soon."))
        revision = repository.commit("Another prompt")
        application.refresh()
        application.wait_until_synced(revision)
        application.wait_until_healthy()
        configs = [cluster.client.get(one) for one in _built(repository.folder / "team") if one["kind"] == "ConfigMap"]
        assert any("Find it soon." in text for one in configs for text in one["data"].values())


def test_a_pod_that_never_starts_does_not_hold_up_the_commit_that_mends_it(
    cluster: Cluster, argocd: ArgoCD, repository: Repository
) -> None:
    """Though some of its objects come in a wave before the others: Argo CD waits for the health of a wave."""
    shutil.copytree(CASES / "build" / "scaling-http" / "input", repository.folder / "specs")
    file = repository.folder / "specs" / "specs.yaml"
    file.write_text(file.read_text().replace("  workload:\n", "  workload:\n    nodeSelector: {pool: gone}\n"))
    items = _built(repository.folder / "specs")
    assert any("argocd.argoproj.io/sync-wave" in one["metadata"].get("annotations", {}) for one in items)
    (broken,) = (one for one in items if (one["kind"], one["metadata"]["name"]) == ("Deployment", "two"))
    cluster.prepare(items)
    revision = repository.commit("An agent that fits on no node")
    with Application(argocd, printed(repository.url, "specs")) as application:
        application.wait_until_synced(revision)
        assert application.status["health"]["status"] != "Healthy"
        assert cluster.client.get(broken)["spec"]["template"]["spec"]["nodeSelector"] == {"pool": "gone"}
        file.write_text(file.read_text().replace("    nodeSelector: {pool: gone}\n", ""))
        revision = repository.commit("One that does")
        application.refresh()
        application.wait_until_synced(revision)
        assert "nodeSelector" not in cluster.client.get(broken)["spec"]["template"]["spec"]


def test_a_broken_spec_says_where_and_deletes_nothing(cluster: Cluster, argocd: ArgoCD, repository: Repository) -> None:
    """And Argo CD makes the namespace, which nobody has made before."""
    shutil.copytree(EXAMPLES / "quickstart" / "specs", repository.folder / "specs")
    namespace = "made-by-argocd"
    items = _built(repository.folder / "specs", "--namespace", namespace)
    revision = repository.commit("An agent")
    with Application(argocd, printed(repository.url, "specs", "--namespace", namespace)) as application:
        application.wait_until_synced(revision)
        file = repository.folder / "specs" / "agent.yaml"
        file.write_text(file.read_text().replace("modelConfigRef", "modelConfigRaf"))
        repository.commit("A typing error")
        application.refresh()
        application.wait_until_failed("error[KR101] the field `modelConfigRaf` does not exist")
        assert "ComparisonError: " in application.conditions
        assert "agent.yaml:" in application.conditions
        assert application.status["sync"]["status"] == "Unknown"
        assert all(_is_there(cluster, one) for one in items)
        revision = repository.revert()
        application.refresh()
        application.wait_until_synced(revision)
        assert application.conditions == ""
    cluster.client.delete({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})


def test_in_a_monorepo_a_commit_elsewhere_does_not_run_the_plugin(
    cluster: Cluster, argocd: ArgoCD, repository: Repository
) -> None:
    """With `manifest-generate-paths`: its own folder, and the shared one that a parameter of the plugin names."""
    team, shared = repository.folder / "teams" / "one", repository.folder / "shared"
    specs = EXAMPLES / "quickstart" / "specs"
    for folder, name in ((team, "agent.yaml"), (shared, "model.yaml")):
        folder.mkdir(parents=True)
        shutil.copy(specs / name, folder)
    item = printed(repository.url, "teams/one")
    item["metadata"]["annotations"] = {"argocd.argoproj.io/manifest-generate-paths": ".;/shared"}
    item["spec"]["source"]["plugin"]["parameters"] = [{"name": "paths", "array": [".", "../../shared"]}]
    cluster.prepare([{"metadata": {"namespace": NAMESPACE}}])
    revision = repository.commit("One team")
    with Application(argocd, item) as application:
        application.wait_until_synced(revision)
        runs = argocd.plugin_runs
        (repository.folder / "teams" / "two").mkdir()
        (repository.folder / "teams" / "two" / "README.md").write_text("Another team.\n")
        revision = repository.commit("Another team")
        application.refresh()
        assert application.status["sync"]["status"] == "Synced"
        assert application.status["sync"]["revision"] == revision
        assert (argocd.plugin_runs, application.synced) == (runs, 1)
        (shared / "model.yaml").write_text((shared / "model.yaml").read_text().replace("gpt-4o", "gpt-4o-mini"))
        revision = repository.commit("Another model")
        application.refresh()
        application.wait_until_synced(revision)
        assert argocd.plugin_runs > runs
        (config,) = (one for one in _built(repository.folder, "-n", NAMESPACE) if one["kind"] == "ConfigMap")
        assert "gpt-4o-mini" in config["data"]["runtime.json"]
        assert cluster.client.get(config)["data"] == config["data"]


def test_the_source_hydrator_commits_what_is_rendered(cluster: Cluster, argocd: ArgoCD, repository: Repository) -> None:
    """Its dry source cannot name a plugin in this version; `.argocd-source.yaml` beside the specs does."""
    folder = repository.folder / "specs"
    shutil.copytree(EXAMPLES / "quickstart" / "specs", folder)
    (folder / ".argocd-source.yaml").write_text("plugin: {name: kagent-render}\n")
    items = _built(folder, "--namespace", NAMESPACE)
    cluster.prepare(items)
    item = printed(repository.url, "specs")
    source = item["spec"].pop("source")
    dry = {key: source[key] for key in ("repoURL", "path", "targetRevision")}
    place = {"targetBranch": "deployed", "path": "quickstart"}
    item["spec"]["sourceHydrator"] = {"drySource": dry, "syncSource": place}
    repository.commit("An agent")
    with argocd.committing(), Application(argocd, item) as application:
        wait_for(lambda: len(repository.log("deployed")) == 2, 60)
        hydrated, _ = repository.log("deployed")  # and an empty one, with which the branch began
        application.wait_until_synced(hydrated)
        assert application.resources() == dict.fromkeys(names_of(items, NAMESPACE), "Synced")
        committed = list(yaml.safe_load_all(repository.show("deployed", "quickstart/manifest.yaml")))
        assert committed == items
        runs = argocd.plugin_runs
        application.refresh("hard")
        assert application.status["sync"]["status"] == "Synced"
        assert repository.log("deployed")[0] == hydrated
        assert runs > 0
