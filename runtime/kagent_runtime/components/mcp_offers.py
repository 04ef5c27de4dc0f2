"""A tool of an MCP server as a model gets it: what was locked of it, or else what its server says now."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from autogen_core.tools import ParametersSchema, ToolSchema

from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.mcp_schemas import SchemaError, defect, fixed_defect, visible
from kagent_runtime.components.texts import printable
from kagent_runtime.model import McpLockedTool, McpServer

if TYPE_CHECKING:
    import mcp_types as types

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Offer:
    """One tool. `schema` is whole; `fixed` are the arguments in it that the spec gives."""

    name: str
    description: str
    schema: Mapping[str, Any]
    fixed: Mapping[str, Any]
    is_locked: bool

    def shown(self) -> ToolSchema:
        """The tool for a model, which sees nothing of what is fixed."""
        parameters = cast(ParametersSchema, visible(self.schema, self.fixed))
        return ToolSchema(name=self.name, description=self.description, parameters=parameters)

    def obstacle(self) -> str | None:
        """Why it cannot be called at all: its fixed arguments are none of it."""
        problem = fixed_defect(self.fixed, self.schema) if self.fixed else None
        return f"`{self.name}` cannot be called as the spec says: {problem}" if problem else None

    def arguments(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is sent. Raises ToolFailureError for arguments that the locked schema does not take."""
        if obstacle := self.obstacle():
            raise ToolFailureError(obstacle)
        if taken := next((name for name in given if name in self.fixed), None):
            raise ToolFailureError(f"`{taken}` is not an argument of `{self.name}`")
        whole = {**given, **self.fixed}
        if self.is_locked and (problem := self._defect(whole)):
            raise ToolFailureError(f"`{self.name}` was not called: {problem}")
        return whole

    def _defect(self, whole: Mapping[str, Any]) -> str | None:
        try:
            return defect(whole, self.schema)
        except SchemaError as error:
            return f"its locked schema cannot be used ({error})"


def locked_tool(server: McpServer, name: str) -> McpLockedTool | None:
    """What is locked of a tool; None when nothing is."""
    return next((tool for tool in server.locked or () if tool.name == name), None)


def locked_offer(server: McpServer, name: str) -> Offer | None:
    """The tool as it was locked, if it was."""
    tool = locked_tool(server, name)
    return Offer(name, tool.description, tool.input_schema, _fixed(server, name), True) if tool else None


def offer_of(server: McpServer, name: str, live: types.Tool) -> Offer:
    """The tool as it was locked; without a lock as its server describes it."""
    found = locked_offer(server, name)
    return found or Offer(name, live.description or "", live.input_schema, _fixed(server, name), False)


def preview_of(server: McpServer, name: str) -> str | None:
    """What a person is to know who approves a call, besides the arguments that the model gives."""
    texts = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in _fixed(server, name).items()]
    return printable("always sent with it: " + ", ".join(texts)) if texts else None


def _fixed(server: McpServer, name: str) -> Mapping[str, Any]:
    return (server.fixed or {}).get(name, {})


def warn_of_change(server: McpServer, live: types.Tool, told: set[str]) -> None:
    """One line of the log for a tool that is not as it was locked; its words stay out of it. `told` remembers."""
    locked = locked_tool(server, live.name)
    if locked is None or live.name in told:
        return
    now = (live.description or "", live.input_schema)
    if _json((locked.description, locked.input_schema)) != _json(now):
        told.add(live.name)
        extra = {"server": server.name, "tool": live.name}
        _log.warning("an MCP server describes a tool otherwise than it was locked", extra=extra)


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
