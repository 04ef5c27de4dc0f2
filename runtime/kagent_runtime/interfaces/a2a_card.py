"""The agent card, at its well-known path. Plain JSON: a catalogue that reads cards must not load the protocol's SDK.

Source: A2A 1.0, "Agent discovery" and "AgentCard"; the keys at the top that 1.0 no longer has are 0.3's.
"""

from __future__ import annotations

from typing import Any

from kagent_runtime import __version__
from kagent_runtime.auth.settings import Mode
from kagent_runtime.config import LoadedConfig

CARD_PATH = "/.well-known/agent-card.json"
RPC_PATH = "/a2a"
APPROVALS_EXTENSION = "https://kagent.dev/extensions/hitl/v1"
_TEXT, _JSON = "text/plain", "application/json"


def card(loaded: LoadedConfig, base_url: str, *, is_json: bool, mode: Mode, issuer: str) -> dict[str, Any]:
    """The card of the agent or team that is served at `base_url`, with what callers authenticate by.

    `is_json`: it answers with JSON. `issuer`: of OpenID Connect.
    """
    config, url = loaded.config, base_url + RPC_PATH
    return {
        "name": config.metadata.name,
        "description": config.description,
        "version": __version__,
        "supportedInterfaces": [
            {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": version} for version in ("1.0", "0.3")
        ],
        "capabilities": {
            "streaming": True,
            "pushNotifications": False,
            "extendedAgentCard": False,
            "extensions": [
                {
                    "uri": APPROVALS_EXTENSION,
                    "description": "Tool calls that a person approves: requests and decisions",
                    "required": False,
                }
            ],
        },
        "defaultInputModes": [_TEXT, _JSON],
        "defaultOutputModes": [_JSON if is_json else _TEXT],
        "skills": _skills(loaded),
        **_security(mode, issuer),
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3",
    }


def _security(mode: Mode, issuer: str) -> dict[str, Any]:
    """In the forms of 1.0 and of 0.3 at once, which have no key in common."""
    bearer = {"scheme": "bearer"}
    discovery = {"openIdConnectUrl": f"{issuer.rstrip('/')}/.well-known/openid-configuration"}
    schemes: dict[Mode, dict[str, Any]] = {
        "bearer": {"httpAuthSecurityScheme": bearer, "type": "http", **bearer},
        "oidc": {"openIdConnectSecurityScheme": discovery, "type": "openIdConnect", **discovery},
        "certificate": {"mtlsSecurityScheme": {}, "type": "mutualTLS"},
    }
    if mode == "none":
        return {}
    return {
        "securitySchemes": {mode: schemes[mode]},
        "securityRequirements": [{"schemes": {mode: {"list": []}}}],
        "security": [{mode: []}],
    }


def _skills(loaded: LoadedConfig) -> list[dict[str, Any]]:
    """What it does as a whole, and of a team what its members do."""
    config = loaded.config
    tools = sorted({tool for agent in config.agents for tool in agent.tools})
    whole = _skill(config.metadata.name, config.metadata.name, config.description, tools or ["chat"])
    if config.metadata.kind == "Agent":
        return [whole]
    members = [_skill(agent.id, agent.name, agent.description, agent.tools or ["chat"]) for agent in config.agents]
    return [whole, *members]


def _skill(id: str, name: str, description: str, tags: list[str]) -> dict[str, Any]:
    return {"id": id, "name": name, "description": description, "tags": tags}
