"""Documents to specs. A document with a defect becomes a poisoned spec: references to it stay silent."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, ValidationError

from kagent_render.catalog.credentials import is_secret_name
from kagent_render.diagnostics import Diagnostics, did_you_mean, nearest
from kagent_render.source import Document
from kagent_render.specs.registry import API_VERSION_OF, KINDS, AnySpec
from kagent_render.specs.secrets import has_secret

Location = tuple[int | str, ...]
_OURS = ("kagent.dev/", "render.kagent.dev/")
_TYPE_NAMES = {
    "string_type": "a string",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
}


@dataclass(frozen=True, slots=True)
class Decoded:
    """A document of ours and its spec; `spec` is None for a poisoned one, which still has its name."""

    document: Document
    kind: str
    name: str
    namespace: str | None
    spec: AnySpec | None

    @property
    def key(self) -> tuple[str, str | None, str]:
        """What makes it unique."""
        return (self.kind, self.namespace, self.name)


def decode(documents: Sequence[Document], diagnostics: Diagnostics) -> list[Decoded]:
    """Validate every document that is ours; foreign ones in a folder are passed over."""
    decoded = (decode_document(document, diagnostics) for document in documents)
    return [item for item in decoded if item is not None]


def decode_document(document: Document, diagnostics: Diagnostics) -> Decoded | None:
    """Validate one document, adding a diagnostic for every defect."""
    kind = _kind_of(document, diagnostics)
    if kind is None:
        return None
    metadata = document.data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    name, namespace = metadata.get("name"), metadata.get("namespace")
    spec: AnySpec | None = None
    try:
        spec = KINDS[kind].model_validate(document.data)
    except ValidationError as error:
        _report_all(document, KINDS[kind], error, diagnostics)
    if not isinstance(name, str):
        return None
    return Decoded(document, kind, name, namespace if isinstance(namespace, str) else None, spec)


def _kind_of(document: Document, diagnostics: Diagnostics) -> str | None:
    data = document.data
    api_version = data.get("apiVersion") if isinstance(data, dict) else None
    kind = data.get("kind") if isinstance(data, dict) else None
    ours = isinstance(api_version, str) and api_version.startswith(_OURS)
    if isinstance(kind, str) and kind in KINDS and api_version == API_VERSION_OF[kind]:
        return kind
    if not ours and not document.file.explicit and not (kind in KINDS and api_version is None):
        return None  # someone else's YAML in the same folder
    if not isinstance(data, dict):
        diagnostics.add("KR100", "the document is not a mapping", document.span_of(()))
    elif isinstance(kind, str) and kind in KINDS:
        _report_api_version(document, kind, diagnostics)
    elif kind is None and ours:
        diagnostics.add("KR102", "the field `kind` is missing", document.span_of(()), help="one of " + ", ".join(KINDS))
    else:
        help = did_you_mean(str(kind), KINDS) or "kinds: " + ", ".join(KINDS)
        diagnostics.add("KR100", f"`{kind}` of `{api_version}` is not a spec", document.span_of(("kind",)), help=help)
    return None


def _report_api_version(document: Document, kind: str, diagnostics: Diagnostics) -> None:
    wanted = API_VERSION_OF[kind]
    if "apiVersion" not in document.data:
        diagnostics.add(
            "KR102", "the field `apiVersion` is missing", document.span_of(()), help=f"apiVersion: {wanted}"
        )
        return
    found = document.data["apiVersion"]
    span = document.span_of(("apiVersion",))
    diagnostics.add("KR100", f"`{found}` is not the apiVersion of {kind}", span, help=f"apiVersion: {wanted}")


def _report_all(document: Document, model: type[BaseModel], error: ValidationError, diagnostics: Diagnostics) -> None:
    problems = [cast(dict[str, Any], problem) for problem in error.errors(include_url=False)]
    absent = {_real_location(document.data, p["loc"], p["type"]) for p in problems if p["type"] == "missing"}
    misspelt: set[Location] = set()
    for problem in problems:
        if problem["type"] == "extra_forbidden":
            location = _real_location(document.data, problem["loc"], problem["type"])
            missing = [str(place[-1]) for place in absent if place[:-1] == location[:-1]]
            if match := nearest(str(location[-1]), missing):
                misspelt.add((*location[:-1], match))
    for problem in problems:
        # A misspelt required field is one mistake: the unknown field says what was meant.
        if _real_location(document.data, problem["loc"], problem["type"]) not in misspelt:
            _report(document, model, problem, diagnostics)


def _report(document: Document, model: type[BaseModel], problem: dict[str, Any], diagnostics: Diagnostics) -> None:
    location = _real_location(document.data, problem["loc"], problem["type"])
    kind = problem["type"]
    if kind == "extra_forbidden":
        _report_unknown(document, model, location, problem["input"], diagnostics)
    elif kind == "missing":
        message = f"the field `{location[-1]}` is missing"
        diagnostics.add("KR102", message, document.key_span_of(location[:-1]))
    elif kind in ("union_tag_invalid", "union_tag_not_found", "literal_error"):
        _report_choice(document, location, kind, problem, diagnostics)
    elif kind == "secret":
        _report_secret(document, location, problem, diagnostics)
    elif kind == "coded":  # of a whole model: see catalog/fields.py
        about = problem["ctx"]
        place = (*location, about["field"]) if about["field"] else location
        diagnostics.add(about["code"], about["message"], document.key_span_of(place), help=about["help"])
    else:
        _report_value(document, location, problem, diagnostics)


def _report_secret(document: Document, location: Location, problem: dict[str, Any], diagnostics: Diagnostics) -> None:
    if has_secret(str(problem["input"])):
        return  # `check_secrets` reports it, with what it looks like
    help = "put the credential in a Secret and name it"
    message = f"`{_name_of(location)}` is {problem['msg']}"
    diagnostics.add("KR106", message, document.span_of(location), help=help, sensitive=True)


def _report_value(document: Document, location: Location, problem: dict[str, Any], diagnostics: Diagnostics) -> None:
    kind, name, span = problem["type"], _name_of(location), document.span_of(location)
    if kind in ("name", "value"):  # the types of catalog/fields.py, which say their rule
        code, help = ("KR105" if kind == "name" else "KR104"), f"wanted: {problem['ctx']['rule']}"
        diagnostics.add(code, f"`{name}: {problem['input']}` is not valid", span, help=help)
    elif kind in ("too_short", "string_too_short"):
        diagnostics.add("KR104", f"`{name}` must not be empty", span)
    elif kind in _TYPE_NAMES:
        message = f"`{name}` must be {_TYPE_NAMES[kind]}, not {_describe(problem['input'])}"
        diagnostics.add("KR103", message, span, help=_type_help(kind, problem["input"]))
    else:
        text = re.sub(r"^(input|value) should ", "should ", problem["msg"][:1].lower() + problem["msg"][1:])
        diagnostics.add("KR104", f"`{name}` {text}", span)


def _name_of(location: Location) -> str:
    """The field's name; an item of a list goes by the list's, with its index."""
    if not location:
        return "document"
    return (
        f"{location[-2]}[{location[-1]}]" if isinstance(location[-1], int) and len(location) > 1 else str(location[-1])
    )


def _real_location(data: Any, location: Sequence[int | str], kind: str) -> Location:
    """Drop the tags that pydantic puts into a location for a union: they name no child."""
    real: list[int | str] = []
    for position, part in enumerate(location):
        child = _child(data, part)
        is_absent_leaf = kind == "missing" and position == len(location) - 1
        if child is not _ABSENT:
            data = child
            real.append(part)
        elif is_absent_leaf:
            real.append(part)
    return tuple(real)


_ABSENT = object()


def _child(data: Any, part: int | str) -> Any:
    if isinstance(data, dict):
        return data.get(part, _ABSENT)
    if isinstance(data, list) and isinstance(part, int) and part < len(data):
        return data[part]
    return _ABSENT


def _report_unknown(
    document: Document, model: type[BaseModel], location: Location, value: Any, diagnostics: Diagnostics
) -> None:
    name = str(location[-1])
    span = document.key_span_of(location)
    if is_secret_name(name) and isinstance(value, str):
        help = "name a Secret: `apiKeySecretRef: {name: …, key: …}`"
        diagnostics.add("KR106", f"`{name}` holds a credential", span, help=help, sensitive=True)
        return
    accepted = sorted(_fields_at(model, document.data, location[:-1]))
    hint = did_you_mean(name, accepted) or ("accepted: " + ", ".join(accepted) if accepted else None)
    diagnostics.add("KR101", f"the field `{name}` does not exist", span, help=hint)


def _report_choice(
    document: Document, location: Location, kind: str, problem: dict[str, Any], diagnostics: Diagnostics
) -> None:
    context = problem.get("ctx", {})
    accepted = _quoted(context.get("expected_tags") or context.get("expected") or "")
    if kind == "union_tag_not_found":
        help = "a condition has a `type`, or `anyOf` or `allOf`" if "_tag" in str(context) else None
        if isinstance(problem["input"], dict):
            diagnostics.add("KR102", "the field `type` is missing", document.span_of(location), help=help)
        else:
            found = _describe(problem["input"])
            diagnostics.add("KR103", f"must be a mapping, not {found}", document.span_of(location), help=help)
        return
    if kind == "union_tag_invalid":
        value, place = context["tag"], (*location, "type")
    else:
        value, place = problem["input"], location
    listed: list[str] = [name for name in accepted if name not in ("AnyOf", "AllOf")]
    match = nearest(str(value), listed)
    help = f"did you mean `{match}`?" if match else "one of " + ", ".join(listed)
    diagnostics.add("KR104", f"`{place[-1]}: {value}` is not accepted", document.span_of(place), help=help)


def _quoted(listed: str) -> list[str]:
    """The values in pydantic's `'a', 'b' or 'c'`."""
    return [str(ast.literal_eval(text)) for text in re.findall(r"'[^']*'", listed)]


def _fields_at(model: type[BaseModel], data: Any, location: Location) -> Iterator[str]:
    """The field names that the model at `location` has, found by validating nothing but walking types."""
    from kagent_render.specs.fields_at import models_at

    for found in models_at(model, data, location):
        for name, info in found.model_fields.items():
            yield info.alias or name


def _describe(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return str(value).lower()
    return {str: "a string", int: "a number", float: "a number", list: "a list", dict: "a mapping"}[type(value)]


def _type_help(kind: str, value: Any) -> str | None:
    if kind == "string_type" and isinstance(value, (int, float, bool)):
        return "put it in quotes"
    if kind in ("int_type", "float_type", "bool_type") and isinstance(value, str):
        return "remove the quotes" if re.match(r"([-+]?[0-9.]+|true|false)\Z", value) else None
    return "write it as a list: start each item with `- `" if kind == "list_type" else None
