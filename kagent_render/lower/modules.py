"""Python modules that tools name: of the Platform's closed list, and no two of one name."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.catalog.tools.python import NAME, PythonBlock
from kagent_render.catalog.tools.python_file import stem
from kagent_render.catalog.tools.python_names import is_module_name
from kagent_render.diagnostics import Diagnostics, Label, Span, did_you_mean
from kagent_render.resolve import Graph, ToolNode


def check_modules(graph: Graph, diagnostics: Diagnostics) -> None:
    """KR368 for what the Platform does not list, KR383 for a file that another module hides."""
    named = [item for tool in graph.tools for item in _named(tool)]
    listed = graph.platform.python.modules
    installed = {module.partition(".")[0] for module, path, _ in named if not path}
    installed |= {name.partition(".")[0] for name in listed if "." in name}
    first: dict[str, tuple[str, Span]] = {}
    for module, path, span in named:
        if module not in listed and (not path or is_module_name(module)):
            add = f"add it to the Platform: python: {{modules: [{module}]}}"
            help = did_you_mean(module, listed) or add
            diagnostics.add("KR368", f"the Platform does not list the module `{module}`", span, help=help)
        if path and module in installed:
            message = f"`{module}` is an installed module too, which would be imported in place of the file"
            diagnostics.add("KR383", message, span, help="rename the file")
        other, place = first.setdefault(module, (path, span)) if path else (path, span)
        if other != path:
            message = f"{other} and {path} are both imported as `{module}`"
            label = Label(place, "the other one")
            diagnostics.add("KR383", message, span, labels=[label], help="rename one of them")


def _named(tool: ToolNode) -> Iterator[tuple[str, str, Span]]:
    """The modules of a tool: name, the path of a file (none: it is installed), and where that is said."""
    block: PythonBlock | None = tool.declaration.block if tool.type == NAME else None
    if block is None or tool.document is None:
        return
    if block.module is not None:
        yield block.module, "", tool.document.span_of(("spec", NAME, "module"))
    files = tool.declaration.code.files if tool.declaration.code else ()
    for (place, _), file in zip(block.places(), files, strict=False):  # none of them, if one cannot be read
        yield stem(file), file.path, tool.document.span_of(("spec", *place))
