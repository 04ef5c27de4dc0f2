"""A database for conversations: its URL from a Secret, and the way to it. A volume is the target's business."""

from __future__ import annotations

from kagent_render.catalog.base import Contribution, Endpoint, Variable
from kagent_render.lower.workload import Workload

VARIABLE = "KAGENT_DATABASE_URL"


def contribute(workload: Workload) -> Contribution:
    """Variable and endpoint; nothing without `persistence.database`."""
    database = workload.persistence.database if workload.persistence else None
    if database is None:
        return Contribution()
    reference = database.url_secret_ref
    variable = Variable(VARIABLE, secret=reference.name, key=reference.key)
    # A managed database has a name outside the cluster and, mostly, a private address.
    endpoints = {Endpoint(database.host.lower(), database.port, "postgresql", is_private=True)} if database.host else ()
    return Contribution(frozenset({variable}), endpoints=frozenset(endpoints))
