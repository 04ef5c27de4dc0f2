"""The registry of features: what the Platform asks for that adds to every pod and its network."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from operator import or_
from typing import Protocol

from kagent_render.catalog.base import Contribution
from kagent_render.lower.features import (
    audit,
    authentication,
    dapr,
    http_interceptor,
    interfaces,
    knative,
    monitoring,
    persistence,
    pod_extras,
    python_files,
    queue,
    tls,
    tracing,
)
from kagent_render.lower.workload import Workload


class Feature(Protocol):
    """A module that adds to pods and their network."""

    def contribute(self, workload: Workload) -> Contribution:
        """What this workload needs for the feature; nothing when the Platform does not ask for it."""


FEATURES: tuple[Feature, ...] = (
    pod_extras,
    interfaces,
    authentication,
    tls,
    http_interceptor,
    knative,
    dapr,
    monitoring,
    tracing,
    persistence,
    audit,
    queue,
    python_files,
)


def with_features(workload: Workload) -> Workload:
    """The workload with what the features add."""
    return replace(workload, needs=reduce(or_, (f.contribute(workload) for f in FEATURES), workload.needs))
