"""`kagent-render templates`."""

from __future__ import annotations

import click

from kagent_render.diagnostics import did_you_mean
from kagent_render.targets.overrides import shipped_templates
from kagent_render.targets.templating import template_folder


def run(name: str | None) -> int:
    """List the shipped templates, or print one to start from. Raises UsageError for an unknown one."""
    names = shipped_templates()
    if name is None:
        for known in names:
            click.echo(known)
        return 0
    if name not in names:
        raise click.UsageError(f"there is no template `{name}`; {did_you_mean(name, names) or 'see the list'}")
    click.echo((template_folder() / name).read_text(encoding="utf-8"), nl=False)
    return 0
