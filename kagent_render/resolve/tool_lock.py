"""What is wrong in `tools.lock` itself: schemas that no model takes, and what nobody uses any more."""

from __future__ import annotations

from collections.abc import Mapping

from kagent_render.catalog.tools.mcp_choice import names_of
from kagent_render.catalog.tools.mcp_schema import flaws
from kagent_render.diagnostics import Diagnostics
from kagent_render.resolve.graph import Graph
from kagent_render.source.tool_lock import LockedServer, key_of

_AGAIN = "run `kagent-render lock` again"


def check_tool_lock(graph: Graph, servers: Mapping[str, LockedServer], diagnostics: Diagnostics) -> None:
    """KR374 and KR375, at their places in the lock."""
    # A document with a defect is not in the graph: what is locked for it is not left over.
    looks_for_left_overs = not diagnostics.has_errors
    wanted = wanted_tools(graph)
    for key, server in servers.items():
        if key not in wanted and looks_for_left_overs:
            diagnostics.add("KR375", f"there is no Tool `{key}` of type mcp", server.span, help=_AGAIN)
        for name, tool in server.tools.items() if key in wanted else ():
            if name not in wanted[key]:
                diagnostics.add("KR375", f"`{key}` does not list `{name}`", tool.span_of(("name",)), help=_AGAIN)
                continue
            for location, message in flaws(tool.schema):
                help = "its server has to mend it; until then take the tool out of `mcp.tools`"
                diagnostics.add("KR374", message, tool.span_of(("inputSchema", *location)), help=help)


def wanted_tools(graph: Graph) -> dict[str, list[str]]:
    """The tools that Tool documents of type mcp list, by the name of the document in a lock."""
    found: dict[str, list[str]] = {}
    for tool in graph.tools:
        if tool.type == "mcp" and tool.document is not None and tool.declaration.block is not None:
            namespace = tool.document.data["metadata"].get("namespace")
            found[key_of(namespace, tool.declaration.name)] = names_of(tool.declaration.block.tools)
    return found
