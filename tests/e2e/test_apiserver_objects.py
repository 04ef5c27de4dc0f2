"""Every committed manifest is taken by a real API server: schemas, validation, CEL rules, Pod Security, ownership."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest

from tests.e2e.access import accounts, difference
from tests.e2e.cluster import DESTINATION, Cluster, Manifest, manifests, pods_of
from tests.e2e.controlplane.client import ApiError
from tests.harness import BUILDS, Build


@dataclass(frozen=True)
class Applied:
    """The manifests of a build that the cluster holds now, and what it said against them."""

    build: Build
    manifests: list[Manifest]
    refusals: list[str]


@pytest.fixture(params=BUILDS, ids=lambda build: build.name, scope="module")
def applied(request: pytest.FixtureRequest, cluster: Cluster) -> Iterator[Applied]:
    """Each build has the cluster to itself: many of them use the same names."""
    build: Build = request.param
    found = manifests(build.expected)
    with cluster.holding(found) as refusals:
        yield Applied(build, found, refusals)


def test_every_object_is_taken(applied: Applied) -> None:
    """As its file is written, by the server's own parser; unknown and duplicate fields are refused."""
    assert applied.manifests
    assert applied.refusals == []


def test_a_second_apply_changes_nothing(applied: Applied, cluster: Cluster) -> None:
    """Else Argo CD would see a difference for ever: a value that the server writes in another form, for one."""
    changed = [manifest.name for manifest in applied.manifests if not cluster.is_unchanged_by(manifest)]
    cluster.tally.count("objects applied again", number=len(applied.manifests), failures=len(changed))
    assert changed == []


def test_its_pods_are_admitted_where_pods_are_restricted(applied: Applied, cluster: Cluster) -> None:
    """A Deployment is only warned about: what Pod Security refuses is its pod, and nobody sees that."""
    refused: list[str] = []
    pods = list(pods_of(manifest.item for manifest in applied.manifests))
    for pod in pods:
        try:
            cluster.client.create(pod, DESTINATION, is_dry_run=True)
        except ApiError as error:
            refused.append(f"{pod['metadata']['name']}: {error}")
    cluster.tally.count("pods created in a restricted namespace (dry run)", number=len(pods), failures=len(refused))
    assert refused == []


def test_its_accounts_have_the_rights_that_their_tools_declare(applied: Applied, cluster: Cluster) -> None:
    """By the server's own list of an account's rules, in every namespace that matters: no more, no less."""
    wrong = {}
    for account in accounts(applied.build):
        if found := difference(cluster.client, account):
            wrong[account.user] = found
        cluster.tally.count("accounts whose listed rights are those declared", failures=bool(found))
    assert wrong == {}


def _quickstart() -> list[Manifest]:
    return manifests(next(build for build in BUILDS if build.name == "quickstart").expected)


def _deployment(found: list[Manifest]) -> Manifest:
    return next(manifest for manifest in found if manifest.item["kind"] == "Deployment")


def test_the_server_would_refuse_a_pod_that_is_not_restricted(cluster: Cluster) -> None:
    """So the test above can fail."""
    found = _quickstart()
    with cluster.holding(found):
        (pod,) = pods_of([copy.deepcopy(_deployment(found).item)])
        pod["spec"]["containers"][0]["securityContext"]["capabilities"] = {"add": ["SYS_ADMIN"]}
        with pytest.raises(ApiError, match=r"violates PodSecurity .restricted"):
            cluster.client.create(pod, is_dry_run=True)


def test_the_server_would_refuse_a_field_that_it_does_not_know(cluster: Cluster) -> None:
    """And one that is there twice."""
    found = _quickstart()
    cluster.prepare([manifest.item for manifest in found])
    deployment = _deployment(found)
    unknown = deployment.text.replace("  replicas: 1\n", "  replica: 1\n")
    with pytest.raises(ApiError, match=r"replica.*field not declared in schema"):
        cluster.client.apply(deployment.item, text=unknown, is_dry_run=True)
    twice = deployment.text.replace("  replicas: 1\n", "  replicas: 1\n  replicas: 2\n")
    with pytest.raises(ApiError, match=r"replicas.* already set"):
        cluster.client.apply(deployment.item, text=twice, is_dry_run=True)


def test_an_apply_that_changes_something_is_seen(cluster: Cluster) -> None:
    """So that test can fail, in spite of its second try."""
    found = _quickstart()
    with cluster.holding(found):
        deployment = _deployment(found)
        more = deployment.text.replace("  replicas: 1\n", "  replicas: 2\n")
        assert not cluster.is_unchanged_by(replace(deployment, text=more))
        assert cluster.is_unchanged_by(replace(deployment, text=more))
