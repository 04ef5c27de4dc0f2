"""What a model provider declares."""

from __future__ import annotations

from dataclasses import dataclass

# Sampling parameters that the chat completions protocol of OpenAI has.
OPENAI_PARAMETERS = frozenset(
    (
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "seed",
        "frequency_penalty",
        "presence_penalty",
        "stop",
        "reasoning_effort",
    )
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A model provider: where it is, what it takes, and what it refuses.

    `default_base_url` None: the spec must give one. `suffix` is added to a base URL that does not end in it, `surplus`
    is removed from one that does; `wrong_endings` belong to another provider's URLs. `usual_variable` holds the key of
    a developer who uses the provider's own tools, at `domains`.
    """

    name: str
    default_base_url: str | None
    requires_key: bool
    usual_variable: str | None
    parameters: frozenset[str]
    has_azure: bool = False
    has_extra_body: bool = False
    suffix: str = ""
    surplus: str = ""
    wrong_endings: tuple[str, ...] = ()
    max_temperature: float = 2
    base_url_help: str = "add baseUrl: http://…/v1"
    family: str = "unknown"
    has_structured_output: bool = True
    has_embeddings: bool = True
    domains: tuple[str, ...] = ()

    @property
    def model_info(self) -> dict[str, bool | str]:
        """AutoGen wants all of these for any model it does not know by name, which is every new one."""
        return {
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": self.family,
            "structured_output": self.has_structured_output,
            "multiple_system_messages": True,
        }
