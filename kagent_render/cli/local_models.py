"""Which models of a config this machine can call, with which keys, and what is in the way of the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from kagent_render.catalog.providers.registry import PROVIDERS

Client = dict[str, Any]


def model_clients(value: Any) -> list[Client]:
    """The config of every model client in a component tree."""
    if isinstance(value, list):
        return [client for item in value for client in model_clients(item)]
    if not isinstance(value, dict):
        return []
    if value.get("component_type") == "model":
        return [value["config"]]
    return [client for item in value.values() for client in model_clients(item)]


def usual_keys(clients: Sequence[Client], environment: Mapping[str, str]) -> dict[str, str]:
    """A provider's usual variable serves every model of its that has no key of its own in the environment."""
    found = {}
    for client in clients:
        name, usual = client["api_key_env"], _usual_variable(client)
        if name and usual and not environment.get(name) and environment.get(usual):
            found[name] = environment[usual]
    return found


def _usual_variable(client: Client) -> str | None:
    """Only at the provider's own address: a spec that names another must not get the developer's key."""
    provider, host = PROVIDERS[client["provider"]], urlsplit(client["base_url"]).hostname or ""
    is_own = any(host == domain or host.endswith(f".{domain}") for domain in provider.domains)
    return provider.usual_variable if is_own else None


def obstacles(clients: Sequence[Client], environment: Mapping[str, str]) -> list[str]:
    """Why the models cannot be called from here, in words; each reason once."""
    return list(dict.fromkeys(reason for client in clients for reason in _obstacles(client, environment)))


def _obstacles(client: Client, environment: Mapping[str, str]) -> Iterator[str]:
    name, usual = client["api_key_env"], _usual_variable(client)
    if name and not environment.get(name):
        yield f"set {name} or {usual}" if usual else f"set {name}"
    for header in client.get("headers", ()):
        if header.get("env") and not environment.get(header["env"]):
            yield f"set {header['env']}, the header {header['name']}"
    for file in (client.get("tls") or {}).values():
        if isinstance(file, str) and not Path(file).exists():
            yield f"{file} is only in the pod"
    if _is_in_cluster(client["base_url"]):
        yield f"{client['base_url']} is only reached in the cluster: --model-url takes one that is forwarded"


def _is_in_cluster(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host.endswith((".svc", ".svc.cluster.local")) or not ("." in host or ":" in host or host == "localhost")
