"""`kagent-render check`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kagent_render.cli.output import report, say
from kagent_render.compiler import compile_paths


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    format_: str | None,
    templates: str | None,
    kube_version: str,
    settings: Sequence[str],
) -> int:
    """Compile, print the diagnostics on stdout as linters do, and nothing else."""
    compilation = compile_paths(
        paths, namespace, environment, templates=templates, kube_version=kube_version, settings=settings
    )
    report(compilation, sys.stdout, format_)
    if not compilation.diagnostics.in_order():
        say(f"ok: {len(compilation.files)} files, {len(compilation.workloads) + len(compilation.servers)} workloads")
    return 1 if compilation.diagnostics.has_errors else 0
