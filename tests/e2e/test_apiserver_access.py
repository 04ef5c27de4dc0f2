"""The whole matrix: every verb on every resource, asked of the real API server for every set of rights we render."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.e2e.access import EVERYWHERE, Account, Request, accounts, allowed, difference, everybody_s, matrix
from tests.e2e.cluster import Cluster, manifests
from tests.e2e.pod import wait_for
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
        assert difference(cluster.client, account) == set()
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
    head = {"apiVersion": "rbac.authorization.k8s.io/v1", "metadata": {"name": "somebody-s"}}
    rule = {"apiGroups": [""], "resources": ["services"], "verbs": ["watch"]}
    role = head | {"kind": "ClusterRole", "rules": [rule]}
    binding = head | {
        "kind": "ClusterRoleBinding",
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "somebody-s"},
        "subjects": [{"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}],
    }
    request = Request(EVERYWHERE, "", "services", "watch")
    assert not allowed(cluster.client, account, [request])
    try:
        cluster.client.apply(role)
        cluster.client.apply(binding)
        wait_for(lambda: bool(allowed(cluster.client, account, [request])), 10)
    finally:
        cluster.client.delete(binding)
        cluster.client.delete(role)
