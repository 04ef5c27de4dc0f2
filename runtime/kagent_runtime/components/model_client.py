"""The model client: one shared connection per model, keys from the environment, errors that say what to do.

AutoGen's OpenAI client builds an SSL context per instance (33 ms, 0.8 MB); a fresh team per run needs it shared.
"""

import asyncio
import os
import re
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Literal, NoReturn, Self

from autogen_core import CancellationToken, Component
from autogen_core.models import (
    ChatCompletionClient,
    CreateResult,
    LLMMessage,
    ModelInfo,
    RequestUsage,
)
from autogen_core.tools import Tool, ToolSchema
from autogen_ext.models.openai import OpenAIChatCompletionClient
from openai import APIConnectionError, APIStatusError, APITimeoutError, OpenAIError
from pydantic import BaseModel

from kagent_runtime.engine import Usage
from kagent_runtime.meter import METER
from kagent_runtime.model import ModelClientConfig

COALESCE_SECONDS = 0.05  # each chunk costs AutoGen about a millisecond; nobody reads faster than this
_KEYLESS = "none"  # servers without a key still get a header; the SDK refuses to start without one
_shared: dict[str, OpenAIChatCompletionClient] = {}
_SECRET = re.compile(r"\b(sk-|Bearer )[^\s'\"]+")

ToolChoice = Tool | Literal["auto", "required", "none"]
JsonOutput = bool | type[BaseModel] | None
Chunks = AsyncGenerator[str | CreateResult, None]


class ModelError(Exception):
    """A model call failed. The text is for people: no traceback, no key."""

    title = "The model call failed"


class ModelClient(ChatCompletionClient, Component[ModelClientConfig]):
    """A ChatCompletionClient for the OpenAI chat completions protocol."""

    component_type = "model"
    component_config_schema = ModelClientConfig
    component_provider_override = "kagent_runtime.components.ModelClient"
    takes_response_format = True  # of the OpenAI protocol; see components/structured_output.py

    def __init__(self, config: ModelClientConfig) -> None:
        self._config = config
        self._key = _api_key(config)
        identity = f"{config.model_dump_json()} {hash(self._key)} {os.environ.get('KAGENT_MODEL_BASE_URL')}"
        if identity not in _shared:
            _shared[identity] = _connect(config, self._key)
        self._inner = _shared[identity]

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
        """One answer. Raises ModelError."""
        try:
            result = await self._inner.create(
                messages,
                tools=tools,
                tool_choice=tool_choice,
                json_output=json_output,
                extra_create_args=extra_create_args,
                cancellation_token=cancellation_token,
            )
        except Exception as error:
            self._fail(error)
        return _counted(result)

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
        """Pieces of text and, last, the result. Raises ModelError."""
        chunks = self._inner.create_stream(
            messages,
            tools=tools,
            tool_choice=tool_choice,
            json_output=json_output,
            extra_create_args=extra_create_args,
            cancellation_token=cancellation_token,
            # Usage is zero in a stream unless asked for, and a 400 outside one if put into the config.
            include_usage=True,
        )
        try:
            async for piece in _coalesce(_without_reasoning(chunks)):
                yield piece if isinstance(piece, str) else _counted(piece)
        except Exception as error:
            self._fail(error)

    def _fail(self, error: Exception) -> NoReturn:
        explained = _redact(_explain(error, self._config), self._key)
        failure = ModelError(f"model `{self._config.name}`: {explained}")
        if (meter := METER.get()) is not None:
            meter.failure = failure
        raise failure from None

    async def close(self) -> None:
        """Nothing: the connection is shared by every run of the process."""

    def actual_usage(self) -> RequestUsage:
        """Usage of the shared client since the process started."""
        return self._inner.actual_usage()

    def total_usage(self) -> RequestUsage:
        """Usage of the shared client since the process started."""
        return self._inner.total_usage()

    def count_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """An estimate: AutoGen's counter downloads its vocabulary from the internet."""
        return sum(len(str(message.content)) for message in messages) // 4

    def remaining_tokens(self, messages: Sequence[LLMMessage], *, tools: Sequence[Tool | ToolSchema] = []) -> int:
        """Unknown for most models, so no limit is claimed."""
        return 1_000_000 - self.count_tokens(messages, tools=tools)

    @property
    def capabilities(self) -> ModelInfo:
        """The same as model_info, for older callers."""
        return self.model_info

    @property
    def model_info(self) -> ModelInfo:
        """What the model can do, as the spec says."""
        return _model_info(self._config)

    def _to_config(self) -> ModelClientConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: ModelClientConfig) -> Self:
        return cls(config)


def _model_info(config: ModelClientConfig) -> ModelInfo:
    info = config.model_info
    return ModelInfo(
        vision=info.vision,
        function_calling=info.function_calling,
        json_output=info.json_output,
        family=info.family,
        structured_output=info.structured_output,
        multiple_system_messages=info.multiple_system_messages,
    )


def _api_key(config: ModelClientConfig) -> str:
    if config.api_key_env is None:
        return _KEYLESS
    key = os.environ.get(config.api_key_env)
    if not key and not os.environ.get("KAGENT_MODEL_BASE_URL"):
        raise ModelError(f"model `{config.name}`: the variable {config.api_key_env} is not set")
    return key or _KEYLESS


def _base_url(config: ModelClientConfig) -> str:
    return os.environ.get("KAGENT_MODEL_BASE_URL") or config.base_url


def _connect(config: ModelClientConfig, key: str) -> OpenAIChatCompletionClient:
    return OpenAIChatCompletionClient(
        model=config.model,
        api_key=key,
        base_url=_base_url(config),
        timeout=config.timeout_seconds,
        max_retries=config.max_retries,
        model_info=_model_info(config),
        include_name_in_message=False,  # many compatible servers refuse `name`
        **config.parameters.model_dump(exclude_none=True),
    )


def _counted(result: CreateResult) -> CreateResult:
    if (meter := METER.get()) is not None:
        meter.count(Usage(result.usage.prompt_tokens, result.usage.completion_tokens))
    # Beside a text, a thought is reasoning (which AutoGen also garbles: `lstrip("<think>")` eats letters);
    # beside tool calls it is the text that was streamed with them.
    return result.model_copy(update={"thought": None}) if isinstance(result.content, str) else result


async def _without_reasoning(chunks: Chunks) -> Chunks:
    """AutoGen streams the provider's `reasoning_content` as text between these two marks."""
    is_reasoning = False
    async for chunk in chunks:
        if isinstance(chunk, str) and (is_reasoning or chunk.startswith("<think>")):
            is_reasoning = chunk != "</think>"
        else:
            yield chunk


async def _coalesce(chunks: Chunks) -> Chunks:
    """The first chunk at once, then what came together in a while, so that a slow model is not held back."""
    pending: list[str] = []
    sent = 0.0
    async for chunk in chunks:
        if not isinstance(chunk, str):
            if pending:
                yield "".join(pending)
            yield chunk
            return
        pending.append(chunk)
        if time.monotonic() - sent >= COALESCE_SECONDS:
            yield "".join(pending)
            pending, sent = [], time.monotonic()


def _explain(error: Exception, config: ModelClientConfig) -> str:
    if isinstance(error, asyncio.CancelledError):
        raise error
    if isinstance(error, APITimeoutError):
        return f"no answer within {config.timeout_seconds:g} s, {config.max_retries} retries included"
    if isinstance(error, APIConnectionError):
        return f"cannot reach {_base_url(config)}"
    if isinstance(error, APIStatusError):
        return f"HTTP {error.status_code}: {error.message}"
    if isinstance(error, OpenAIError):
        return str(error)
    return f"{type(error).__name__} while reading the answer"


def _redact(text: str, key: str) -> str:
    if len(key) > 4 and key != _KEYLESS:
        text = text.replace(key, "[redacted]")
    return " ".join(_SECRET.sub(r"\1[redacted]", text).split())[:400]
