"""`kagent-render schema`."""

from __future__ import annotations

import json
from typing import Any

import click

from kagent_render.diagnostics import did_you_mean
from kagent_render.specs.registry import KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def run(kind: str | None) -> int:
    """Print a schema. Raises UsageError for an unknown kind."""
    by_fold = {name.lower(): name for name in KINDS}
    if kind is not None and kind.lower() not in by_fold:
        help = did_you_mean(kind, KINDS) or "kinds: " + ", ".join(KINDS)
        raise click.UsageError(f"`{kind}` is not a kind; {help}")
    schema = schema_of(by_fold[kind.lower()]) if kind else schema_of_all()
    click.echo(json.dumps(schema, indent=2))
    return 0


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind."""
    return {"$schema": DIALECT} | KINDS[kind].model_json_schema(by_alias=True)


def schema_of_all() -> dict[str, Any]:
    """One schema for any document of ours."""
    from pydantic.json_schema import models_json_schema

    chosen, definitions = models_json_schema([(model, "validation") for model in KINDS.values()], by_alias=True)
    references = [chosen[(model, "validation")] for model in KINDS.values()]
    return {"$schema": DIALECT, "oneOf": references} | definitions
