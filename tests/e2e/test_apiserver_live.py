"""`--live` against a real cluster: what is applied is no difference, and what is not shows."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.cluster import Cluster, Manifest
from tests.e2e.live import Command, rendered
from tests.harness import CASES, kagent_render

GROWN = CASES / "views" / "grown-agent"
TEAM = CASES / "views" / "team" / "input"
KNATIVE = CASES / "build" / "knative"


def _of_kind(kind: str, found: list[Manifest]) -> dict[str, Any]:
    return next(manifest.item for manifest in found if manifest.item["kind"] == kind)


def _lines(report: str) -> list[str]:
    """Of a volume that is added only its name: the server shows it with its defaults, `defaultMode: 420`."""
    return [re.sub(r"(\+ spec\.template\.spec\.volumes\[\w+\]): .*", r"\1", line) for line in report.splitlines()]


@pytest.mark.parametrize("specs", [GROWN / "input", TEAM, KNATIVE / "input"], ids=["agent", "team", "knative"])
def test_nothing_differs_after_an_apply(specs: Path, cluster: Cluster, command: Command, tmp_path: Path) -> None:
    """Defaults, status and metadata that a real server adds are no difference."""
    with cluster.holding(rendered(specs, tmp_path / "out")) as refusals:
        assert refusals == []
        outcome = command("diff", str(specs), "--live")
        assert (outcome.code, outcome.stdout) == (0, "")
        assert outcome.stderr.endswith("nothing differs\n")


def test_nothing_differs_from_what_kubectl_applied_on_its_own_side(
    cluster: Cluster, command: Command, tmp_path: Path
) -> None:
    """Argo CD without server-side apply: fields have another owner, and the record is in an annotation."""
    found = rendered(GROWN / "before", tmp_path / "out")
    cluster.prepare([manifest.item for manifest in found])
    try:
        cluster.kubectl("apply", *(f"--filename={manifest.path}" for manifest in found))
        outcome = command("diff", str(GROWN / "before"), "--live")
        assert (outcome.code, outcome.stdout, outcome.stderr) == (0, "", "nothing differs\n")
        changed = command("diff", str(GROWN / "input"), "--live")
        folder = kagent_render("diff", str(GROWN / "input"), "-o", str(tmp_path / "out"))
        assert (changed.code, _lines(changed.stdout)) == (folder.code, _lines(folder.stdout))
    finally:
        cluster.delete(found)


def test_drift_by_hand_shows(cluster: Cluster, command: Command, tmp_path: Path) -> None:
    """Somebody scaled, and somebody widened a Role."""
    found = rendered(GROWN / "before", tmp_path / "out")
    with cluster.holding(found):
        secrets = {"rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}]}
        cluster.client.merge(_of_kind("Deployment", found), {"spec": {"replicas": 3}})
        cluster.client.merge(_of_kind("Role", found), secrets)
        outcome = command("diff", str(GROWN / "before"), "--live")
        assert outcome.code == 1
        assert "replicas: 3 → 1" in outcome.stdout
        assert "may no longer get secrets in namespace ops" in outcome.stdout
        told = command("drift", str(GROWN / "before"), "--format", "json")
        assert told.code == 1
        changed = {one["kind"]: one for one in json.loads(told.stdout) if one["status"] != "in sync"}
        assert sorted(changed) == ["Deployment", "Role"]
        assert changed["Deployment"]["fields"] == ["spec.replicas"]
        assert all(one["status"] == "changed" and one["writtenBy"] for one in changed.values())


def test_a_change_shows_as_against_the_folder(cluster: Cluster, command: Command, tmp_path: Path) -> None:
    """Which holds the same; and an agent that is gone from the specs shows as what is left of it.

    But for `replicas: 1`, which goes from the manifest because the workload scales from then on: the server's default
    takes its place, and is 1 too.
    """
    before = rendered(GROWN / "before", tmp_path / "out")
    assert "retired" in {manifest.item["metadata"]["name"] for manifest in before}
    cluster.prepare([manifest.item for manifest in rendered(GROWN / "input", tmp_path / "after")])
    with cluster.holding(before):
        live = command("diff", str(GROWN / "input"), "--live")
        folder = kagent_render("diff", str(GROWN / "input"), "-o", str(tmp_path / "out"))
        assert (live.code, live.stderr) == (1, "")
        gone = {"- replicas: 1", "- spec.replicas: 1"}
        assert gone <= {line.strip() for line in folder.stdout.splitlines()}
        assert _lines(live.stdout) == [line for line in _lines(folder.stdout) if line.strip() not in gone]
        assert "removed Deployment ops/retired" in live.stdout
