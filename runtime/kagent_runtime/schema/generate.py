"""Write the committed JSON Schema: `python -m kagent_runtime.schema.generate`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kagent_runtime.model import RuntimeConfig

PATH = Path(__file__).parent / "runtime-config-v1.json"


def schema() -> dict[str, Any]:
    """The JSON Schema of the RuntimeConfig."""
    title = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "RuntimeConfig"}
    return title | RuntimeConfig.model_json_schema()


if __name__ == "__main__":
    PATH.write_text(json.dumps(schema(), indent=2) + "\n", encoding="utf-8")
