"""JSON Schemas of the specs (draft 2020-12), for editors."""

from __future__ import annotations

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, models_json_schema

from kagent_render.specs.registry import API_VERSION_OF, KINDS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
ALL = "all"


class _WithoutTitles(GenerateJsonSchema):
    """Editors show a title above the description; pydantic's are the field's own name in other letters."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(kind: str) -> dict[str, Any]:
    """The JSON Schema of one kind."""
    model = KINDS[kind]
    return {"$schema": DIALECT} | model.model_json_schema(by_alias=True, schema_generator=_WithoutTitles)


def schema_of_all() -> dict[str, Any]:
    """One schema for any document of ours.

    The kind decides which schema holds, by if and then: under a plain `oneOf` an editor would report every defect
    once for each kind.
    """
    chosen, definitions = models_json_schema(
        [(model, "validation") for model in KINDS.values()], by_alias=True, schema_generator=_WithoutTitles
    )
    rules = [_rule(kind, chosen[(model, "validation")]) for kind, model in KINDS.items()]
    head = {
        "apiVersion": {"enum": sorted(set(API_VERSION_OF.values())), "description": "Version of the format."},
        "kind": {"enum": list(KINDS), "description": "What the document defines."},
    }
    shape = {"type": "object", "required": ["apiVersion", "kind"], "properties": head, "allOf": rules}
    return {"$schema": DIALECT} | shape | definitions


def _rule(kind: str, reference: dict[str, Any]) -> dict[str, Any]:
    return {"if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]}, "then": reference}


def schema_files() -> dict[str, dict[str, Any]]:
    """Every schema by the name of its file: one a kind, and one for all."""
    schemas = {kind.lower(): schema_of(kind) for kind in KINDS} | {ALL: schema_of_all()}
    return {f"{name}.schema.json": schema for name, schema in schemas.items()}
