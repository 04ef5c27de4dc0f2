"""Text to an OpenAPI document with places: YAML 1.2 or JSON, from one local file."""

from __future__ import annotations

import re
from pathlib import Path

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source import Document, SourceFile, read_documents
from kagent_render.source.discover import read_regular

MAX_BYTES = 8 << 20
_VERSION = re.compile(r"3\.[01](\.[0-9]+)?\Z")
_PAIR = re.compile(r"(?<!\\)((?:\\\\)*)\\u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})")
_NEWER = "write it as OpenAPI 3.0 or 3.1; for Swagger 2.0 there are converters, such as swagger2openapi"


def load(path: str, diagnostics: Diagnostics) -> SourceFile | None:
    """The text of a file; None, with a diagnostic, for what is none."""
    span = Span(Path(path).as_posix(), 1, 1)
    try:
        raw = read_regular(Path(path), MAX_BYTES)
        if raw is None:
            diagnostics.add("KR006", "not a regular file", span)
        elif len(raw) > MAX_BYTES:
            diagnostics.add("KR007", f"the document is larger than {MAX_BYTES >> 20} MiB", span)
        else:
            return SourceFile(span.path, raw.decode("utf-8-sig"), explicit=True)
    except OSError as error:
        diagnostics.add("KR006", f"cannot be read: {error.strerror}", span)
    except UnicodeDecodeError:
        diagnostics.add("KR006", "the file is not UTF-8", span)
    return None


def parse(file: SourceFile, diagnostics: Diagnostics) -> Document | None:
    """The one document of a file; None, with a diagnostic, when it is not OpenAPI 3.0 or 3.1."""
    text = _yaml_of_json(file.text) if file.text.lstrip()[:1] in ("{", "[") else file.text
    before = diagnostics.error_count
    documents = read_documents(SourceFile(file.path, text, explicit=True), diagnostics, is_foreign=True)
    if diagnostics.error_count > before:
        return None
    if len(documents) != 1 or not isinstance(documents[0].data, dict):
        diagnostics.add("KR704", "the file is not one OpenAPI document", Span(file.path, 1, 1))
        return None
    return documents[0] if _is_known(documents[0], diagnostics) else None


def _yaml_of_json(text: str) -> str:
    """JSON that a YAML parser reads: tabs between values, and characters that are written as two halves."""

    def joined(match: re.Match[str]) -> str:
        high, low = int(match[2], 16), int(match[3], 16)
        return f"{match[1]}\\U{0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00):08x}"

    return _PAIR.sub(joined, text.replace("\t", " "))


def _is_known(document: Document, diagnostics: Diagnostics) -> bool:
    version = document.data.get("openapi", document.data.get("swagger"))
    if "openapi" in document.data and _VERSION.match(str(version)):
        return True
    name = "Swagger" if "openapi" not in document.data else "OpenAPI"
    found = f"the document is {name} {version}" if version is not None else "the document says no `openapi` version"
    span = document.span_of(("openapi" if name == "OpenAPI" else "swagger",))
    diagnostics.add("KR704", found, span, help=_NEWER)
    return False
