"""Attribute names of the OpenTelemetry GenAI semantic conventions (development status, so copied and in one place).

Source: github.com/open-telemetry/semantic-conventions-genai v0.1.0, spans for agents, inference and tools.
"""

from __future__ import annotations

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
AGENT_NAME = "gen_ai.agent.name"
CONVERSATION_ID = "gen_ai.conversation.id"
REQUEST_MODEL = "gen_ai.request.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
TOOL_NAME = "gen_ai.tool.name"
TOOL_CALL_ID = "gen_ai.tool.call.id"
TOOL_TYPE = "gen_ai.tool.type"
ERROR_TYPE = "error.type"
SERVER_ADDRESS = "server.address"
SERVER_PORT = "server.port"

INVOKE_AGENT = "invoke_agent"
CHAT = "chat"
EXECUTE_TOOL = "execute_tool"

# The well-known values of gen_ai.provider.name; any other provider goes by its own name.
_PROVIDERS = {
    "OpenAI": "openai",
    "AzureOpenAI": "azure.ai.openai",
    "Anthropic": "anthropic",
    "Gemini": "gcp.gemini",
    "Ollama": "ollama",
    "OpenAICompatible": "openai",  # the convention: the protocol that is spoken, when the provider is unknown
}


def provider_name(provider: str) -> str:
    """The value of `gen_ai.provider.name`."""
    return _PROVIDERS.get(provider, provider.lower())
