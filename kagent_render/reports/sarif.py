"""SARIF 2.1.0, the form in which code scanning (GitHub, GitLab, Azure DevOps) and editors take findings."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import quote

from kagent_render import __version__
from kagent_render.diagnostics import CODES, Diagnostic, Severity, Span
from kagent_render.diagnostics.codes import Code
from kagent_render.reports.text import SourceLines, printable

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_INDEX = {code: index for index, code in enumerate(CODES)}


def render(diagnostics: Sequence[Diagnostic], lines: SourceLines) -> Iterator[str]:
    """One SARIF log with one run. Source lines are not quoted: a viewer has the file, and some may not be."""
    found = [item for item in diagnostics if item.span]
    rules = [_rule(code) for code in CODES.values()]
    run = {
        "tool": {"driver": {"name": "kagent-render", "semanticVersion": __version__, "rules": rules}},
        # A YAML mark counts code points, not the UTF-16 units that SARIF takes for granted.
        "columnKind": "unicodeCodePoints",
        "invocations": [_invocation([item for item in diagnostics if not item.span])],
        "results": [_result(item) for item in found],
    }
    yield json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False)


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.id,
        "name": "".join(word.title() for word in code.name.split("-")),
        "shortDescription": {"text": code.name.replace("-", " ")},
        "fullDescription": {"text": code.explanation.partition("\n\n")[0]},
        # The examples are indented by four, which Markdown reads as code.
        "help": {"text": code.explanation, "markdown": code.explanation},
        "defaultConfiguration": {"level": _LEVELS[code.severity]},
    }


def _invocation(placeless: Sequence[Diagnostic]) -> dict[str, Any]:
    """What concerns no line of a file is a notification: code scanning refuses results without a location."""
    notifications = [
        {"descriptor": {"id": item.code}, "level": _LEVELS[item.severity], "message": _message(item)}
        for item in placeless
    ]
    return {"executionSuccessful": True} | ({"toolConfigurationNotifications": notifications} if notifications else {})


def _result(item: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": item.code,
        "ruleIndex": _INDEX[item.code],
        "level": _LEVELS[item.severity],
        "message": _message(item),
        "locations": [_location(item.span)] if item.span else [],
    }
    if item.labels:
        result["relatedLocations"] = [
            {"id": index, "message": {"text": printable(label.message)}} | _location(label.span)
            for index, label in enumerate(item.labels)
        ]
    return result


def _message(item: Diagnostic) -> dict[str, str]:
    return {"text": printable(item.message + (f" ({item.help})" if item.help else ""))}


def _location(span: Span) -> dict[str, Any]:
    region = {"startLine": max(span.line, 1), "startColumn": max(span.column, 1)}
    if span.end_column > span.column:
        region["endColumn"] = span.end_column
    return {"physicalLocation": {"artifactLocation": _artifact(span.path), "region": region}}


def _artifact(path: str) -> dict[str, str]:
    """Relative to where the command runs, which in CI is the top of the checkout; else a file URI."""
    place = Path(path)
    if place.is_absolute() and not place.is_relative_to(Path.cwd()):
        return {"uri": place.as_uri()}
    relative: PurePath = place.relative_to(Path.cwd()) if place.is_absolute() else place
    return {"uri": quote(relative.as_posix()), "uriBaseId": "%SRCROOT%"}
