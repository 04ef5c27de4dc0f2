"""`explain`, `schema` and the reference page say of every field what the models say."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.specs.registry import KINDS
from kagent_render.views.explain import explain
from kagent_render.views.reference_page import reference_page
from kagent_render.views.spec_reference import Field, Model, description_of, fields_of
from kagent_render.views.spec_schema import schema_files
from tests.harness import CASES, EXAMPLES, ROOT, kagent_render, tree

PAGE = ROOT / "kagent_render" / "specs" / "REFERENCE.md"
SPECS = [*EXAMPLES.glob("*/specs/**/*.yaml"), *CASES.glob("build/*/input/**/*.yaml")]
DOCUMENTS = [
    (f"{path.relative_to(ROOT)}#{number}", document)
    for path in sorted(SPECS)
    if "environments" not in path.parts  # what stands there is merged over a document, and is none by itself
    for number, document in enumerate(yaml.safe_load_all(path.read_text()))
    if document and document.get("kind") in KINDS
]
SCHEMAS = schema_files()


def _all_fields() -> Iterator[tuple[str, Model, Field]]:
    seen: set[Model] = set()
    waiting: list[tuple[str, Model]] = list(KINDS.items())
    while waiting:
        place, model = waiting.pop()
        if model in seen:
            continue
        seen.add(model)
        for field in fields_of(model):
            yield f"{place}.{field.name}", model, field
            waiting += [(f"{place}.{field.name}", nested) for nested in field.models]


def test_every_field_and_every_block_has_a_description() -> None:
    """Written in the model: it is what editors show, `explain` prints and the page holds."""
    fields = list(_all_fields())
    assert len(fields) > 80
    assert [place for place, _, field in fields if not field.description.strip()] == []
    assert [model.__name__ for _, model, _ in fields if not description_of(model)] == []


def test_no_field_is_of_a_type_that_has_no_name() -> None:
    """A type that the reference cannot tell shows as Python would print it."""
    named = {model.__name__ for _, model, _ in _all_fields()}
    words = {"string", "integer", "number", "boolean", "any", "Object"} | named
    for place, _, field in _all_fields():
        parts = field.type.replace("map[string]", "").replace("[]", "").split(" | ")
        assert set(parts) <= words, f"{place}: {field.type}"


def test_the_committed_page_is_what_the_models_say() -> None:
    """`kagent-render schema --markdown > kagent_render/specs/REFERENCE.md` writes it."""
    assert kagent_render("schema", "--markdown").stdout == PAGE.read_text(encoding="utf-8")


def test_every_link_of_the_page_leads_to_one_of_its_headings() -> None:
    """By GitHub's rule for anchors: lower case, no punctuation, and a heading that occurs once."""
    import re

    headings = re.findall(r"^#{2,3} (.+)$", reference_page(), re.MULTILINE)
    anchors = [re.sub(r"[^\w-]", "", heading.lower()) for heading in headings]
    assert len(anchors) == len(set(anchors))
    links = set(re.findall(r"\]\(#([^)]+)\)", reference_page()))
    assert links
    assert links <= set(anchors)


@pytest.mark.parametrize("place", sorted({place for place, _, _ in _all_fields()}))
def test_explain_knows_every_field(place: str) -> None:
    """By its path, in any case."""
    text = explain(place.lower())
    assert f"\nFIELD: {place.rpartition('.')[2]} <" in text
    assert "DESCRIPTION:" in text or "ONE OF:" in text


def test_explain_shows_type_default_values_and_rules() -> None:
    """Of a field; and of a block its fields with what is required."""
    assert kagent_render("explain", "agent.spec.limits.toolIterations").stdout == (
        "GROUP:      kagent.dev\nKIND:       Agent\nVERSION:    v1alpha1\n\n"
        "FIELD: toolIterations <integer>\n\nDEFAULT:\n    10\n\nRULES:\n    at least 1\n    at most 100\n\n"
        "DESCRIPTION:\n    Rounds of tool calls in one turn.\n"
    )
    assert (
        "ENUM:\n    RoundRobin\n    Selector\n    Swarm\n" in kagent_render("explain", "agentteam.spec.teamType").stdout
    )
    spec = kagent_render("explain", "agents.spec").stdout
    assert "  modelConfigRef\t<ModelConfigReference> -required-\n    The ModelConfig it uses.\n" in spec
    assert "  handoffs\t<[]Reference>\n" in spec


def test_explain_lists_the_variants_of_a_union() -> None:
    """Each by what chooses it, and its fields are found below the union."""
    shown = kagent_render("explain", "AgentTeam.spec.terminationCondition").stdout
    assert "  type: MaxMessage\n    Stop when " in shown
    assert "  anyOf\n    Stop when any of the conditions holds.\n" in shown
    below = kagent_render("explain", "AgentTeam.spec.terminationCondition.anyOf.allOf.maxMessages").stdout
    assert "FIELD: maxMessages <integer> -required-" in below


def test_explain_recursive_ends() -> None:
    """A condition may hold conditions: their fields are shown once."""
    outcome = kagent_render("explain", "AgentTeam", "--recursive")
    assert outcome.code == 0
    assert outcome.stdout.count("maxMessages\t<integer> -required-") == 1
    assert "        limits\t<ResourceAmounts>\n          cpu\t<string>\n" in outcome.stdout


@pytest.mark.parametrize(
    ("subject", "says"),
    [
        ("Agnet", "`Agnet` is not a kind; did you mean `Agent`?"),
        ("agent.spec.tols", "`Agent.spec` has no field `tols`; did you mean `tools`?"),
        ("agent.spec.description.x", "has no field `x`; it is a value"),
        ("agent.", "`Agent` has no field ``"),
        ("KR1", "is not a diagnostic code"),
        ("unknown-referense", "did you mean `unknown-reference`?"),
    ],
)
def test_explain_of_what_does_not_exist(subject: str, says: str) -> None:
    """Exit 2 with the nearest name."""
    outcome = kagent_render("explain", subject)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert says in outcome.stderr


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_is_valid_and_closed(name: str) -> None:
    """Draft 2020-12; every block with fields refuses others."""
    schema = SCHEMAS[name]
    jsonschema.Draft202012Validator.check_schema(schema)
    blocks = [part for part in [schema, *schema.get("$defs", {}).values()] if "properties" in part]
    is_rule = [part for part in blocks if "allOf" in part]
    assert [part for part in blocks if part.get("additionalProperties") is not False] == is_rule
    assert len(is_rule) == (name == "all.schema.json")


@pytest.mark.parametrize(("where", "document"), DOCUMENTS, ids=[where for where, _ in DOCUMENTS])
def test_the_schemas_accept_every_spec_and_refuse_every_typo(where: str, document: dict[str, Any]) -> None:
    """Of every document, a misspelt key in any of its blocks, but for those whose keys are the user's."""
    for name in (f"{document['kind'].lower()}.schema.json", "all.schema.json"):
        validator = jsonschema.Draft202012Validator(SCHEMAS[name])
        validator.validate(document)
        blocks = [block for place, block in _blocks(document, ()) if not _is_free(place)]
        assert blocks
        for block in blocks:
            block["sytemMessage"] = 1
            assert not validator.is_valid(document), block
            del block["sytemMessage"]


def _blocks(value: Any, place: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    if isinstance(value, dict):
        yield place, value
        for key, item in list(value.items()):
            yield from _blocks(item, (*place, key))
    for item in value if isinstance(value, list) else ():
        yield from _blocks(item, place)


def _is_free(place: tuple[str, ...]) -> bool:
    """Whether it is, or is within, a map: there every key is the user's own."""
    models: tuple[Model, ...] = tuple(KINDS.values())
    for name in place:
        found = [field for model in models for field in fields_of(model) if field.name == name]
        if not found or any(word in field.type for word in ("map[", "any") for field in found):
            return True
        models = tuple(model for field in found for model in field.models)
    return False


def test_one_schema_for_all_says_one_thing_of_a_mistake() -> None:
    """Not the same mistake once for each kind, which is what a plain `oneOf` makes of it."""
    document = {"apiVersion": "kagent.dev/v1alpha1", "kind": "ModelConfig", "metadata": {"name": "m"}, "spec": {}}
    validator = jsonschema.Draft202012Validator(SCHEMAS["all.schema.json"])
    assert [error.message for error in validator.iter_errors(document)] == ["'model' is a required property"]
    for wrong in ({"kind": "Agnet"}, {"metadata": {"name": "Not A Name"}}):
        changed = document | {"spec": {"model": "m"}} | wrong
        assert [len(list(validator.iter_errors(changed)))] == [1]


def test_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    """One a kind and one for all, which `# yaml-language-server: $schema=` names."""
    outcome = kagent_render("schema", "-o", str(tmp_path / "a" / "b"))
    assert (outcome.code, outcome.stdout) == (0, "")
    written = {path.name: json.loads(path.read_text()) for path in (tmp_path / "a" / "b").iterdir()}
    assert written == SCHEMAS
    assert set(written) == {f"{kind.lower()}.schema.json" for kind in KINDS} | {"all.schema.json"}
    for arguments in (["Agent", "-o", "x"], ["Agent", "--markdown"], ["--markdown", "-o", "x"]):
        assert kagent_render("schema", *arguments).code == 2


def test_the_pages_of_the_tool_types_are_committed(tmp_path: Path) -> None:
    """`kagent-render schema --tools kagent_render/specs/tools` writes them."""
    assert kagent_render("schema", "--tools", str(tmp_path)).code == 0
    assert tree(tmp_path) == tree(ROOT / "kagent_render" / "specs" / "tools")
    assert set(tree(tmp_path)) == {f"{name}.md" for name in TOOL_TYPES}


@pytest.mark.parametrize("name", TOOL_TYPES)
def test_a_page_tells_of_all_that_its_type_does(name: str) -> None:
    """Every operation and every built-in, with its Role or where it goes."""
    text = (ROOT / "kagent_render" / "specs" / "tools" / f"{name}.md").read_text("utf-8")
    operations = getattr(TOOL_TYPES[name], "OPERATIONS", {})
    assert [one for one in operations if one not in text and one.replace("_", "-") not in text] == []
    assert [one for one in TOOL_TYPES[name].BUILTINS if f"`{one}`" not in text] == []
    assert text.count("RBAC") + text.count("Network: ") or name in ("agent", "python")
