"""The ConfigMap with the Python files that tools bring."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kagent_render.lower import Workload
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import render


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One ConfigMap; nothing for a workload whose tools bring no file."""
    if workload.python_files:
        fields = {"metadata": metadata(workload, workload.python_config_map), "files": dict(workload.python_files)}
        yield "python-configmap.yaml", render("python/configmap.yaml.j2", fields)
