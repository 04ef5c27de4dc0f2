"""`get --live` and `describe --live` against a real cluster with a node, on which pods get ready."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.cluster import Cluster, is_true
from tests.e2e.live import Command, rendered
from tests.e2e.pod import wait_for
from tests.harness import CASES

TEAM = CASES / "views" / "team" / "input"


@pytest.mark.usefixtures("node")
def test_a_team_is_seen_to_get_ready(cluster: Cluster, command: Command, tmp_path: Path) -> None:
    """Before, during and after: not deployed, pods, ready."""
    assert "not deployed" in command("get", "teams", str(TEAM), "--live").stdout
    found = rendered(TEAM, tmp_path / "out")
    deployments = [manifest.item for manifest in found if manifest.item["kind"] == "Deployment"]
    with cluster.holding(found):
        wait_for(lambda: all(is_true(cluster.client.get(item), "Available") for item in deployments), 60)
        (row,) = command("get", "teams", str(TEAM), "--live").stdout.splitlines()[1:]
        assert row.endswith("   1/1 ready")
        agents = command("get", "agents", str(TEAM), "--live").stdout
        assert "writer 1/1 ready; incident 1/1 ready" in agents
        (record,) = json.loads(command("get", "teams", str(TEAM), "--live", "-o", "json").stdout)
        assert (record["status"][0]["ready"], record["status"][0]["desired"]) == (1, 1)
        described = command("describe", "team", "incident", str(TEAM), "--live").stdout
        assert "ops/incident: 1/1 ready" in described
        assert ": ready" in described
        # The status of a pod that runs is no difference either.
        assert command("diff", str(TEAM), "--live").code == 0


@pytest.mark.usefixtures("node")
def test_a_pod_that_fits_on_no_node_shows(cluster: Cluster, command: Command, tmp_path: Path) -> None:
    """Not ready, and in the pod's own words why not."""
    found = rendered(TEAM, tmp_path / "out")
    with cluster.holding(found):
        item = next(manifest.item for manifest in found if manifest.item["metadata"]["name"] == "incident")
        deployment = item | {"kind": "Deployment", "apiVersion": "apps/v1"}
        # Recreate: a rolling update would leave the old pods, which are ready, where they are.
        strategy = {"type": "Recreate", "rollingUpdate": None}
        selector = {"template": {"spec": {"nodeSelector": {"no": "such-node"}}}, "replicas": 2, "strategy": strategy}
        cluster.client.merge(deployment, {"spec": selector})
        wait_for(lambda: cluster.client.get(deployment).get("status", {}).get("updatedReplicas", 0) >= 2, 30)
        (row,) = command("get", "teams", str(TEAM), "--live").stdout.splitlines()[1:]
        assert "/2 ready" in row
        assert "2/2 ready" not in row
