"""Which tools of an MCP server an agent gets: names, and arguments that the spec gives in place of the model."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import Discriminator, Field, Tag

from kagent_render.catalog.fields import SpecModel, Text


class McpChoice(SpecModel):
    """A tool of the server, with arguments that are always sent, and that the model neither sees nor gives."""

    name: Text = Field(description="Name of the tool.")
    arguments: dict[Text, Any] = Field(default_factory=dict, description="Arguments with their values, as JSON.")


def _form(value: Any) -> str:
    return "choice" if isinstance(value, dict | McpChoice) else "name"


McpTool = Annotated[Annotated[Text, Tag("name")] | Annotated[McpChoice, Tag("choice")], Discriminator(_form)]


def names_of(tools: Sequence[str | McpChoice]) -> list[str]:
    """The names, in the order of the spec."""
    return [tool if isinstance(tool, str) else tool.name for tool in tools]


def fixed_of(tools: Sequence[str | McpChoice]) -> dict[str, Mapping[str, Any]]:
    """The fixed arguments, by the name of their tool."""
    return {tool.name: tool.arguments for tool in tools if isinstance(tool, McpChoice) and tool.arguments}
