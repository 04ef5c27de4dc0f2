"""The whole matrix: every verb on every resource, asked of the real API server for every set of rights we render."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.access import EVERYWHERE, Account, Request, accounts, allowed, everybody_s, matrix
from tests.e2e.cluster import Cluster, manifests
from tests.harness import BUILDS, Build


def _distinct() -> Iterator[tuple[Build, Account]]:
    """A workload for each set of rights: that the others have theirs too is asked in test_apiserver_objects."""
    seen = set()
    for build in BUILDS:
        for account in accounts(build):
            rights = frozenset(
                rule._replace(scope="own" if rule.scope == account.namespace else rule.scope)
                for rule in account.declared
            )
            if rights not in seen:
                seen.add(rights)
                yield build, account


@pytest.mark.parametrize(
    ("build", "account"), [pytest.param(*one, id=f"{one[0].name}-{one[1].name}") for one in _distinct()]
)
def test_an_account_may_do_what_its_tools_declare_and_nothing_else(
    build: Build, account: Account, cluster: Cluster
) -> None:
    """0 extra, 0 missing, beside asking what one may do, which everybody may."""
    with cluster.holding(manifests(build.expected)) as refusals:
        assert refusals == []
        requests = list(matrix(account, cluster.client.resources()))
        may = {request for request in allowed(cluster.client, account, requests) if not everybody_s(request)}
    declared = {request for request in requests if account.may(request)}
    cluster.tally.count("access reviews", number=len(requests), failures=len(may ^ declared))
    assert may == declared
    if account.declared:
        assert declared


def test_a_right_that_nobody_declared_would_show(cluster: Cluster) -> None:
    """So the matrix can fail."""
    build = next(build for build in BUILDS if build.name == "quickstart")
    (account,) = accounts(build)
    extra = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": "somebody-s"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "view"},
        "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
    }
    request = Request(EVERYWHERE, "", "services", "watch")
    assert not allowed(cluster.client, account, [request])
    cluster.client.apply(extra)
    try:
        assert allowed(cluster.client, account, [request]) == {request}
    finally:
        cluster.client.delete(extra)
