"""Specs in one form: indentation, spaces and line ends. Comments, quotes and the order of keys stay."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from kagent_render.diagnostics import Diagnostics
from kagent_render.source.discover import SourceFile
from kagent_render.source.document import Document, read_documents

if TYPE_CHECKING:
    from ruamel.yaml import YAML

_OURS = ("kagent.dev/", "render.kagent.dev/")


class FormatterMissingError(Exception):
    """ruamel.yaml is not installed: the compiler itself does without."""


def formatted(file: SourceFile, diagnostics: Diagnostics) -> str | None:
    """The text of a file of specs in its form; None when it holds anything else, or cannot be read.

    What it says is the same before and after, or it stays as it is. Raises FormatterMissingError.
    """
    before = list(read_documents(file, diagnostics))
    is_broken = any(item.span is not None and item.span.path == file.path for item in diagnostics.in_order())
    if is_broken or not before or not all(_is_ours(document) for document in before):
        return None
    text = _round_trip(file.text)
    after = list(read_documents(SourceFile(file.path, text), Diagnostics()))
    return text if [item.data for item in after] == [item.data for item in before] else file.text


def _is_ours(document: Document) -> bool:
    version = document.data.get("apiVersion") if isinstance(document.data, dict) else None
    return isinstance(version, str) and version.startswith(_OURS)


def _round_trip(text: str) -> str:
    yaml = _yaml()
    documents = list(yaml.load_all(text.replace("\r\n", "\n")))
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return _with_comments_in_line(out.getvalue()).strip("\n") + "\n"


def _with_comments_in_line(text: str) -> str:
    """ruamel leaves the lines of comments where they were: they go to the indentation of what they are about."""
    lines, held = text.split("\n"), _lines_of_texts(text)
    indentation = 0
    for number in range(len(lines) - 1, -1, -1):
        bare = lines[number].lstrip()
        if number in held:
            continue
        if bare.startswith("#"):
            lines[number] = " " * indentation + bare
        elif bare:
            indentation = len(lines[number]) - len(bare)
    return "\n".join(line if number in held else line.rstrip() for number, line in enumerate(lines))


def _lines_of_texts(text: str) -> set[int]:
    """The lines after the first of scalars that have several: a `#` is no comment there."""
    import yaml

    return {
        number
        for token in yaml.scan(text, yaml.CSafeLoader)
        if isinstance(token, yaml.ScalarToken)
        for number in range(token.start_mark.line + 1, token.end_mark.line + (token.end_mark.column > 0))
    }


def _yaml() -> YAML:
    try:
        from ruamel.yaml import YAML
    except ImportError:
        raise FormatterMissingError from None
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 120
    yaml.indent(mapping=2, sequence=4, offset=2)
    yaml.brace_single_entry_mapping_in_flow_sequence = True
    return yaml
