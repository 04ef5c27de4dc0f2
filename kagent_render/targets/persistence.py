"""PersistentVolumeClaim: where the SQLite file of a workload is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.targets.objects import claim_name, metadata
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One claim, when the workload has a volume."""
    volume = workload.state_volume
    if volume is None:
        return
    context = {
        "metadata": metadata(workload, claim_name(workload)),
        "storage_class": volume.storage_class_name,
        "size": volume.size,
    }
    yield "persistentvolumeclaim.yaml", render("persistence/persistentvolumeclaim.yaml.j2", context)


def check(workload: Workload) -> Iterator[Problem]:
    """A volume is for one pod, and a NetworkPolicy has to know where the database is."""
    if workload.state_volume is not None:
        yield from _alone(workload)
    database = workload.persistence.database if workload.persistence else None
    if database is not None and database.host is None and workload.platform.network_policy.enabled:
        message = f"the NetworkPolicy of `{workload.name}` keeps it from its database: the URL is in a Secret"
        help = "add host, and port unless it is 5432, as they are in the URL"
        yield Problem("KR572", message, ("persistence", "database"), help)


def _alone(workload: Workload) -> Iterator[Problem]:
    place = ("persistence", "volume")
    if workload.is_knative:
        message = f"`{workload.name}` runs on Knative, which gives pods no volume to keep"
        yield Problem("KR571", message, place, "use persistence.database, or run it as a Deployment")
    elif workload.most_replicas > 1:
        message = f"`{workload.name}` may have {workload.most_replicas} replicas, and its volume is for one"
        yield Problem("KR571", message, place, "use persistence.database, or keep one replica")
