"""`--live`, with the real kubectl against a Kubernetes API on the loopback interface."""

from __future__ import annotations

import copy
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.edge.kubernetes_apply import ApplyingApi
from tests.harness import CASES, Outcome, kagent_render

GROWN = CASES / "views" / "grown-agent"
SCALED = CASES / "build" / "scaling" / "input"
JSON = dict[str, Any]
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

needs_kubectl = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl")


def rendered(path: Path, *arguments: str) -> list[JSON]:
    """What a build prints."""
    outcome = kagent_render("build", str(path), *arguments)
    assert outcome.code == 0, outcome.stderr
    return list(yaml.safe_load_all(outcome.stdout))


def stored(item: JSON, namespace: str = "team") -> JSON:
    """The object as an API server stores it: with its own metadata, defaults and a status."""
    live = copy.deepcopy(item)
    if not live["kind"].startswith("Cluster"):
        live["metadata"].setdefault("namespace", namespace)
    live["metadata"] |= {
        "uid": "4a5b",
        "resourceVersion": "812",
        "generation": 3,
        "creationTimestamp": "2026-01-01T00:00:00Z",
        "managedFields": [
            {
                "manager": "argocd-controller",
                "operation": "Apply",
                "apiVersion": item["apiVersion"],
                "time": "2026-01-01T00:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": {"f:metadata": {"f:labels": {}}},
            }
        ],
    }
    live["metadata"].setdefault("annotations", {})[LAST_APPLIED] = "not JSON"
    if live["kind"] == "Deployment":
        live["spec"] |= {"progressDeadlineSeconds": 600}
        live["spec"]["template"]["spec"] |= {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst"}
        live["status"] = {"readyReplicas": 1, "replicas": 1}
    return live


def kinds_of(objects: Sequence[JSON]) -> set[tuple[str, str]]:
    """What the cluster has to serve for them."""
    return {(item["apiVersion"], item["kind"]) for item in objects} | {("v1", "Pod")}


@contextmanager
def cluster(folder: Path, objects: Sequence[JSON], kinds: set[tuple[str, str]], **options: Any) -> Iterator[Any]:
    """A cluster, and a command line whose current context it is."""
    with ApplyingApi(objects, kinds, **options) as api:
        context = {"cluster": "c", "user": "u", "namespace": "team"}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": {"server": api.origin}}],
            "contexts": [{"name": "here", "context": context}],
            "users": [{"name": "u", "user": {"token": "t"}}],
            "current-context": "here",
        }
        (folder / "kubeconfig").write_text(json.dumps(config))

        def run(*arguments: str) -> Outcome:
            config, cache = str(folder / "kubeconfig"), str(folder / "cache")
            return kagent_render(*arguments, KUBECONFIG=config, HOME=str(folder), KUBECACHEDIR=cache)

        yield api, run
        assert {request.verb for request in api.requests} <= {"get", "list"}
        assert all(patch["dryRun"] == "All" for patch in api.patches)


@needs_kubectl
def test_nothing_differs_from_a_cluster_in_which_it_is_applied(tmp_path: Path) -> None:
    """What the server adds is no difference: metadata, defaults, status."""
    objects = rendered(GROWN / "input")
    with cluster(tmp_path, [stored(item) for item in objects], kinds_of(objects)) as (api, run):
        outcome = run("diff", str(GROWN / "input"), "--live")
        assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "nothing differs\n")
        assert {patch["fieldManager"] for patch in api.patches} == {"argocd-controller"}
        assert len(api.patches) == len(objects)
        api.patches.clear()
        assert run("diff", str(GROWN / "input"), "--live", "--field-manager", "somebody").code == 0
        assert {patch["fieldManager"] for patch in api.patches} == {"somebody"}


@needs_kubectl
def test_a_change_means_the_same_as_against_a_folder(tmp_path: Path) -> None:
    """As whoever applied the old manifests, for then what is no longer rendered goes."""
    before, after = rendered(GROWN / "before"), rendered(GROWN / "input")
    kagent_render("build", str(GROWN / "before"), "-o", str(tmp_path / "before"))
    folder = kagent_render("diff", str(GROWN / "input"), "-o", str(tmp_path / "before"))
    owners = [("argocd-controller", before)]
    with cluster(tmp_path, [stored(item) for item in before], kinds_of([*before, *after]), owners=owners) as (_, run):
        outcome = run("diff", str(GROWN / "input"), "--live")
        assert (outcome.code, outcome.stderr) == (1, "")
        assert outcome.stdout == folder.stdout
        assert "ops/troubleshooter (Agent)" in outcome.stdout


@needs_kubectl
def test_what_a_client_side_apply_left_behind_goes_too(tmp_path: Path) -> None:
    """Argo CD without server-side apply, and `kubectl apply -f`: their record is in an annotation."""
    objects = rendered(GROWN / "before")
    live = [stored(item) for item in objects]
    for item, original in zip(live, objects, strict=True):
        earlier = copy.deepcopy(original)
        if item["kind"] == "Deployment":
            for one in (item, earlier):
                one["metadata"]["labels"]["old"] = "label"
                one["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "OLD", "value": "1"})
            item["spec"]["template"]["spec"]["containers"][0]["env"].append({"name": "INJECTED", "value": "1"})
        item["metadata"]["managedFields"][0] |= {"manager": "kubectl-client-side-apply", "operation": "Update"}
        item["metadata"]["annotations"][LAST_APPLIED] = json.dumps(earlier)
    with cluster(tmp_path, live, kinds_of(objects)) as (api, run):
        outcome = run("diff", str(GROWN / "before"), "--live")
        assert outcome.code == 1
        assert "metadata.labels.old" in outcome.stdout
        assert "env[OLD]" in outcome.stdout
        assert "INJECTED" not in outcome.stdout
        assert {patch["fieldManager"] for patch in api.patches} == {"kagent-render"}


@needs_kubectl
def test_drift_shows_as_what_an_apply_would_undo(tmp_path: Path) -> None:
    """Somebody scaled by hand and widened a Role."""
    objects = rendered(GROWN / "before")
    live = [stored(item) for item in objects]
    deployment = next(item for item in live if item["kind"] == "Deployment")
    deployment["spec"]["replicas"] = 7
    role = next(item for item in live if item["kind"] == "Role")
    role["rules"] = [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]
    with cluster(tmp_path, live, kinds_of(objects)) as (_, run):
        outcome = run("diff", str(GROWN / "before"), "--live")
        assert outcome.code == 1
        assert "replicas: 7 → 1" in outcome.stdout
        assert "- may no longer get secrets in namespace ops" in outcome.stdout
        markdown = run("diff", str(GROWN / "before"), "--live", "--format", "markdown").stdout
        assert "secrets" in markdown


@needs_kubectl
def test_new_objects_and_those_that_nothing_renders_any_more(tmp_path: Path) -> None:
    """The latter by their label, of the namespaces written to; not what a controller made or somebody else owns."""
    objects = rendered(GROWN / "before")
    live = [stored(item) for item in objects if item["kind"] != "NetworkPolicy"]
    gone = copy.deepcopy(next(item for item in live if item["kind"] == "Service"))
    gone["metadata"]["name"] = "former"
    made, foreign, far = copy.deepcopy(gone), copy.deepcopy(gone), copy.deepcopy(gone)
    made["metadata"] |= {"name": "made", "ownerReferences": [{"kind": "X", "name": "x", "uid": "1"}]}
    foreign["metadata"] |= {"name": "foreign", "labels": {"app.kubernetes.io/managed-by": "Helm"}}
    far["metadata"] |= {"name": "far", "namespace": "elsewhere"}
    with cluster(tmp_path, [*live, gone, made, foreign, far], kinds_of(objects)) as (_, run):
        outcome = run("diff", str(GROWN / "before"), "--live")
        assert outcome.code == 1
        assert "  added NetworkPolicy ops/troubleshooter\n" in outcome.stdout
        assert "  removed Service ops/former\n" in outcome.stdout
        assert not [name for name in ("made", "foreign", "far") if f"/{name}\n" in outcome.stdout]


@needs_kubectl
def test_cluster_roles_of_other_namespaces_are_other_people_s(tmp_path: Path) -> None:
    """One bound in a namespace of ours is a leftover."""
    objects = rendered(GROWN / "before")
    ours, rbac = {"app.kubernetes.io/managed-by": "kagent-render"}, "rbac.authorization.k8s.io"
    extra: list[JSON] = []
    for name, namespace in (("ops-former", "ops"), ("dev-agent", "dev")):
        one: JSON = {"apiVersion": f"{rbac}/v1", "metadata": {"name": name, "labels": ours}}
        extra.append(one | {"kind": "ClusterRole", "rules": []})
        subject = {"kind": "ServiceAccount", "name": "a", "namespace": namespace}
        role = {"apiGroup": rbac, "kind": "ClusterRole", "name": name}
        extra.append(one | {"kind": "ClusterRoleBinding", "subjects": [subject], "roleRef": role})
    live = [stored(item) for item in (*objects, *extra)]
    with cluster(tmp_path, live, kinds_of([*objects, *extra])) as (_, run):
        shown = run("diff", str(GROWN / "before"), "--live").stdout
        assert "  removed ClusterRole ops-former\n" in shown
        assert "  removed ClusterRoleBinding ops-former\n" in shown
        assert "dev-agent" not in shown


@needs_kubectl
def test_a_kind_that_the_cluster_lacks_is_named(tmp_path: Path) -> None:
    """Its objects are new, and somebody has to install the controller first."""
    objects = rendered(SCALED)
    kinds = {(version, kind) for version, kind in kinds_of(objects) if kind != "ScaledObject"}
    live = [stored(item) for item in objects if item["kind"] != "ScaledObject"]
    with cluster(tmp_path, live, kinds) as (_, run):
        outcome = run("diff", str(SCALED), "--live")
        assert outcome.code == 1
        assert "the cluster has no kind ScaledObject of keda.sh/v1alpha1" in outcome.stderr
        assert "  added ScaledObject agents/worker\n" in outcome.stdout


@needs_kubectl
def test_what_may_not_be_listed_is_said_and_left_out(tmp_path: Path) -> None:
    """The rest is still compared."""
    objects = rendered(GROWN / "before")
    ours = [item for item in objects if item["kind"] != "PodDisruptionBudget"]
    kinds = kinds_of(objects) | {("policy/v1", "PodDisruptionBudget")}
    with cluster(tmp_path, [stored(i) for i in ours], kinds, forbidden=["poddisruptionbudgets"]) as (_, run):
        outcome = run("diff", str(GROWN / "before"), "--live")
        assert outcome.code == 0
        assert "kubectl get answered in part: " in outcome.stderr
        assert "poddisruptionbudgets is forbidden" in outcome.stderr


def _pod(deployment: JSON, name: str, restarts: int, waiting: str | None = None) -> JSON:
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {}}
    container = {"name": "agent", "ready": waiting is None, "restartCount": restarts, "state": state}
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    head = {"name": name, "namespace": deployment["metadata"].get("namespace") or "team", "labels": labels}
    status = {"phase": "Running", "containerStatuses": [container]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": head, "spec": {}, "status": status}


@needs_kubectl
def test_status_of_what_runs(tmp_path: Path) -> None:
    """Pods ready of those wanted, restarts, and the conditions that are bad."""
    objects = rendered(SCALED)
    live = [stored(item) for item in objects]
    deployment = next(item for item in live if item["kind"] == "Deployment")
    deployment["spec"]["replicas"] = 2
    scaled = next(item for item in live if item["kind"] == "ScaledObject")
    active = {"type": "Active", "status": "False", "reason": "ScalerNotActive"}
    scaled["status"] = {"conditions": [{"type": "Ready", "status": "False", "reason": "TriggerError"}, active]}
    pods = [_pod(deployment, "a-1", 3), _pod(deployment, "a-2", 4, "CrashLoopBackOff")]
    name, namespace = deployment["metadata"]["name"], deployment["metadata"]["namespace"]
    with cluster(tmp_path, [*live, *pods], kinds_of(objects)) as (_, run):
        kinds = "agents" if "kagent.dev/agent" in deployment["metadata"]["labels"] else "teams"
        row = next(line for line in run("get", kinds, str(SCALED), "--live").stdout.splitlines() if name in line)
        wanted = "1/2 ready, 7 restarts, ScaledObject not Ready: TriggerError, CrashLoopBackOff"
        assert row.endswith(f"   {wanted}")
        record = json.loads(run("get", kinds, str(SCALED), "--live", "-o", "json").stdout)[0]["status"][0]
        assert (record["ready"], record["desired"], record["restarts"]) == (1, 2, 7)
        described = run("describe", kinds, name, str(SCALED), "--live", "--context", "here").stdout
        assert f"{namespace}/{name}: {wanted}" in described
        assert "a-2: Running, CrashLoopBackOff, 4 restarts" in described


@needs_kubectl
def test_status_of_what_is_not_deployed_and_of_what_runs_twice(tmp_path: Path) -> None:
    """An agent that runs in its own workload and in a team has a status for each."""
    specs = CASES / "views" / "team" / "input"
    objects = rendered(specs)
    live = [stored(item) for item in objects if item["metadata"]["name"] != "incident"]
    with cluster(tmp_path, live, kinds_of(objects)) as (_, run):
        outcome = run("get", "agents", str(specs), "--live")
        assert outcome.code == 0, outcome.stderr
        lines = {line.split()[1]: line for line in outcome.stdout.splitlines()[1:]}
        assert lines["finder"].endswith("   not deployed")
        assert lines["writer"].endswith("   writer 1/1 ready; incident not deployed")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["diff", str(GROWN / "input"), "--live", "-o", "x"], "either --output DIR or --rev GITREV or --live"),
        (["diff", str(GROWN / "input"), "-o", "x", "--context", "c"], "--context and --field-manager go with --live"),
        (["get", "tools", str(GROWN / "input"), "--live"], "tools do not run"),
        (["describe", "tool", "kubectl-get", str(GROWN / "input"), "--live"], "tools do not run"),
    ],
)
def test_usage_errors_exit_2(arguments: list[str], says: str) -> None:
    """Before any cluster is asked."""
    outcome = kagent_render(*arguments)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert says in outcome.stderr


def test_without_kubectl_it_says_what_to_install(tmp_path: Path) -> None:
    """Exit 2, one message."""
    for arguments in (["diff"], ["get", "agents"], ["describe", "agent", "troubleshooter"]):
        outcome = kagent_render(*arguments, str(GROWN / "input"), "--live", PATH=str(tmp_path))
        assert (outcome.code, outcome.stdout) == (2, "")
        assert "--live needs `kubectl`, which is not installed" in outcome.stderr


@needs_kubectl
def test_a_cluster_that_does_not_answer_is_a_usage_error(tmp_path: Path) -> None:
    """With kubectl's own words, and no log of its retries."""
    objects = rendered(GROWN / "before")
    with cluster(tmp_path, [], kinds_of(objects)) as (api, run):
        api.stop()
        outcome = run("diff", str(GROWN / "before"), "--live")
        assert (outcome.code, outcome.stdout) == (2, "")
        assert "kubectl api-resources failed: " in outcome.stderr
        assert "memcache.go" not in outcome.stderr
        assert "does not exist" in run("diff", str(GROWN / "before"), "--live", "--context", "nowhere").stderr


@needs_kubectl
def test_the_report_of_drift_says_what_and_who(tmp_path: Path) -> None:
    """Scaled by hand, one object gone, one that nothing renders; the rest is in sync."""
    objects = rendered(GROWN / "before")
    lost = next(item for item in objects if item["kind"] == "NetworkPolicy")
    live = [stored(item) for item in objects if item is not lost]
    name = lost["metadata"]["name"]
    deployment = next(item for item in live if (item["kind"], item["metadata"]["name"]) == ("Deployment", name))
    deployment["spec"]["replicas"] = 7
    about = deployment["metadata"]["managedFields"][0] | {"operation": "Update"}
    deployment["metadata"]["managedFields"] += [
        about | {"manager": "kubectl-edit", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
        about | {"manager": "kube-controller-manager", "subresource": "status", "fieldsV1": {"f:status": {}}},
    ]
    gone = copy.deepcopy(next(item for item in live if item["kind"] == "Service"))
    gone["metadata"]["name"] = "former"
    with cluster(tmp_path, [*live, gone], kinds_of(objects)) as (_, run):
        outcome = run("drift", str(GROWN / "before"))
        assert outcome.code == 1, outcome.stderr
        *rows, summary = outcome.stdout.splitlines()
        assert [row.split() for row in rows] == [
            ["STATUS", "NAMESPACE", "OBJECT", "FIELDS", "WRITTEN", "BY"],
            ["changed", "ops", f"Deployment/{name}", "spec.replicas", "kubectl-edit"],
            ["missing", "ops", f"NetworkPolicy/{name}", "-", "-"],
            ["not", "rendered", "ops", "Service/former", "-", "-"],
        ]
        assert summary == f"1 changed, {len(objects) - 2} in sync, 1 missing, 1 not rendered"
        found = json.loads(run("drift", str(GROWN / "before"), "--format", "json").stdout)
        assert next(item for item in found if item["status"] == "changed") == {
            "status": "changed",
            "kind": "Deployment",
            "namespace": "ops",
            "name": name,
            "fields": ["spec.replicas"],
            "writtenBy": ["kubectl-edit"],
        }
        markdown = run("drift", str(GROWN / "before"), "--format", "markdown").stdout
        assert f"| `changed` | `ops` | `Deployment/{name}` | `spec.replicas` | `kubectl-edit` |" in markdown
    with cluster(tmp_path, [stored(item) for item in objects], kinds_of(objects)) as (_, run):
        assert run("drift", str(GROWN / "before")).code == 0
        broken = tmp_path / "broken.yaml"
        broken.write_text("kind: Agent\n")
        assert run("drift", str(broken)).code == 2
