"""A workbench around another one: counts its calls, holds those that a person must approve, and never raises.

AutoGen's AssistantAgent waits for ever when a workbench raises (upstream #7956), so every workbench gets one.
"""

import copy
import logging
from collections.abc import Mapping
from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from pydantic import BaseModel

from kagent_runtime import audit
from kagent_runtime.approvals import APPROVALS, Decision
from kagent_runtime.meter import METER, LimitReached

_log = logging.getLogger(__name__)


class GateConfig(BaseModel):
    """The workbench it is around, whose it is, and which of its tools need an approval."""

    workbench: dict[str, Any]
    agent: str
    requires_approval: list[str]


class Gate(Workbench, Component[GateConfig]):
    """Lets calls through to `inner` when nothing is against it."""

    component_type = "workbench"
    component_config_schema = GateConfig
    component_provider_override = "kagent_runtime.components.Gate"

    def __init__(self, inner: Workbench, agent: str, requires_approval: frozenset[str]) -> None:
        self._inner, self._agent, self._requires_approval = inner, agent, requires_approval
        self._listed: list[ToolSchema] | None = None

    async def list_tools(self) -> list[ToolSchema]:
        """The tools; those of the last time when the workbench cannot say. Raises what it raises the first time."""
        try:
            self._listed = await self._inner.list_tools()
        except Exception as error:
            if self._listed is None:
                raise
            _log.warning("a workbench does not list its tools", extra={"error": type(error).__name__})
        return self._listed

    async def call_tool(
        self,
        name: str,
        arguments: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
        call_id: str | None = None,
    ) -> ToolResult:
        """Call a tool. A call that is refused, or fails, is a result with `is_error`."""
        given = arguments if isinstance(arguments, Mapping) else {}
        with audit.tool_call(self._agent, name, call_id, given) as entry:
            if arguments is not None and not isinstance(arguments, Mapping):
                return _refused(name, "the arguments must be a JSON object")
            return await self._call(name, given, cancellation_token, call_id, entry)

    async def _call(
        self,
        name: str,
        arguments: Mapping[str, Any],
        cancellation_token: CancellationToken | None,
        call_id: str | None,
        entry: audit.Entry,
    ) -> ToolResult:
        # A copy: what was approved is what runs, whatever happens to the caller's own.
        approved = copy.deepcopy(dict(arguments))
        try:
            meter = METER.get()
            if meter is not None:
                meter.admit_tool_call()
            if name in self._requires_approval:
                decision = await self._approval(name, approved, cancellation_token, call_id or "")
                entry.decided(decision.verdict, decision.by, decision.subject)
                if decision.verdict != "approve":
                    return _refused(name, _denial(decision))
            if meter is not None:
                meter.admit_tool_call()  # again: other calls ran while this one waited
                meter.tool_calls += 1
            entry.outcome = "error"
            result = await self._inner.call_tool(name, approved, cancellation_token, call_id)
            entry.outcome = "error" if result.is_error else "ok"
            return result
        except LimitReached as reached:
            return _refused(name, f"not run: {reached}")
        except Exception as error:
            _log.error("a workbench failed", extra={"tool": name, "error": type(error).__name__})
            return _refused(name, f"the tool failed: {type(error).__name__}")

    async def _approval(
        self, name: str, arguments: dict[str, Any], token: CancellationToken | None, call_id: str
    ) -> Decision:
        approvals = APPROVALS.get()
        if approvals is None:
            return Decision("deny", "expiry", "there is nobody to approve it")
        return await approvals.ask(call_id, self._agent, name, arguments, token)

    async def start(self) -> None:
        """Start the workbench."""
        await self._inner.start()

    async def stop(self) -> None:
        """Stop the workbench."""
        await self._inner.stop()

    async def reset(self) -> None:
        """Reset the workbench."""
        await self._inner.reset()

    async def save_state(self) -> Mapping[str, Any]:
        """The workbench's."""
        return await self._inner.save_state()

    async def load_state(self, state: Mapping[str, Any]) -> None:
        """The workbench's."""
        await self._inner.load_state(state)

    def _to_config(self) -> GateConfig:
        raise NotImplementedError("configs are generated, never dumped")

    @classmethod
    def _from_config(cls, config: GateConfig) -> Self:
        inner: Workbench = Workbench.load_component(config.workbench)
        return cls(inner, config.agent, frozenset(config.requires_approval))


def _denial(decision: Decision) -> str:
    if decision.by == "person":
        reason = f": {decision.reason}" if decision.reason else ""
        return f"a person denied this call{reason}. Do not try it again unless you are asked to."
    return f"the call was not approved: {decision.reason}"


def _refused(name: str, text: str) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)
