"""The registry of checks."""

from __future__ import annotations

from collections.abc import Sequence

from kagent_render.checks import hosts, identity, references, size, validity
from kagent_render.diagnostics import Diagnostics
from kagent_render.schemas import NEWEST
from kagent_render.targets.objects import RenderedObject

_CHECKS = (identity.check, hosts.check, references.check, size.check)


def check(objects: Sequence[RenderedObject], diagnostics: Diagnostics, minor: str = NEWEST) -> None:
    """Run every check over all objects together, as for a minor version of Kubernetes."""
    before = diagnostics.error_count
    validity.check(objects, diagnostics, minor)
    # The others rely on the form of what they look at.
    for run in _CHECKS if diagnostics.error_count == before else ():
        run(objects, diagnostics)
