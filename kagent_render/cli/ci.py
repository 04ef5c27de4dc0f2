"""`kagent-render ci`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

from kagent_render.gitops.ci import workflow

_WORD = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._/-]*\Z")


def run(provider: str, path: str, branch: str, environments: Sequence[str]) -> int:
    """Print the workflow. Raises UsageError for what a shell would not take as one word."""
    for text in (path, branch, *environments):
        if not _WORD.match(text):
            raise click.UsageError(f"`{text}` cannot be in a workflow: letters, digits, `.`, `_`, `-` and `/`")
    click.echo(workflow(provider, path, branch, environments), nl=False)
    return 0
