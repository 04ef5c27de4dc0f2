"""`kagent-render explain`."""

from __future__ import annotations

import click

from kagent_render.diagnostics import BY_NAME, CODES, did_you_mean


def run(code: str) -> int:
    """Print what a code means. Raises UsageError for an unknown one."""
    found = CODES.get(code.upper()) or BY_NAME.get(code.lower())
    if found is None:
        help = did_you_mean(code.upper(), CODES) or did_you_mean(code.lower(), BY_NAME) or "codes are KR001 to KR900"
        raise click.UsageError(f"`{code}` is not a diagnostic code; {help}")
    click.echo(f"{found.id} {found.name} ({found.severity.label})\n\n{found.explanation}")
    return 0
