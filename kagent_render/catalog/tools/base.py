"""What every tool type is, and the parameters a Tool document may declare."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from pydantic import Field

from kagent_render.catalog.base import Component, LoweredTool, Problem
from kagent_render.catalog.fields import SpecModel, Text
from kagent_render.source import PythonFiles
from kagent_render.source.tool_lock import LockedTool

ParameterType = Literal["string", "integer", "number", "boolean"]


class Parameter(SpecModel):
    """One argument that the model may give."""

    type: ParameterType = Field(description="JSON type of the argument.")
    description: Text = Field(description="What the model reads to fill it in.")
    required: bool | None = Field(default=None, description="Default: as the built-in operation has it.")
    enum: list[str] | None = Field(default=None, min_length=1, description="The only values the model may give.")
    default: str | int | float | bool | None = Field(default=None, description="Used when the model gives none.")


@dataclass(frozen=True, slots=True)
class ToolDeclaration:
    """A Tool document, or a built-in without one, as its tool type sees it."""

    name: str
    description: str | None
    parameters: Mapping[str, Parameter] | None
    block: Any
    # The blocks of all types that the document has: one of another type is a mistake.
    blocks: tuple[str, ...] = ()
    code: PythonFiles | None = None
    # Of an MCP server: what tools.lock has of it; None when there is no lock.
    locked: Mapping[str, LockedTool] | None = None


@dataclass(frozen=True, slots=True)
class Builtin:
    """A tool that needs no document."""

    type: str
    summary: str


class ToolType(Protocol):
    """A module of `catalog/tools`."""

    NAME: str
    BUILTINS: dict[str, Builtin]

    def check(self, tool: ToolDeclaration) -> Iterable[Problem]:
        """The defects of a declaration, with their places below `spec`."""

    def lower(self, tool: ToolDeclaration) -> LoweredTool:
        """What granting the tool means. Only called for a declaration without defects."""

    def workbench(self, tools: list[LoweredTool]) -> Component:
        """The AutoGen workbench that offers these tools of one agent."""
