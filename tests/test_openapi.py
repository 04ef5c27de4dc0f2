"""`import openapi`, by cases and by generated documents: what becomes a Tool passes `check`, and the rest is named."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kagent_render.catalog.output_schema import OutputValue
from kagent_render.compiler import compile_paths
from kagent_render.diagnostics import Diagnostics
from kagent_render.openapi.convert import Imported, convert
from kagent_render.openapi.draft import Options
from kagent_render.openapi.reading import parse
from kagent_render.source import SourceFile
from kagent_runtime.output_check import check
from tests.edge.http_target import HttpTarget
from tests.harness import CASES, ROOT, kagent_render
from tests.runtime.benches import Bench

FOLDER = CASES / "openapi"
NAMES = sorted(path.name for path in FOLDER.iterdir() if path.is_dir())
JSON = dict[str, Any]


def _import(name: str, *flags: str) -> tuple[int, str, str]:
    path = (FOLDER / name / "input.yaml").relative_to(ROOT).as_posix()
    outcome = kagent_render("import", "openapi", path, "--format", "concise", *flags)
    return outcome.code, outcome.stdout, outcome.stderr.replace(f"{path}:", "")


@pytest.mark.parametrize("name", NAMES)
def test_the_tools_and_the_report_are_exactly_as_expected(name: str, update_golden: bool) -> None:
    """Each thing that has no counterpart is named with its place."""
    code, tools, report = _import(name)
    assert "Traceback" not in report
    assert (code, bool(tools)) == ((1, False) if "nothing" in name else (0, True)), report
    for file, text in (("expected.yaml", tools), ("report.txt", report)):
        path = FOLDER / name / file
        if update_golden and text:
            path.write_text(text, encoding="utf-8")
        assert text == (path.read_text(encoding="utf-8") if path.exists() else "")


@pytest.mark.parametrize("name", [name for name in NAMES if "nothing" not in name])
def test_what_is_imported_passes_check(name: str) -> None:
    outcome = kagent_render("check", (FOLDER / name / "expected.yaml").relative_to(ROOT).as_posix())
    assert outcome.code == 0, outcome.stdout


def test_every_operation_without_a_counterpart_is_named() -> None:
    """None of them is imported, also not with `--partial`, and each has an error of its own."""
    code, tools, report = _import("03-nothing-fits", "--partial")
    assert (code, tools) == (1, "")
    document = yaml.safe_load((FOLDER / "03-nothing-fits/input.yaml").read_text())
    errors = [line for line in report.splitlines() if " error[" in line]
    for item in document["paths"].values():
        operation = next(value["operationId"] for key, value in item.items() if key not in ("servers", "parameters"))
        assert any(f"`{operation}`: " in line for line in errors), operation


def test_it_imports_what_is_asked_for(tmp_path: Path) -> None:
    """By operation or by tag, below another URL, one file each; and overwrites nothing."""
    folder = str(tmp_path / "tools")
    flags = (
        "--operation",
        "listPets",
        "--tag",
        "admin",
        "--base-url",
        "https://pets.internal.example.com/",
        "-o",
        folder,
    )
    code, tools, report = _import("01-petstore", *flags)
    assert (code, tools) == (0, ""), report
    written = {path.name: yaml.safe_load(path.read_text()) for path in Path(folder).iterdir()}
    assert sorted(written) == ["delete-pet.yaml", "list-pets.yaml"]
    assert written["list-pets.yaml"]["spec"]["http"]["url"] == "https://pets.internal.example.com/pets"
    code, _, report = _import("01-petstore", *flags)
    assert (code, "nothing is overwritten" in report) == (2, True)
    code, tools, report = _import("01-petstore", "--operation", "listPet", "--tag", "dogs")
    assert (code, tools) == (1, "")
    assert "no operation `listPet` (did you mean `listPets`?)" in report
    assert "no tag `dogs`" in report


def test_a_base_url_that_cannot_be_called_is_refused_at_once() -> None:
    for url, message in (("ftp://x", "is not http or https"), ("http://169.254.169.254", "no tool may call")):
        code, tools, report = _import("01-petstore", "--base-url", url)
        assert (code, tools) == (2, "")
        assert message in report
    _, tools, _ = _import("01-petstore", "--base-url", "http://10.0.0.7:8080", "--operation", "listPets")
    assert yaml.safe_load(tools)["spec"]["http"]["allowPrivateAddresses"] is True


def test_credentials_are_those_that_the_user_names() -> None:
    flags = ("--secret", "desk", "--username", "robot", "--operation", "reports", "--operation", "me")
    code, tools, report = _import("02-references-and-security", *flags)
    assert (code, "--username" in report) == (0, False)
    reports, me = [document["spec"]["http"]["auth"] for document in yaml.safe_load_all(tools)]
    assert reports == {"basic": {"username": "robot", "passwordSecretRef": {"name": "desk", "key": "basic"}}}
    assert me == {"header": {"name": "X-Key", "secretRef": {"name": "desk", "key": "key"}}}


@pytest.mark.parametrize("indent", [None, 2, "\t"])
def test_json_is_read_from_stdin(indent: int | str | None) -> None:
    """As compact as tools write it, and with characters in two halves."""
    document = yaml.safe_load((FOLDER / "01-petstore/input.yaml").read_text())
    document["paths"]["/pets"]["get"]["summary"] = "List \U0001f436\\ud83d"
    text = json.dumps(document, indent=indent)
    command = [sys.executable, "-m", "kagent_render", "import", "openapi", "-", "--operation", "listPets"]
    done = subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True, timeout=60, check=True)
    assert yaml.safe_load(done.stdout)["spec"]["description"] == "List \U0001f436\\ud83d"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('swagger: "2.0"\npaths: {}\n', "1:10: error[KR704] the document is Swagger 2.0"),
        ("openapi: 3.2.0\npaths: {}\n", "1:10: error[KR704] the document is OpenAPI 3.2.0"),
        ("openapi: 3.0.0\n", "error[KR704] the document has no operation"),
        ("openapi: 3.0.0\npaths: []\n", "2:1: error[KR704] the document has no operation"),
        ("- 1\n", "1:1: error[KR704] the file is not one OpenAPI document"),
        ("kind: Agent\n", "error[KR704] the document says no `openapi` version"),
        ("openapi: 3.0.0\npaths:\n  /a: 1\n", "3:3: error[KR704] the path `/a`: what is at a path must be a mapping"),
        ("openapi: 3.0.0\npaths: {/a: {get: {parameters: {}}}}\n", "`parameters` must be a list"),
        ("openapi: 3.0.0\npaths: {/a: {get: }\n", "error[KR001]"),
    ],
)
def test_what_is_no_openapi_document(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "api.yaml").write_text(text)
    outcome = kagent_render(
        "import", "openapi", str(tmp_path / "api.yaml"), "--format", "concise", "--base-url", "https://a"
    )
    assert (outcome.code, outcome.stdout) == (1, "")
    assert message in outcome.stderr, outcome.stderr


def test_import_without_a_source_is_still_about_kagent() -> None:
    """Also with its flags first; `./openapi` is a path."""
    path = (CASES / "import/01-agent-declarative-k8sgpt/input.yaml").relative_to(ROOT).as_posix()
    plain = kagent_render("import", path)
    assert plain.code == 0
    assert kagent_render("import", "--partial", path).stdout == plain.stdout
    assert kagent_render("import", "kagent", path).stdout == plain.stdout
    assert kagent_render("import").code == 2
    assert "openapi" in kagent_render("import", "--help").stdout


async def test_an_imported_tool_makes_the_request_that_the_document_describes(tmp_path: Path) -> None:
    """From the document to the wire: names that had to change are sent as they were."""
    text = (FOLDER / "01-petstore/input.yaml").read_text()
    with HttpTarget() as target:
        options = Options(base_url=target.origin, operations=("listPets", "createPets"))
        listing, creating = (yaml.safe_load(tool.text)["spec"] for tool in _converted(text, options)[0])
        tools = {"listing": json.dumps(listing), "creating": json.dumps(creating)}
        bench = Bench(tmp_path / "specs", tools)
        # This server answers with the request, which is not what the document promises.
        told = await bench.fails("listing", filter_name="Rex & Co", status="sold")
        assert told == "the answer is not as `response.schema` says: $ must be of type array, not an object"
        await bench.gets("creating", name="{size}", size=3)
    first, second = target.received
    assert (first.method, first.path) == ("GET", "/pets")
    assert first.query == "limit=20&status=sold&filter%5Bname%5D=Rex%20%26%20Co"
    assert first.headers["x-client"] == "kagent"
    assert (second.method, json.loads(second.body)) == ("POST", {"name": "{size}", "vaccinated": False, "size": 3})


def _converted(text: str, options: Options) -> tuple[list[Imported], Diagnostics]:
    diagnostics = Diagnostics()
    document = parse(SourceFile("api.yaml", text, explicit=True), diagnostics)
    return (convert(document, options, diagnostics) if document else []), diagnostics


_texts = st.sampled_from(
    ["", "a", "petId", "filter[name]", "X-Key", "Über", "a b", "{a}", "..", "9", "ünïcode\u200b", "x" * 80]
)
_junk = st.sampled_from(
    [None, True, 0, 1.5, "text", [], {}, [1], {"a": 1}, {"$ref": "#/nowhere"}, {"$ref": "#/components"}]
)
_types = st.sampled_from(
    ["string", "integer", "number", "boolean", "string", "integer", "string", ["string", "null"], "array", 5]
)


def _mostly(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 39).flatmap(lambda number: _junk if number == 0 else strategy)


_scalars: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {},
    optional={
        "type": _types,
        "description": _mostly(st.sampled_from(["Text", "sk-" + "a" * 40, "two\nlines", "\u202e", "x" * 3000])),
        "enum": _mostly(st.lists(st.sampled_from(["a", "b", "", 1, True, None]), max_size=3)),
        "default": _mostly(st.sampled_from(["a", "", 1, 2.5, True, None, [1]])),
        "minimum": _mostly(st.integers(0, 5)),
        "pattern": st.just("^{a}$"),
        "readOnly": st.booleans(),
    },
)
_references = st.sampled_from(["#/components/schemas/A", "#/components/schemas/B", "b.yaml#/x", "#/no"])
_schemas: st.SearchStrategy[Any] = st.recursive(
    _scalars | st.builds(lambda target: {"$ref": target}, _references),
    lambda below: st.fixed_dictionaries(
        {"type": st.just("object")},
        optional={
            "properties": _mostly(st.dictionaries(_texts, below, max_size=3)),
            "required": _mostly(st.lists(_texts, max_size=2)),
            "allOf": st.lists(below, max_size=2),
            "oneOf": st.lists(below, max_size=2),
        },
    ),
    max_leaves=4,
)
_parameters = st.fixed_dictionaries(
    {"name": _mostly(_texts), "in": _mostly(st.sampled_from(["query", "query", "query", "path", "header", "cookie"]))},
    optional={
        "required": _mostly(st.booleans()),
        "schema": _mostly(_scalars | _scalars | _schemas),
        "style": st.sampled_from(["form", "form", "form", "matrix"]),
    },
)
_objects = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(_texts, _scalars | _schemas, min_size=1, max_size=3)},
    optional={"required": _mostly(st.lists(_texts, max_size=1)), "allOf": st.lists(_schemas, max_size=1)},
)
_bodies = st.fixed_dictionaries(
    {
        "content": _mostly(
            st.dictionaries(
                st.sampled_from(["application/json", "application/json", "application/json", "text/plain"]),
                st.builds(lambda schema: {"schema": schema}, _objects | _objects | _schemas),
                max_size=2,
            )
        )
    },
    optional={"required": _mostly(st.booleans())},
)
_security = _mostly(
    st.lists(
        _mostly(st.sampled_from([{}, {"key": []}, {"basic": []}, {"key": [], "basic": []}, {"odd": []}])), max_size=2
    )
)
_responses = st.dictionaries(
    st.sampled_from(["200", "201", "204", "2XX", "404", "default"]),
    _mostly(st.fixed_dictionaries({}, optional={"content": _bodies.map(lambda body: body["content"])})),
    max_size=2,
)
_operations = st.fixed_dictionaries(
    {},
    optional={
        "responses": _mostly(_responses),
        "operationId": _mostly(_texts),
        "summary": _mostly(_texts),
        "parameters": _mostly(st.lists(_mostly(_parameters), max_size=3)),
        "requestBody": _mostly(_bodies),
        "security": _security,
        "deprecated": st.booleans(),
    },
)
_methods = st.sampled_from(["get", "post", "put", "delete", "options"])
_paths = st.sampled_from(
    [
        "/",
        "/a",
        "/b/c",
        "/d.json",
        "/e:f",
        "/a/{petId}",
        "/{a}/{a}",
        "/{filter[name]}",
        "/a/../b",
        "a",
        "/ü",
        "/{a",
        "/x?y=1",
    ]
)
_documents = st.fixed_dictionaries(
    {
        "openapi": st.sampled_from(["3.0.3", "3.1.0"]),
        "paths": st.dictionaries(
            _paths, st.dictionaries(_methods, _mostly(_operations), min_size=1, max_size=2), max_size=3
        ),
        "components": st.fixed_dictionaries(
            {
                "schemas": st.fixed_dictionaries({"A": _schemas, "B": _schemas}),
                "securitySchemes": st.just(
                    {
                        "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
                        "basic": {"type": "http", "scheme": "basic"},
                    }
                ),
            }
        ),
    },
    optional={
        "info": _mostly(st.builds(lambda title: {"title": title}, _texts)),
        "servers": _mostly(
            st.sampled_from([[{"url": "https://a.example.com"}], [{"url": "/v1"}], [{"url": "http://[::1"}]])
        ),
        "security": _security,
    },
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(document=_documents, base=st.sampled_from([None, "https://b.example.com/x"]))
def test_what_is_written_always_passes_check(
    document: JSON, base: str | None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever the document is; and every operation is a Tool, or has an error."""
    tools, diagnostics = _converted(json.dumps(document), Options(base_url=base))
    operations = sum(len(item) for item in document["paths"].values())
    assert len(tools) == operations or diagnostics.has_errors
    assert len({tool.name for tool in tools}) == len(tools) <= operations
    if tools:
        folder = tmp_path_factory.mktemp("tools")
        for tool in tools:
            (folder / f"{tool.name}.yaml").write_text(tool.text, encoding="utf-8")
        compilation = compile_paths([str(folder)])
        assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()


_answers: st.SearchStrategy[JSON] = st.recursive(
    st.fixed_dictionaries(
        {"type": st.sampled_from(["string", "integer", "number", "boolean", ["string", "null"], ["number", "string"]])},
        optional={"enum": st.lists(st.sampled_from(["a", "b", 1, None]), min_size=1, max_size=3)},
    )
    | st.builds(lambda name: {"$ref": f"#/components/schemas/{name}"}, st.sampled_from("AB")),
    lambda below: (
        st.builds(lambda items: {"type": "array", "items": items}, below)
        | st.builds(lambda one, word: {word: [one, {"type": "null"}]}, below, st.sampled_from(["anyOf", "oneOf"]))
        | st.builds(lambda parts: {"allOf": parts}, st.lists(below, min_size=1, max_size=2))
        | st.fixed_dictionaries(
            {"type": st.just("object"), "properties": st.dictionaries(st.sampled_from("abc"), below, max_size=3)},
            optional={
                "required": st.lists(st.sampled_from("abcd"), max_size=2, unique=True),
                "additionalProperties": st.booleans() | below,
            },
        )
    ),
    max_leaves=6,
)
_values = st.recursive(
    st.none() | st.booleans() | st.sampled_from([0, 1, 2.5, "a", "b", "other", ""]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(st.sampled_from("abcd"), below, max_size=3),
    max_leaves=6,
)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    schema=_answers, parts=st.fixed_dictionaries({"A": _answers, "B": _answers}), values=st.lists(_values, max_size=8)
)
def test_no_answer_that_the_document_allows_is_refused(schema: JSON, parts: JSON, values: list[Any]) -> None:
    """As JSON Schema reads the document; and what is imported passes check."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation = {"operationId": "ask", "summary": "Ask", "responses": {"200": content}}
    document = {"openapi": "3.1.0", "paths": {"/a": {"get": operation}}, "components": {"schemas": parts}}
    tools, diagnostics = _converted(json.dumps(document), Options(base_url="https://a.example.com"))
    assert (len(tools), diagnostics.has_errors) == (1, False)
    http = yaml.safe_load(tools[0].text)["spec"]["http"]
    if "response" not in http:
        assert len(diagnostics.in_order()) >= 1
        return
    wanted = OutputValue.model_validate(http["response"]["schema"]).json_schema(is_open=True)
    real = jsonschema.Draft202012Validator({**schema, "components": document["components"]})
    for value in values:
        try:
            is_allowed = real.is_valid(value)
        except RecursionError:  # a schema that is only itself allows nothing that can be found out
            continue
        if is_allowed:
            check(value, wanted)
