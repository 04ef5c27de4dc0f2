"""What loading a config outside its pod needs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trustme


def with_files(config: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The config with certificates of a test's own in place of those mounted into a pod."""
    issued = trustme.CA().issue_cert("loading")
    issued.private_key_and_cert_chain_pem.write_to_path(str(folder / "all.pem"))
    for client in components(config, "model"):
        if tls := client["config"].get("tls"):
            tls |= {key: str(folder / "all.pem") for key in tls if key.endswith("_file") and tls[key]}
    return config


def components(value: Any, component_type: str) -> list[dict[str, Any]]:
    """Every component of a type, at any depth."""
    if isinstance(value, list):
        return [found for item in value for found in components(item, component_type)]
    if not isinstance(value, dict):
        return []
    own = [value] if value.get("component_type") == component_type else []
    return own + [found for item in value.values() for found in components(item, component_type)]
