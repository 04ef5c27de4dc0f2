"""A ModelConfig to the runtime's model client, its key and its endpoint."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kagent_render.catalog.base import Component, Contribution, Endpoint, Variable, component
from kagent_render.catalog.fields import SpecModel
from kagent_render.catalog.providers.base import Provider
from kagent_render.catalog.providers.registry import PROVIDERS
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower.names import key_variable
from kagent_render.resolve import ModelNode
from kagent_render.specs.model_config import Parameters


def check_model(model: ModelNode, diagnostics: Diagnostics) -> None:
    """What the provider would refuse at the first call."""
    provider = _provider(model)
    spec, document = model.spec, model.document
    if provider.default_base_url is None and spec.base_url is None:
        message = f"`{provider.name}` needs a baseUrl"
        diagnostics.add("KR102", message, document.span_of(("spec",)), help="add baseUrl: http://…/v1")
    # A key is only certain to be needed at the provider's own endpoint.
    if provider.requires_key and spec.api_key_secret_ref is None and spec.base_url is None:
        help = f"add apiKeySecretRef: {{name: {model.metadata.name}, key: api-key}}"
        message = f"{provider.name} needs an API key"
        diagnostics.add("KR309", message, document.span_of(("spec",)), help=help)
    host = urlsplit(spec.base_url or "").hostname or ""
    if spec.base_url and spec.base_url.startswith("http:") and host.count(".") == 1 and not host.endswith(".svc"):
        help = f"for the Service `{host.split('.')[0]}` in namespace `{host.split('.')[1]}` write {host}.svc"
        diagnostics.add(
            "KR312", f"`{host}` is treated as a public host", document.span_of(("spec", "baseUrl")), help=help
        )


def _provider(model: ModelNode) -> Provider:
    return PROVIDERS[model.spec.provider_name]


def model_client(model: ModelNode) -> Component:
    """The component of the runtime's model client. The key is named by its variable, never given."""
    provider, spec = _provider(model), model.spec
    config: dict[str, Any] = {
        "name": model.metadata.name,
        "provider": provider.name,
        "model": spec.model,
        "base_url": spec.base_url or provider.default_base_url,
        "api_key_env": key_variable(model.metadata.name) if spec.api_key_secret_ref else None,
        "timeout_seconds": spec.timeout_seconds,
        "max_retries": spec.max_retries,
        "parameters": _set_fields(spec, Parameters),
        "model_info": provider.model_info | _set_fields(spec.model_info, type(spec.model_info)),
    }
    return component("kagent_runtime.components.ModelClient", "model", config)


def _set_fields(spec: SpecModel, model: type[SpecModel]) -> dict[str, Any]:
    values = ((name, getattr(spec, name)) for name in model.model_fields)
    return {name: value for name, value in values if value is not None}


def model_needs(model: ModelNode) -> Contribution:
    """The variable that carries the model's key, from the Secret it names, and what must be reached."""
    reference, endpoint = model.spec.api_key_secret_ref, _endpoint(model)
    name = key_variable(model.metadata.name)
    variables = {Variable(name, secret=reference.name, key=reference.key)} if reference else set()
    return Contribution(frozenset(variables), endpoints=frozenset({endpoint} if endpoint else ()))


def _endpoint(model: ModelNode) -> Endpoint | None:
    parts = urlsplit(model.spec.base_url or _provider(model).default_base_url or "")
    if not parts.hostname:
        return None
    return Endpoint(parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)
