"""`kagent-render krm`."""

from __future__ import annotations

import sys

from kagent_render.cli.output import report, say
from kagent_render.compiler import compile_paths
from kagent_render.gitops.krm import RequestError, answer, parse


def run() -> int:
    """Read a ResourceList from stdin and write one. Exit 1 on errors: kustomize then prints nothing of it."""
    sys.stdin.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    try:
        request = parse(sys.stdin.read())
    except (RequestError, UnicodeDecodeError) as error:
        say(f"error: {error}")
        return 1
    compilation = compile_paths(
        request.paths, request.namespace, request.environment, settings=request.settings, more=request.specs
    )
    # kustomize drops the results of a function, and shows its stderr.
    report(compilation, sys.stderr, "concise")
    found = compilation.diagnostics.in_order()
    text = answer(request, (item.data for item in compilation.objects), found)
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(text)
    sys.stdout.flush()
    return 1 if compilation.diagnostics.has_errors else 0
