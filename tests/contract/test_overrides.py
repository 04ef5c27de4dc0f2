"""A template of the user's that leaves something out gives a valid object or a diagnostic: tried for every line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest

from kagent_render.compiler import Compilation, compile_paths
from kagent_render.diagnostics import Severity
from kagent_render.targets.overrides import shipped_templates
from kagent_render.targets.templating import template_folder
from kagent_render.views.blast_radius import blast_radius
from tests.contract.test_manifests import check
from tests.harness import CASES

NAMES = shipped_templates()
SOURCES = [CASES / "build" / name / "input" for name in ("platform-every-field", "knative", "platform-services", "tls")]
SOURCES += [path / "input" for path in sorted((CASES / "build").iterdir()) if path / "input" not in SOURCES]


def _objects(compilation: Compilation) -> list[str]:
    return [json.dumps(item.data, sort_keys=True) for item in compilation.objects]


@cache
def _shipped(source: Path) -> list[str]:
    return _objects(compile_paths([str(source)]))


def _with(source: Path, folder: Path, name: str, text: str) -> Compilation:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return compile_paths([str(source)], templates=str(folder))


def _shortened(text: str) -> Iterator[tuple[int, str]]:
    """The template without each line in turn and what belongs to it."""
    lines = text.splitlines(keepends=True)
    for start, line in enumerate(lines):
        if line.lstrip().startswith("{%"):
            continue
        end = start + 1
        while end < len(lines) and len(lines[end]) - len(lines[end].lstrip()) > len(line) - len(line.lstrip()):
            end += 1
        block = "".join(lines[start:end])
        if all(block.count(f"{{% {word}") == block.count(f"{{% end{word}") for word in ("for", "if")):
            yield start + 1, "".join(lines[:start] + lines[end:])


def _defect(document: dict[str, Any]) -> str | None:
    try:
        check(document)
    except (jsonschema.ValidationError, kubernetes_validate.ValidationError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("name", NAMES)
def test_what_is_left_out_is_told_or_not_needed(name: str, tmp_path: Path) -> None:
    """Never a stack trace; never an object that the server refuses for what is missing."""
    text = (template_folder() / name).read_text()
    source = next(path for path in SOURCES if _with(path, tmp_path, name, "kind: X\n").diagnostics.has_errors)
    tried = 0
    for number, shorter in _shortened(text):
        tried += 1
        compilation = _with(source, tmp_path, name, shorter)
        if compilation.diagnostics.has_errors:
            errors = [item for item in compilation.diagnostics.in_order() if item.severity is Severity.ERROR]
            assert errors[0].span is not None
            assert errors[0].span.path.endswith(name)
            continue
        objects = _objects(compilation)
        for changed in set(objects) - set(_shipped(source)):
            assert _defect(json.loads(changed)) is None, f"line {number}"
        blast_radius([json.loads(item) for item in objects], [])
    assert tried >= 3
