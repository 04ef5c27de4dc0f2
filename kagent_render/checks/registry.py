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
    # What is made of a spec with an error is invalid for that reason, which has been told.
    if not diagnostics.has_errors:
        validity.check(objects, diagnostics, minor)
        if diagnostics.has_errors:
            return  # the others rely on the form of what they look at
    for run in _CHECKS:
        run(objects, diagnostics)
