"""`kagent-render explain`: a diagnostic code, a kind, or a field of one."""

from __future__ import annotations

import re

import click

from kagent_render.diagnostics import BY_NAME, CODES, did_you_mean


def run(subject: str, recursive: bool) -> int:
    """Print what a code means or what a field is. Raises UsageError for an unknown one."""
    found = CODES.get(subject.upper()) or BY_NAME.get(subject.lower())
    if found is not None:
        click.echo(f"{found.id} {found.name} ({found.severity.label})\n\n{found.explanation}")
    elif re.match(r"KR[0-9]|.*-", subject, re.IGNORECASE):
        help = did_you_mean(subject.upper(), CODES) or did_you_mean(subject.lower(), BY_NAME)
        help = help or "codes are KR001 to KR900"
        raise click.UsageError(f"`{subject}` is not a diagnostic code; {help}")
    else:
        _explain_field(subject, recursive)
    return 0


def _explain_field(path: str, recursive: bool) -> None:
    from kagent_render.views.explain import explain
    from kagent_render.views.spec_reference import UnknownFieldError

    try:
        click.echo(explain(path, recursive), nl=False)
    except UnknownFieldError as error:
        raise click.UsageError(str(error)) from None
