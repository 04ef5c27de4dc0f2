"""What a model provider declares."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Provider:
    """A model provider: where it is, and what it refuses. `default_base_url` None: the spec must give one."""

    name: str
    default_base_url: str | None
    requires_key: bool
    model_info: dict[str, bool | str] = field(
        # AutoGen wants all of these for any model it does not know by name, which is every new one.
        default_factory=lambda: {
            "vision": False,
            "function_calling": True,
            "json_output": True,
            "family": "unknown",
            "structured_output": True,
            "multiple_system_messages": True,
        }
    )
