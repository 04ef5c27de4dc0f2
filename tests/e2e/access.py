"""What the ServiceAccount of a workload may do: by the tools it was granted, and by the API server's own word."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from kagent_render.compiler import compile_paths
from kagent_render.lower import Workload
from tests.e2e.cluster import DESTINATION
from tests.e2e.controlplane.client import JSON, Client, Resource
from tests.harness import Build

EVERYWHERE = ""
"""The scope of a request that names no namespace: of cluster-scoped resources, and of `kubectl get pods -A`."""

FOREIGN = "kube-system"
"""A namespace that no specs name."""

_VERBS = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection", "*")
# Verbs that no resource advertises, and by which a user becomes another.
_ESCALATIONS = [
    ("", "users", "impersonate"),
    ("", "groups", "impersonate"),
    ("", "serviceaccounts", "impersonate"),
    ("rbac.authorization.k8s.io", "roles", "bind"),
    ("rbac.authorization.k8s.io", "roles", "escalate"),
    ("rbac.authorization.k8s.io", "clusterroles", "bind"),
    ("rbac.authorization.k8s.io", "clusterroles", "escalate"),
    ("certificates.k8s.io", "signers", "approve"),
    ("*", "*", "get"),
    ("*", "*", "*"),
]


class Request(NamedTuple):
    """One thing to do, as RBAC sees it."""

    scope: str
    group: str
    resource: str
    verb: str


class Account(NamedTuple):
    """The ServiceAccount of a workload, and what its tools declare that they read."""

    namespace: str
    name: str
    declared: frozenset[Request]

    @property
    def user(self) -> str:
        """As the server names it."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"

    @property
    def groups(self) -> list[str]:
        """What every ServiceAccount is a member of."""
        return ["system:serviceaccounts", f"system:serviceaccounts:{self.namespace}", "system:authenticated"]

    @property
    def scopes(self) -> list[str]:
        """Its own namespace, the others it has a right in, one that nobody named, and the whole cluster."""
        named = {rule.scope for rule in self.declared} - {"*"}
        return [*sorted(named | {self.namespace}), FOREIGN, EVERYWHERE]

    def may(self, request: Request) -> bool:
        """Whether the request was declared."""
        return bool({request, request._replace(scope="*")} & self.declared)


def accounts(build: Build) -> Iterator[Account]:
    """The account of every workload, with the access rules of its tools: not with what the Role came out as."""
    compilation = compile_paths([str(build.source)], environment=build.environment)
    assert not compilation.diagnostics.has_errors
    for workload in compilation.workloads:
        namespace = workload.namespace or DESTINATION
        yield Account(namespace, workload.name, frozenset(_declared(workload, namespace)))


def _declared(workload: Workload, namespace: str) -> Iterator[Request]:
    for rule in workload.access:
        yield Request(rule.namespace or namespace, rule.group, rule.resource, rule.verb)


def matrix(account: Account, resources: Iterable[Resource]) -> Iterator[Request]:
    """Every verb on every resource and subresource in every scope, and the ways to become somebody else."""
    for resource in resources:
        scopes = account.scopes if resource.is_namespaced else [EVERYWHERE]
        for scope, verb in itertools.product(scopes, _VERBS):
            yield Request(scope, resource.group, resource.name, verb)
    for scope, (group, name, verb) in itertools.product(account.scopes, _ESCALATIONS):
        yield Request(scope, group, name, verb)


def allowed(client: Client, account: Account, requests: Sequence[Request]) -> set[Request]:
    """Those of the requests that the server would let the account do, by SubjectAccessReviews."""

    def is_allowed(request: Request) -> bool:
        resource, _, subresource = request.resource.partition("/")
        attributes = {"group": request.group, "resource": resource, "subresource": subresource, "verb": request.verb}
        attributes["namespace"] = request.scope
        spec = {"user": account.user, "groups": account.groups, "resourceAttributes": attributes}
        answer = _review(client, "SubjectAccessReview", spec)
        return bool(answer["status"]["allowed"])

    with ThreadPoolExecutor(4) as pool:
        return set(itertools.compress(requests, pool.map(is_allowed, requests)))


def rules(client: Client, account: Account, namespace: str) -> set[Request]:
    """What the server lists as the account's rights in a namespace, by a SelfSubjectRulesReview."""
    groups = [("Impersonate-Group", group) for group in account.groups]
    headers = [("Impersonate-User", account.user), *groups]
    answer = _review(client, "SelfSubjectRulesReview", {"namespace": namespace}, headers)
    assert not answer["status"]["incomplete"]
    return {
        Request(namespace, group, resource, verb)
        for rule in answer["status"]["resourceRules"]
        for group, resource, verb in itertools.product(rule["apiGroups"], rule["resources"], rule["verbs"])
    }


def difference(client: Client, account: Account) -> set[Request]:
    """What the server lists beyond what is declared, or does not list of it, in every namespace that matters.

    The server learns of a Role by a watch, a moment after it has stored it: a difference has to stay to be one.
    """
    deadline = time.monotonic() + 5
    while True:
        found: set[Request] = set()
        for scope in (scope for scope in account.scopes if scope != EVERYWHERE):
            wanted = {rule._replace(scope=scope) for rule in account.declared if rule.scope in (scope, "*")}
            found |= wanted ^ {rule for rule in rules(client, account, scope) if not everybody_s(rule)}
        if not found or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def everybody_s(request: Request) -> bool:
    """Whether every ServiceAccount of any cluster may: by system:basic-user ask what it may do itself, and by
    system:cluster-trust-bundle-discovery read the cluster's published CA certificates.
    """
    if (request.group, request.resource) == ("certificates.k8s.io", "clustertrustbundles"):
        return request.verb in ("get", "list", "watch")
    return request.verb == "create" and (request.group, request.resource) in {
        ("authorization.k8s.io", "selfsubjectaccessreviews"),
        ("authorization.k8s.io", "selfsubjectrulesreviews"),
        ("authentication.k8s.io", "selfsubjectreviews"),
    }


def _review(client: Client, kind: str, spec: JSON, headers: Iterable[tuple[str, str]] = ()) -> JSON:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    path = f"/apis/authorization.k8s.io/v1/{kind.lower()}s"
    answer: JSON = client.request("POST", path, body, headers=list(headers))
    return answer
