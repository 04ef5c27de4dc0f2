"""The RuntimeConfig file: read, checked against the closed registry, before any agent library is imported."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from kagent_runtime.model import RuntimeConfig

MAX_BYTES = 1 << 20  # what a ConfigMap can hold


class ConfigError(Exception):
    """The config cannot be used. The text is one line that says what and where."""


@dataclass(frozen=True, slots=True)
class LoadedConfig:
    """The validated config, and its component tree as the JSON that it was."""

    config: RuntimeConfig
    component: dict[str, Any]


def load_config(path: str) -> LoadedConfig:
    """Read and check a config file. Raises ConfigError."""
    try:
        raw = Path(path).read_bytes()
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(f"{path}: larger than 1 MiB")
    try:
        data = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"{path}: not JSON: {_one_line(str(error))}") from error
    return check_config(data, path)


def check_config(data: Any, path: str) -> LoadedConfig:
    """Check a parsed config. Raises ConfigError naming the first few defects with their JSON paths."""
    try:
        config = RuntimeConfig.model_validate(data)
    except ValidationError as error:
        raise ConfigError(f"{path}: {_describe(error)}") from None
    return LoadedConfig(config, data["component"])


def _describe(error: ValidationError) -> str:
    problems = error.errors(include_url=False, include_input=False)
    shown = "; ".join(f"{_json_path(p['loc'])}: {_one_line(_message(dict(p)))}" for p in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    return shown + more


def _message(problem: dict[str, Any]) -> str:
    if problem["type"] == "union_tag_invalid":
        return f"provider `{problem['ctx']['tag']}` is not in the closed registry"
    if problem["type"] == "extra_forbidden":
        return "unknown key"
    return str(problem["msg"][:1].lower() + problem["msg"][1:])


def _json_path(location: tuple[int | str, ...]) -> str:
    # pydantic adds the provider it chose as a step of its own; those steps have dots and are no keys.
    steps = [part for part in location if isinstance(part, int) or "." not in part]
    return "$" + "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in steps)


def _one_line(text: str) -> str:
    return " ".join(text.split())[:300]
