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
from pydantic import BaseModel

from kagent_runtime.components.models.base import Connected, ModelError, files_version, model_info, secrets
from kagent_runtime.components.models.registry import connect
from kagent_runtime.meter import METER
from kagent_runtime.model import ModelClientConfig
from kagent_runtime.model.model_client import Pricing
from kagent_runtime.prices import usage_of

COALESCE_SECONDS = 0.05  # each chunk costs AutoGen about a millisecond; nobody reads faster than this
_KEYLESS = "none"  # servers without a key still get a header; the SDK refuses to start without one
_shared: dict[str, tuple[object, Connected]] = {}
_SECRET = re.compile(r"\b(sk-|Bearer )[^\s'\"]+")

__all__ = ["ModelClient", "ModelError"]
ToolChoice = Tool | Literal["auto", "required", "none"]
JsonOutput = bool | type[BaseModel] | None
Chunks = AsyncGenerator[str | CreateResult, None]


class ModelClient(ChatCompletionClient, Component[ModelClientConfig]):
    """A ChatCompletionClient for every provider."""

    component_type = "model"
    component_config_schema = ModelClientConfig
    component_provider_override = "kagent_runtime.components.ModelClient"

    def __init__(self, config: ModelClientConfig) -> None:
        self._config = config
        self._key = _api_key(config)
        self._connected = _connected(config, self._key)
        self._inner = self._connected.new_client()

    @property
    def takes_response_format(self) -> bool:
        """Of the OpenAI protocol; see components/structured_output.py."""
        return self._connected.takes_response_format

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
        return self._counted(result)

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
            **self._connected.stream_arguments,
        )
        try:
            async for piece in _coalesce(_without_reasoning(chunks)):
                yield piece if isinstance(piece, str) else self._counted(piece)
        except Exception as error:
            self._fail(error)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """The vector of every text. Raises ModelError."""
        try:
            answer = await self._connected.embeddings.create(
                model=self._config.model, input=list(texts), encoding_format="float"
            )
            vectors = [item.embedding for item in sorted(answer.data, key=lambda item: item.index)]
            if len({len(vector) for vector in vectors}) != 1 or len(vectors) != len(texts):
                raise ModelError("the answer does not have one vector for each text, all of one length")
        except ModelError:
            raise
        except Exception as error:
            self._fail(error)
        if (meter := METER.get()) is not None and answer.usage is not None:
            meter.count(usage_of(answer.usage.prompt_tokens, 0, self.pricing))
        return vectors

    def _fail(self, error: Exception) -> NoReturn:
        explained = _redact(_explain(error, self._config), secrets(self._config, self._key))
        failure = ModelError(f"model `{self._config.name}`: {explained}")
        if (meter := METER.get()) is not None:
            meter.failure = failure
        raise failure from None

    @property
    def pricing(self) -> Pricing | None:
        """What its tokens cost."""
        return self._config.pricing

    def _counted(self, result: CreateResult) -> CreateResult:
        if (meter := METER.get()) is not None:
            meter.count(usage_of(result.usage.prompt_tokens, result.usage.completion_tokens, self.pricing))
        # Beside a text, a thought is reasoning (which AutoGen also garbles: `lstrip("<think>")` eats letters);
        # beside tool calls it is the text that was streamed with them.
        return result.model_copy(update={"thought": None}) if isinstance(result.content, str) else result

    async def close(self) -> None:
        """Nothing: the connection is shared by every run of the process."""

    def actual_usage(self) -> RequestUsage:
        """Usage of the shared client since the process started."""
        usage: RequestUsage = self._inner.actual_usage()
        return usage

    def total_usage(self) -> RequestUsage:
        """Usage of the shared client since the process started."""
        usage: RequestUsage = self._inner.total_usage()
        return usage

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
        return model_info(self._config)

    def _to_config(self) -> ModelClientConfig:
        return self._config

    @classmethod
    def _from_config(cls, config: ModelClientConfig) -> Self:
        return cls(config)


def _api_key(config: ModelClientConfig) -> str:
    if config.api_key_env is None:
        return _KEYLESS
    key = os.environ.get(config.api_key_env)
    if not key and not os.environ.get("KAGENT_MODEL_BASE_URL"):
        raise ModelError(f"model `{config.name}`: the variable {config.api_key_env} is not set")
    return key or _KEYLESS


def _connected(config: ModelClientConfig, key: str) -> Connected:
    """The shared connection; a new one when a certificate was renewed."""
    override = os.environ.get("KAGENT_MODEL_BASE_URL")
    identity, version = f"{config.model_dump_json()} {override}", (key, files_version(config))
    known = _shared.get(identity)
    if known is None or known[0] != version:
        known = _shared[identity] = version, connect(config, key, override)
    return known[1]


def _base_url(config: ModelClientConfig) -> str:
    return os.environ.get("KAGENT_MODEL_BASE_URL") or config.base_url


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
    """The SDKs of OpenAI and Anthropic are made by one generator: their errors have the same names and fields."""
    if isinstance(error, asyncio.CancelledError):
        raise error
    kind = type(error).__name__
    if kind == "APITimeoutError":
        return f"no answer within {config.timeout_seconds:g} s, {config.max_retries} retries included"
    if kind == "APIConnectionError":
        return f"cannot reach {_base_url(config)}{_certificate_problem(error)}"
    if (status := getattr(error, "status_code", None)) is not None:
        return f"HTTP {status}{_advice(status, config)}: {getattr(error, 'message', '')}"
    if type(error).__module__.partition(".")[0] in ("openai", "anthropic"):
        return str(error)
    return f"{kind} while reading the answer"


def _advice(status: int, config: ModelClientConfig) -> str:
    if status in (401, 403) and config.api_key_env:
        return f", check the key in {config.api_key_env}"
    return f", check the model `{config.model}` and the URL {_base_url(config)}" if status == 404 else ""


def _certificate_problem(error: BaseException) -> str:
    """What TLS says, which the SDK keeps in the cause of the cause."""
    cause = error.__cause__
    while cause is not None:
        if "CERTIFICATE" in str(cause).upper() or "SSL" in type(cause).__name__.upper():
            return f": {str(cause).partition(' (_ssl')[0]}"
        cause = cause.__cause__ or cause.__context__
    return ""


def _redact(text: str, secrets: Sequence[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "[redacted]")
    return " ".join(_SECRET.sub(r"\1[redacted]", text).split())[:400]
