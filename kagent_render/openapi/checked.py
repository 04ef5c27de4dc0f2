"""A Tool as `kagent-render check` sees it: what it would refuse is not written."""

from __future__ import annotations

from kagent_render.diagnostics import Diagnostics
from kagent_render.diagnostics.model import Severity
from kagent_render.lower.agent import check_tools
from kagent_render.resolve import link
from kagent_render.source import SourceFile, read_documents
from kagent_render.specs.decode import decode
from kagent_render.specs.secrets import check_secrets


def defects_of(name: str, text: str) -> list[tuple[str, str | None]]:
    """What is wrong with the text of a Tool, and the help for it."""
    own = Diagnostics()
    documents = read_documents(SourceFile(f"{name}.yaml", text, explicit=True), own)
    check_secrets(documents, own)
    check_tools(link(decode(documents, own), own).tools, own)
    return [(item.message, item.help) for item in own.in_order() if item.severity is Severity.ERROR]
