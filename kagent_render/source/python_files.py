"""The code of python tools: `python.file` and `python.imports`, read as text. Nothing of it is ever imported here."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from kagent_render.diagnostics import Diagnostics
from kagent_render.source.discover import SourceFile
from kagent_render.source.document import Document, Location, PythonFiles
from kagent_render.source.named_files import Form, NamedFiles

SUFFIXES = (".py",)
_FORM = Form("Python file", "Python files", SUFFIXES)


def read_python_files(
    documents: Sequence[Document], paths: Sequence[str], diagnostics: Diagnostics
) -> tuple[list[Document], list[SourceFile]]:
    """The documents with the code that they name, and the files read. `paths` are those of the command line."""
    reader = NamedFiles(_FORM, paths, diagnostics)
    return [_with_code(document, reader) for document in documents], list(reader.files.values())


def _with_code(document: Document, reader: NamedFiles) -> Document:
    """The document itself when it names no file, or one that cannot be used, which is reported."""
    spec = document.data.get("spec") if isinstance(document.data, dict) else None
    block = spec.get("python") if isinstance(spec, dict) and document.data.get("kind") == "Tool" else None
    named = list(_named(block)) if isinstance(block, dict) else []
    found = [reader.read(name, document.span_of(("spec", "python", *place))) for place, name in named]
    files = tuple(file for file in found if file is not None)
    if not files or len(files) < len(named):
        return document
    return replace(document, code=PythonFiles(files, _beside(files)))


def _named(block: dict[str, Any]) -> Iterator[tuple[Location, str]]:
    """The file of the function, then those it imports. Anything else is for the decoder to refuse."""
    imports = block.get("imports", [])
    if isinstance(block.get("file"), str) and isinstance(imports, list) and "module" not in block:
        yield ("file",), block["file"]
        yield from ((("imports", i), name) for i, name in enumerate(imports) if isinstance(name, str))


def _beside(files: Sequence[SourceFile]) -> frozenset[str]:
    """The modules that a person sees beside the files, whether they are named or not."""
    found: set[str] = set()
    for folder in {Path(file.path).parent for file in files}:
        with suppress(OSError):  # a path that is shown leads elsewhere than the real one, where folders are links
            found |= {Path(name).stem for name in os.listdir(folder) if name.endswith(SUFFIXES)}
    return frozenset(found)
