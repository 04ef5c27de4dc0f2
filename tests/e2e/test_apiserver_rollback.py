"""`git revert` is the rollback: the manifests of before apply again, and bring back what was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.cluster import DESTINATION, Cluster, Manifest, as_written, manifests
from tests.harness import CASES, EXAMPLES, kagent_render

Edit = Callable[[str], str]


def _more_tools(text: str) -> str:
    """Another tool, so another Role; and another prompt, so other pods."""
    return text.replace("{name: kubectl-logs}", "{name: kubectl-logs}, {name: helm-list}").replace("expert", "master")


def _without_scaling(text: str) -> str:
    """The Deployment has replicas of its own again."""
    specs = list(yaml.safe_load_all(text))
    for spec in specs:
        if spec["kind"] == "Platform":
            del spec["spec"]["scaling"]
    return yaml.safe_dump_all(specs)


def _without_policies(text: str) -> str:
    """Other CIDRs, another image, other resources: what a Platform changes in every object."""
    specs = list(yaml.safe_load_all(text))
    for spec in specs:
        if spec["kind"] == "Platform":
            spec["spec"]["image"] = "registry.example.com/runtime:9.9.9"
            spec["spec"]["workload"] = {"resources": {"requests": {"cpu": "10m"}, "limits": {"memory": "2Gi"}}}
    return yaml.safe_dump_all(specs)


CHANGES: list[tuple[Path, Edit]] = [
    (EXAMPLES / "quickstart" / "specs", _more_tools),
    (CASES / "build" / "scaling" / "input", _without_scaling),
    (CASES / "build" / "platform-services" / "input", _without_policies),
    (CASES / "build" / "tls-mutual" / "input", _without_policies),
]


def _render(specs: Path, folder: Path) -> list[Manifest]:
    outcome = kagent_render("build", str(specs), "-o", str(folder))
    assert outcome.code == 0, outcome.stderr
    return manifests(folder)


def _live(cluster: Cluster, found: list[Manifest]) -> list[dict[str, Any]]:
    return [as_written(cluster.client.get(manifest.item, DESTINATION)) for manifest in found]


@pytest.mark.parametrize(("specs", "edit"), CHANGES, ids=lambda part: getattr(part, "__name__", None))
def test_a_rollback_brings_back_what_was(specs: Path, edit: Edit, cluster: Cluster, tmp_path: Path) -> None:
    """To the letter, in every object that was there before."""
    changed = tmp_path / "changed"
    changed.mkdir()
    for path in specs.glob("*.yaml"):
        (changed / path.name).write_text(edit(path.read_text("utf-8")), "utf-8")
    before, after = _render(specs, tmp_path / "before"), _render(changed, tmp_path / "after")
    known = {manifest.name for manifest in before}
    with cluster.holding(before) as refusals:
        assert refusals == []
        original = _live(cluster, before)
        try:
            assert cluster.refusals(after) == []
            assert _live(cluster, before) != original
            assert cluster.refusals(before) == []
            assert _live(cluster, before) == original
            cluster.tally.count("rollbacks")
        finally:
            cluster.delete(manifest for manifest in after if manifest.name not in known)


def test_a_rollback_takes_back_what_only_the_change_had(cluster: Cluster, tmp_path: Path) -> None:
    """From the fields of one agent's objects; what was added as an object is pruned by Argo CD or Flux, or shows."""
    folder = CASES / "views" / "grown-agent"
    before, after = _render(folder / "before", tmp_path / "before"), _render(folder / "input", tmp_path / "after")
    cluster.prepare([manifest.item for manifest in after])
    with cluster.holding(before):
        original = _live(cluster, before)
        try:
            assert cluster.refusals(after) == []
            assert cluster.refusals(before) == []
            assert _live(cluster, before) == original
        finally:
            cluster.delete(after)
