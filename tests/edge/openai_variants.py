"""Services that speak OpenAI's wire with differences of their own: Azure, Gemini's route, vLLM."""

from __future__ import annotations

import re
from typing import Any

from tests.edge.model_server import ModelRequest, ModelServer
from tests.edge.openai_wire import JSON, PARAMETERS, RefusedError, check_request

AZURE_VERSION = "2024-10-21"


class AzureServer(ModelServer):
    """An Azure OpenAI resource with the deployment `chat`: the key in `api-key`, the version in the query."""

    prefix = "/openai"
    chat_path = "/deployments/chat/chat/completions"

    @property
    def base_url(self) -> str:
        """The resource's endpoint."""
        return self.origin

    def _check(self, record: ModelRequest) -> None:
        if record.query.get("api-version") != AZURE_VERSION:
            raise RefusedError("Resource not found", status=404, code="404")
        if record.headers.get("api-key") != self._api_key:
            message = "Access denied due to invalid subscription key or wrong API endpoint."
            raise RefusedError(message, status=401, code="401")
        check_request(record.body)


class VllmServer(ModelServer):
    """vLLM's server: fields of its own in the body."""

    more_parameters = frozenset({"top_k", "min_p", "chat_template_kwargs"})


class GeminiServer(ModelServer):
    """The OpenAI-compatible route of the Gemini API: proto fields only, no empty messages, signed tool calls."""

    prefix = "/v1beta/openai"
    _unknown = frozenset({"seed", "frequency_penalty", "presence_penalty", "logit_bias", "store"})

    def _check(self, record: ModelRequest) -> None:
        super()._check(record)
        for name in sorted(set(record.body) & self._unknown & PARAMETERS):
            raise RefusedError(f'Invalid JSON payload received. Unknown name "{name}": Cannot find field.')
        for message in record.body["messages"]:
            _check_gemini_message(message, record.body["model"])

    def _envelope(self, status: int, message: str, code: str | None) -> Any:
        # Not an object but a list of one: what Google's API answers on this route.
        return [{"error": {"code": status, "message": message, "status": code or "UNKNOWN"}}]


def _check_gemini_message(message: JSON, model: str) -> None:
    calls = message.get("tool_calls") or []
    if not message.get("content") and not calls:
        raise RefusedError("Unable to submit request because it must have a text parameter.")
    if not re.search(r"gemini-[3-9]", model):
        return
    for call in calls:
        if not call.get("extra_content", {}).get("google", {}).get("thought_signature"):
            name = call["function"]["name"]
            raise RefusedError(f"Function call is missing a thought_signature in functionCall parts: {name}")
