"""Tool type `python`: a function of a module in the runtime image, from a closed list that the Platform keeps.

A config names code here, so naming is not enough: the Deployment carries the list, and nothing else is imported.
"""

import re
from collections.abc import Iterable

from pydantic import Field

from kagent_render.catalog.base import Component, LoweredTool, Problem, component
from kagent_render.catalog.fields import PythonModule, SpecModel, VariableName
from kagent_render.catalog.tools.base import Builtin, ToolDeclaration
from kagent_render.catalog.tools.parameters import check_parameters, schema_of

NAME = "python"
BUILTINS: dict[str, Builtin] = {}
_PYTHON_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")


class PythonBlock(SpecModel):
    """Which function."""

    module: PythonModule = Field(description="Dotted name; the Platform has to list it in `python.modules`.")
    function: VariableName = Field(description="Name of the function.")
    timeout_seconds: float = Field(default=30, gt=0, le=3600, description="One call.")


def check(tool: ToolDeclaration) -> Iterable[Problem]:
    """A missing block, and parameters that no function could have."""
    if tool.block is None:
        yield Problem("KR102", "the block `python` is missing", (), "add python: {module: …, function: …}")
        return
    parameters = tool.parameters or {}
    yield from check_parameters(parameters)
    for name in parameters:
        if not _PYTHON_NAME.match(name):
            help = f"rename it to `{name.replace('-', '_')}`, in the function too"
            yield Problem("KR105", f"`{name}` cannot be an argument in Python", ("parameters", name), help)


def lower(tool: ToolDeclaration) -> LoweredTool:
    """The function as the runtime finds it."""
    config = {
        "name": tool.name,
        "description": tool.description or "",
        "parameters": schema_of(tool.parameters or {}),
        "module": tool.block.module,
        "function": tool.block.function,
        "timeout_seconds": float(tool.block.timeout_seconds),
        "max_bytes": 65536,
    }
    return LoweredTool(tool.name, NAME, config, modules=frozenset({tool.block.module}))


def workbench(tools: list[LoweredTool]) -> Component:
    """One workbench for all python tools of an agent."""
    return component("kagent_runtime.components.PythonTools", "workbench", {"tools": [tool.config for tool in tools]})
