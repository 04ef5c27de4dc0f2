"""The bundled schemas: of Kubernetes by minor version, and of the CRDs that are rendered for.

`python -m tests.contract.generate_schemas` writes bundle.json.xz from released packages.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

MINORS = ("1.33", "1.34", "1.35", "1.36", "1.37")
NEWEST = MINORS[-1]
Schema = Mapping[str, Any]


@cache
def _bundle() -> dict[str, Any]:
    import lzma  # only a command that validates needs it

    data = files("kagent_render.schemas").joinpath("bundle.json.xz").read_bytes()
    bundle: dict[str, Any] = json.loads(lzma.decompress(data))
    return bundle


def schema_of(api_version: str, kind: str, minor: str = NEWEST) -> Schema | None:
    """The schema of a kind in a minor version of Kubernetes; None for one that it, or the bundle, does not have."""
    bundle, key = _bundle(), f"{api_version} {kind}"
    if key in bundle["crds"]:
        crd: Schema = bundle["crds"][key]
        return crd
    name = bundle["kinds"].get(key)
    return definition(name, minor) if name in bundle["minors"][minor] else None


def is_served(api_version: str, kind: str, minor: str) -> bool | None:
    """Whether a minor version of Kubernetes serves a kind; None for a kind of a group that is not Kubernetes' own."""
    bundle, key = _bundle(), f"{api_version} {kind}"
    if key in bundle["served"]:
        return minor in bundle["served"][key]
    group = api_version.rpartition("/")[0]
    return False if group in bundle["groups"] else None


def definition(name: str, minor: str) -> Schema:
    """What a `$ref` leads to."""
    found: Schema = _bundle()["definitions"][_bundle()["minors"][minor][name]]
    return found
