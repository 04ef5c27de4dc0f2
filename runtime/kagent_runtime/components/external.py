"""A condition that is fired over HTTP: `POST /api/v1/sessions/{id}/stop`."""

from typing import Self

from autogen_core import Component

from kagent_runtime.components.condition import Condition, Messages
from kagent_runtime.model import NoConfig
from kagent_runtime.running import is_asked_to_finish

REASON = "External termination requested"


class External(Condition, Component[NoConfig]):
    """AutoGen's ExternalTermination, which only code in the process can fire."""

    component_type = "termination"
    component_config_schema = NoConfig
    component_provider_override = "kagent_runtime.components.External"

    def _reason(self, messages: Messages) -> str | None:
        return REASON if is_asked_to_finish() else None

    def _to_config(self) -> NoConfig:
        return NoConfig()

    @classmethod
    def _from_config(cls, config: NoConfig) -> Self:
        return cls()
