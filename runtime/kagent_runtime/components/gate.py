"""A workbench around another one: it counts calls, holds those that a person must approve, journals them, never raises.

AutoGen's AssistantAgent waits for ever when a workbench raises (upstream #7956), so every workbench gets one.
"""

import copy
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self, runtime_checkable

from autogen_core import CancellationToken, Component
from autogen_core.tools import TextResultContent, ToolResult, ToolSchema, Workbench
from pydantic import BaseModel

from kagent_runtime import audit
from kagent_runtime.approvals import APPROVALS, APPROVED_PREVIEW, Decision
from kagent_runtime.journal import CALL, JOURNAL, UNKNOWN, Call, Slot, fingerprint_of
from kagent_runtime.meter import METER, LimitReached

_log = logging.getLogger(__name__)


class GateConfig(BaseModel):
    """The workbench, whose it is, which of its tools need an approval, which only read, and which find a call again."""

    workbench: dict[str, Any]
    agent: str
    requires_approval: list[str]
    place: str = ""
    repeatable: list[str] = []
    traceable: list[str] = []


@dataclass(frozen=True, slots=True)
class _Call:
    """One call on its way: as it was asked for, its place in the journal, and its line of the audit log."""

    name: str
    arguments: dict[str, Any]
    token: CancellationToken | None
    id: str
    entry: audit.Entry
    slot: Slot | None = None
    approved_preview: str | None = None


@runtime_checkable
class Previewing(Protocol):
    """A workbench that can tell what a call would change."""

    async def preview(
        self, name: str, arguments: Mapping[str, Any], token: CancellationToken | None
    ) -> tuple[str | None, bool]:
        """What it would change, or why it cannot be; and whether that is an error."""


class Gate(Workbench, Component[GateConfig]):
    """Lets calls through to `inner` when nothing is against it."""

    component_type = "workbench"
    component_config_schema = GateConfig
    component_provider_override = "kagent_runtime.components.Gate"

    def __init__(
        self,
        inner: Workbench,
        agent: str,
        requires_approval: frozenset[str],
        place: str = "",
        repeatable: frozenset[str] = frozenset(),
        traceable: frozenset[str] = frozenset(),
    ) -> None:
        self._inner, self._agent, self._place = inner, agent, place
        self._requires_approval, self._repeatable, self._traceable = requires_approval, repeatable, traceable
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
            # A copy: what was approved is what runs, whatever happens to the caller's own.
            call = _Call(name, copy.deepcopy(dict(given)), cancellation_token, call_id or "", entry)
            return await self._answered(call)

    async def _answered(self, call: _Call) -> ToolResult:
        try:
            # Before anything else: calls made at once get their numbers in the order in which they were asked for.
            call = replace(call, slot=self._slot(call))
            if call.slot is not None and call.slot.outcome is not None:
                call.entry.outcome = "recorded"
                return _again(call.slot.outcome)
            return await self._admitted(call)
        except LimitReached as reached:
            return _refused(call.name, f"not run: {reached}")
        except Exception as error:
            _log.error("a workbench failed", extra={"tool": call.name, "error": type(error).__name__})
            return _refused(call.name, f"the tool failed: {type(error).__name__}")

    def _slot(self, call: _Call) -> Slot | None:
        if (journal := JOURNAL.get()) is None:
            return None
        fingerprint = fingerprint_of([call.name, call.arguments])
        return journal.slot("tool", f"{self._place} {call.id}", fingerprint, about=call.name)

    async def _admitted(self, call: _Call) -> ToolResult:
        meter = METER.get()
        if meter is not None:
            meter.admit_tool_call()
        if call.name in self._requires_approval:
            preview, is_error = await self._preview(call)
            if is_error:
                return _refused(call.name, preview or "")
            decision = await self._approval(call, preview)
            call.entry.decided(decision.verdict, decision.by, decision.subject)
            if decision.verdict != "approve":
                return _refused(call.name, _denial(decision))
            call = replace(call, approved_preview=decision.preview)
        if meter is not None:
            meter.admit_tool_call()  # again: other calls ran while this one waited
            meter.tool_calls += 1
        result = await self._journaled(call)
        if call.slot is not None:
            await call.slot.finish(result.model_dump_json())
        return result

    async def _journaled(self, call: _Call) -> ToolResult:
        if call.slot is not None and call.name not in self._repeatable:
            if call.slot.is_unknown and call.name not in self._traceable:
                return _refused(call.name, UNKNOWN)
            await call.slot.begin()
        call.entry.outcome = "error"
        approved = APPROVED_PREVIEW.set(call.approved_preview)
        made = CALL.set(Call(call.slot.id, call.slot.is_unknown) if call.slot else None)
        try:
            result = await self._inner.call_tool(call.name, call.arguments, call.token, call.id)
        finally:
            CALL.reset(made)
            APPROVED_PREVIEW.reset(approved)
        call.entry.outcome = "error" if result.is_error else "ok"
        return result

    async def _preview(self, call: _Call) -> tuple[str | None, bool]:
        """What the call would change, where its workbench can tell; a call that would fail is asked of nobody."""
        if not isinstance(self._inner, Previewing):
            return None, False
        return await self._inner.preview(call.name, call.arguments, call.token)

    async def _approval(self, call: _Call, preview: str | None) -> Decision:
        approvals = APPROVALS.get()
        if approvals is None:
            return Decision("deny", "expiry", "there is nobody to approve it")
        return await approvals.ask(call.id, self._agent, call.name, call.arguments, call.token, preview)

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
        approvals, repeatable = frozenset(config.requires_approval), frozenset(config.repeatable)
        return cls(inner, config.agent, approvals, config.place, repeatable, frozenset(config.traceable))


def _again(outcome: str) -> ToolResult:
    """The result of a call that was made before the process ended."""
    if (meter := METER.get()) is not None:
        meter.tool_calls += 1
    return ToolResult.model_validate_json(outcome)


def _denial(decision: Decision) -> str:
    if decision.by == "person":
        reason = f": {decision.reason}" if decision.reason else ""
        return f"a person denied this call{reason}. Do not try it again unless you are asked to."
    return f"the call was not approved: {decision.reason}"


def _refused(name: str, text: str) -> ToolResult:
    return ToolResult(name=name, result=[TextResultContent(content=text)], is_error=True)
