"""`python -m kagent_runtime.mcp_listing`: what MCP servers say of their tools now, for `kagent-render lock`.

Reads the config of the workbench on stdin, and prints as many answers as it has servers. Connections are made as those
of an agent are: the same addresses are refused, and credentials come from the same variables.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from kagent_runtime.closing import close_all
from kagent_runtime.model import McpServer, McpToolsConfig

if TYPE_CHECKING:
    import mcp_types as types

    from kagent_runtime.components.credentials import Credentials

EX_CONFIG = 78
_HINTS = {"readOnlyHint": "read_only_hint", "destructiveHint": "destructive_hint"}
JSON = dict[str, Any]


def main() -> int:
    """0, also when servers could not be asked: their answers say why. 78 for a config that is none."""
    try:
        config = McpToolsConfig.model_validate_json(sys.stdin.buffer.read())
    except ValidationError as error:
        print(f"kagent-runtime: {error.error_count()} defects in the config", file=sys.stderr)  # noqa: T201
        return EX_CONFIG
    logging.getLogger("kagent_runtime").setLevel(logging.ERROR)  # what fails is in the answers
    print(json.dumps(asyncio.run(_answers(config))))  # noqa: T201
    return 0


async def _answers(config: McpToolsConfig) -> list[JSON]:
    try:
        return await asyncio.gather(*(_answer(server) for server in config.tools))
    finally:
        await close_all()


async def _answer(server: McpServer) -> JSON:
    """The tools that the server lets through, and the names of all it has; or why it does not say."""
    from kagent_runtime.components.mcp_connection import connection_to

    connection = connection_to(server)
    await connection.refresh()
    if connection.failure:
        return {"failure": connection.credentials.redact(connection.failure)}
    known = await connection.tools()
    tools = [_told(known[name], connection.credentials) for name in server.allowed if name in known]
    return {"tools": tools, "names": _redacted(sorted(known), connection.credentials)}


def _told(tool: types.Tool, credentials: Credentials) -> JSON:
    # A server may say anything, also what it was sent.
    description, schema = _redacted([tool.description or "", tool.input_schema], credentials)
    hints = {name: getattr(tool.annotations, field, None) for name, field in _HINTS.items()}
    given = {name: value for name, value in hints.items() if value is not None}
    told: JSON = {"name": tool.name, "description": description, "inputSchema": schema}
    return told | ({"annotations": given} if given else {})


def _redacted(value: Any, credentials: Credentials) -> Any:
    if isinstance(value, str):
        return credentials.redact(value)
    if isinstance(value, list):
        return [_redacted(item, credentials) for item in value]
    if isinstance(value, dict):
        return {credentials.redact(key): _redacted(item, credentials) for key, item in value.items()}
    return value


if __name__ == "__main__":
    sys.exit(main())
