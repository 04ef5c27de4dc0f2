"""The model of demo mode: deterministic, calls no LLM, says so, and uses the tools and handoffs it is offered."""

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, Self

from autogen_core import CancellationToken, Component, FunctionCall
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    FunctionExecutionResultMessage,
    LLMMessage,
    ModelCapabilities,  # type: ignore[deprecated, unused-ignore]
    ModelFamily,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from kagent_runtime.demo import answers, conversation, planning, tool_calls, turns
from kagent_runtime.demo.roles import PROVIDER, ReplayConfig, with_replay_models

__all__ = ["ReplayModel", "with_replay_models"]

CONTEXT_TOKENS = 128_000
_WORDS = re.compile(r"\S+\s*|\s+")


class ReplayModel(ChatCompletionClient, Component[ReplayConfig]):
    """A chat model that composes its answers from its place in the team and from what the tools return."""

    component_type = "model"
    component_config_schema = ReplayConfig
    component_provider_override = PROVIDER

    def __init__(self, config: ReplayConfig) -> None:
        self._replay = config
        self._usage = RequestUsage(prompt_tokens=0, completion_tokens=0)

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Answer at once."""
        content = self._content(messages, [] if tool_choice == "none" else [_schema(tool) for tool in tools])
        usage = RequestUsage(prompt_tokens=self.count_tokens(messages), completion_tokens=_words(content))
        self._usage = RequestUsage(
            prompt_tokens=self._usage.prompt_tokens + usage.prompt_tokens,
            completion_tokens=self._usage.completion_tokens + usage.completion_tokens,
        )
        reason: Literal["stop", "function_calls"] = "stop" if isinstance(content, str) else "function_calls"
        return CreateResult(finish_reason=reason, content=content, usage=usage, cached=False)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = (),
        tool_choice: Tool | Literal["auto", "required", "none"] = "auto",
        json_output: bool | type[BaseModel] | None = None,
        extra_create_args: Mapping[str, Any] | None = None,
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """Answer word by word; raises CancelledError when the token is cancelled."""
        result = await self.create(messages, tools=tools, tool_choice=tool_choice)
        if isinstance(result.content, str):
            for word in _WORDS.findall(result.content):
                if cancellation_token is not None and cancellation_token.is_cancelled():
                    raise asyncio.CancelledError
                yield word
                await asyncio.sleep(self._replay.word_delay_ms / 1000)
        yield result

    def _content(self, messages: Sequence[LLMMessage], tools: list[ToolSchema]) -> str | list[FunctionCall]:
        config = self._replay
        if config.role == "selector":
            return turns.select(config, messages)
        if config.role == "orchestrator":
            return planning.answer(config, messages)
        talk = conversation.read(messages, ignore=frozenset(config.handoffs))
        ending = turns.ends_now(config, talk)
        if talk.own_texts:
            handoff = self._handoff(talk, tools)
            return [_call(config, messages, handoff, {})] if handoff else answers.later_answer(config, ending=ending)
        work = [tool_calls.offered(tool, config.tools) for tool in tools if tool["name"] not in config.handoffs]
        call = tool_calls.next_call(work, talk)
        return [_call(config, messages, *call)] if call else answers.first_answer(config, talk, ending=ending)

    def _handoff(self, talk: conversation.Conversation, tools: list[ToolSchema]) -> str | None:
        hop = turns.next_hop(self._replay, talk)
        return next((t["name"] for t in tools if hop and self._replay.handoffs.get(t["name"]) == hop), None)

    async def close(self) -> None:
        """Nothing to close."""

    def actual_usage(self) -> RequestUsage:
        """Usage estimated from words."""
        return self._usage

    def total_usage(self) -> RequestUsage:
        """Usage estimated from words."""
        return self._usage

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """The number of words in the messages."""
        return sum(_words(message.content) for message in messages)

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = ()) -> int:
        """What a usual context window would have left."""
        return max(0, CONTEXT_TOKENS - self.count_tokens(messages))

    @property
    def capabilities(self) -> ModelCapabilities:  # type: ignore[deprecated, unused-ignore]
        """Deprecated upstream, still abstract."""
        return {"vision": False, "function_calling": True, "json_output": False}

    @property
    def model_info(self) -> ModelInfo:
        """Tool calling only."""
        return {
            "vision": False,
            "function_calling": True,
            "json_output": False,
            "family": ModelFamily.UNKNOWN,
            "structured_output": False,
            "multiple_system_messages": True,
        }

    def _to_config(self) -> ReplayConfig:
        return self._replay

    @classmethod
    def _from_config(cls, config: ReplayConfig) -> Self:
        return cls(config)


def _schema(tool: Tool | ToolSchema) -> ToolSchema:
    return tool.schema if isinstance(tool, Tool) else tool


def _call(config: ReplayConfig, messages: Sequence[LLMMessage], name: str, arguments: dict[str, Any]) -> FunctionCall:
    # Numbered by what was answered before, so that ids stay unique across the questions of a session.
    number = sum(len(m.content) for m in messages if isinstance(m, FunctionExecutionResultMessage)) + 1
    return FunctionCall(id=f"replay-{config.agent}-{number}", name=name, arguments=json.dumps(arguments))


def _words(content: object) -> int:
    return len(content.split()) if isinstance(content, str) else len(str(content).split())
