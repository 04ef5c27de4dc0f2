"""Who may call: what tells the runtime, the file of tokens, the way to the issuer, and a plain port for probes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from kagent_render.catalog.base import Contribution, Endpoint, Mount, Variable
from kagent_render.lower.features.tls import MANAGEMENT
from kagent_render.lower.workload import Workload
from kagent_render.specs.authentication import Authentication, Bearer, Oidc

# Not below /etc/kagent: that is a read-only ConfigMap, in which no mount point can be made.
FOLDER = "/etc/kagent-auth"
TOKENS_FILE = f"{FOLDER}/tokens"
NOBODY_ASKED = "none"
_MODES = {"None": NOBODY_ASKED, "Bearer": "bearer", "OIDC": "oidc"}


def contribute(workload: Workload) -> Contribution:
    """Always the mode, so that a workload without authentication says so itself: the runtime wants it said."""
    settings = workload.platform.authentication or Authentication(type="None")
    tls = workload.platform.tls
    mode = "certificate" if settings.type == "None" and tls and tls.mutual else _MODES[settings.type]
    needs = Contribution(frozenset({Variable("KAGENT_AUTH", mode)}))
    if settings.bearer:
        needs |= _tokens(settings.bearer)
    if settings.oidc:
        needs |= Contribution(frozenset(_variables(settings.oidc)), endpoints=frozenset({_endpoint(settings.oidc)}))
    if not workload.is_guarded:
        return needs
    if workload.is_knative:
        # Its pods have one port, so Prometheus reads there what has no name of a person in it.
        observed = workload.platform.observability
        is_open = observed is not None and observed.metrics is not None
        return needs | Contribution(frozenset({Variable("KAGENT_OPEN_METRICS", "true")} if is_open else ()))
    return needs | Contribution(ports=frozenset({MANAGEMENT}))


def _tokens(bearer: Bearer) -> Contribution:
    variables = {Variable("KAGENT_AUTH_TOKENS_FILE", TOKENS_FILE)}
    if bearer.admins:
        variables.add(Variable("KAGENT_AUTH_ADMINS", _list(bearer.admins)))
    reference = bearer.tokens_secret_ref
    mount = Mount("auth", FOLDER, secret=reference.name, items=((reference.key, "tokens"),))
    return Contribution(frozenset(variables), frozenset({mount}))


def _variables(oidc: Oidc) -> Iterator[Variable]:
    yield Variable("KAGENT_OIDC_ISSUER", oidc.issuer_url)
    yield Variable("KAGENT_OIDC_AUDIENCE", oidc.audience)
    if oidc.jwks_url:
        yield Variable("KAGENT_OIDC_JWKS_URL", oidc.jwks_url)
    if oidc.groups_claim != "groups":
        yield Variable("KAGENT_OIDC_GROUPS_CLAIM", oidc.groups_claim)
    if oidc.allowed_groups:
        yield Variable("KAGENT_OIDC_ALLOWED_GROUPS", _list(oidc.allowed_groups))
    if oidc.admin_groups:
        yield Variable("KAGENT_OIDC_ADMIN_GROUPS", _list(oidc.admin_groups))


def _list(names: list[str]) -> str:
    """As JSON: the name of a group may hold a comma."""
    return json.dumps(names, ensure_ascii=False)


def _endpoint(oidc: Oidc) -> Endpoint:
    parts = urlsplit(oidc.jwks_url or oidc.issuer_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Endpoint(parts.hostname or "", port, parts.scheme, oidc.allow_private_addresses)
