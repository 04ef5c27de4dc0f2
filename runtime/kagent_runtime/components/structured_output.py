"""A model client whose final answers are JSON of a schema, with and without tools, in teams and over any provider.

AutoGen's own way (`structured_message_factory`) fails in teams (upstream #6795). And a `response_format` in a call
that offers tools keeps some servers from calling them (vLLM's guided decoding starts with the first token). So a
call with tools only says the schema in the prompt; an answer that does not fit is asked for again, without tools
and with the schema as `response_format` where the protocol has it.
"""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Self

from autogen_core import CancellationToken, Component
from autogen_core.models import (
    AssistantMessage,
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    RequestUsage,
    SystemMessage,
    UserMessage,
)
from autogen_core.tools import Tool, ToolSchema
from pydantic import BaseModel

from kagent_runtime.components.model_client import ModelError
from kagent_runtime.components.model_wrapper import JsonOutput, ModelWrapper, ToolChoice
from kagent_runtime.meter import METER
from kagent_runtime.model.output_schema import Object
from kagent_runtime.output_check import NotOfTheSchemaError, parse

ATTEMPTS = 2


class AnswerError(ModelError):
    """The model's answer is not of the schema, also when asked again."""

    title = "The answer has the wrong form"


class Config(BaseModel):
    """The client, whose form was checked with the whole config: by now there may be a journal around it."""

    model_client: dict[str, Any]
    output_schema: Object


class StructuredOutput(ModelWrapper, Component[Config]):
    """Lets tool calls through, and of texts only JSON that fits."""

    component_type = "model"
    component_config_schema = Config
    component_provider_override = "kagent_runtime.components.StructuredOutput"

    def __init__(self, inner: ChatCompletionClient, schema: dict[str, Any]) -> None:
        self._inner, self._schema = inner, schema

    async def create(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> CreateResult:
        """Tool calls, or an answer of the schema. Raises ModelError."""
        asked = _with_instruction(messages, self._schema)
        used = RequestUsage(prompt_tokens=0, completion_tokens=0)
        for attempt in range(1, ATTEMPTS + 1):
            offered = tools if attempt == 1 else []
            result = await self._inner.create(
                asked,
                tools=offered,
                # Servers refuse a choice where there are no tools.
                tool_choice=tool_choice if offered else "auto",
                extra_create_args=dict(extra_create_args) | ({} if offered else self._response_format()),
                cancellation_token=cancellation_token,
            )
            used = _sum(used, result.usage)
            if not isinstance(result.content, str):
                return result
            try:
                value = parse(result.content, self._schema)
            except NotOfTheSchemaError as error:
                problem = str(error)
                asked = [*asked, *_repair(result.content, problem)]
                continue
            text = json.dumps(value, ensure_ascii=False)
            return result.model_copy(update={"content": text, "usage": used, "thought": None})
        raise _failure(problem)

    async def create_stream(
        self,
        messages: Sequence[LLMMessage],
        *,
        tools: Sequence[Tool | ToolSchema] = [],
        tool_choice: ToolChoice = "auto",
        json_output: JsonOutput = None,
        extra_create_args: Mapping[str, Any] = {},
        cancellation_token: CancellationToken | None = None,
    ) -> AsyncGenerator[str | CreateResult, None]:
        """The answer in one piece: half an object helps nobody, and an attempt may still be replaced."""
        result = await self.create(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
        )
        if isinstance(result.content, str):
            yield result.content
        yield result

    def _response_format(self) -> dict[str, Any]:
        if not self.takes_response_format:
            return {}
        if self.model_info.get("structured_output"):
            shape = {"name": "answer", "schema": self._schema, "strict": _is_strict(self._schema)}
            return {"response_format": {"type": "json_schema", "json_schema": shape}}
        return {"response_format": {"type": "json_object"}} if self.model_info["json_output"] else {}

    def _to_config(self) -> Config:
        raise NotImplementedError("configs are generated, never dumped")

    @classmethod
    def _from_config(cls, config: Config) -> Self:
        inner = ChatCompletionClient.load_component(config.model_client)
        return cls(inner, config.output_schema.model_dump(exclude_none=True))


def _with_instruction(messages: Sequence[LLMMessage], schema: dict[str, Any]) -> list[LLMMessage]:
    """The schema at the end of the system prompt: a second system message is refused by some models."""
    text = (
        "Your final answer is one JSON value of this JSON Schema, and nothing else: no explanation, no Markdown.\n"
        + json.dumps(schema, ensure_ascii=False)
    )
    if messages and isinstance(messages[0], SystemMessage):
        return [SystemMessage(content=f"{messages[0].content}\n\n{text}"), *messages[1:]]
    return [SystemMessage(content=text), *messages]


def _repair(answer: str, problem: str) -> list[LLMMessage]:
    request = f"This is not of the JSON Schema: {problem}. Answer with the corrected JSON only."
    return [
        AssistantMessage(content=answer or "(nothing)", source="assistant"),
        UserMessage(content=request, source="user"),
    ]


def _is_strict(schema: dict[str, Any]) -> bool:
    """OpenAI's strict mode wants every property required."""
    if schema["type"] == "array":
        return _is_strict(schema["items"])
    properties = schema.get("properties", {})
    return set(properties) == set(schema.get("required", ())) and all(map(_is_strict, properties.values()))


def _sum(one: RequestUsage, other: RequestUsage) -> RequestUsage:
    return RequestUsage(
        prompt_tokens=one.prompt_tokens + other.prompt_tokens,
        completion_tokens=one.completion_tokens + other.completion_tokens,
    )


def _failure(problem: str) -> AnswerError:
    failure = AnswerError(f"the answer is not of the output schema, also when asked again: {problem[:400]}")
    if (meter := METER.get()) is not None:
        meter.failure = failure
    return failure
