"""What operators see of the process: Prometheus metrics and OpenTelemetry traces, never a word of a conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kagent_runtime.config import LoadedConfig


def start_telemetry(loaded: LoadedConfig, environment: Mapping[str, str]) -> Callable[[], None]:
    """Prepare the metrics, and trace if the environment asks for it; returns what to call at the end."""
    from kagent_runtime.telemetry import metrics, tracing

    about = loaded.config.metadata
    models = {str(part["config"]["model"]) for part in _models(loaded.component) if "model" in part["config"]}
    metrics.prepare(about.name, about.kind, [agent.name for agent in loaded.config.agents], sorted(models))
    return tracing.start(loaded.config, environment)


def _models(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if value.get("component_type") == "model":
            yield value
        for item in value.values():
            yield from _models(item)
    elif isinstance(value, list):
        for item in value:
            yield from _models(item)
