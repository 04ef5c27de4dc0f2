"""A ModelConfig to the runtime's model client, its key, and what has to be reached."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from kagent_render.catalog.base import Component, Contribution, Endpoint, Variable, component
from kagent_render.catalog.fields import SpecModel
from kagent_render.catalog.providers.base import Provider
from kagent_render.catalog.providers.registry import PROVIDERS
from kagent_render.lower import connection
from kagent_render.lower.names import model_prefix
from kagent_render.resolve import ModelNode
from kagent_render.specs.model_config import ModelConfigSpec, Parameters

_KSERVE_PORTS = (80, 8080)  # of the predictor's Service, and of its container, which is what a NetworkPolicy sees


def provider_of(model: ModelNode) -> Provider:
    """What the model's provider declares."""
    return PROVIDERS[model.spec.provider_name]


def base_url(model: ModelNode) -> str:
    """Where the model is. A Service whose namespace nobody says is found in that of the pod, by its name alone.

    Routes: kserve/pkg/constants (InferenceServiceURL, /openai), config/llmisvcconfig (/<namespace>/<name>/v1), and
    the Gateway or router that the llm-d charts install before a pool.
    """
    provider, spec, namespace = provider_of(model), model.spec, model.metadata.namespace
    if service := spec.inference_service_ref:
        place = service.namespace or namespace
        if service.kind == "LLMInferenceService" and service.gateway:
            return f"{service.gateway.url}/{place}/{service.name}/v1"
        host = f"{service.name}-predictor.{place}.svc.cluster.local" if place else f"{service.name}-predictor"
        return f"http://{host}/openai/v1"
    if pool := spec.inference_pool_ref:
        gateway = pool.gateway_service
        place = gateway.namespace or pool.namespace or namespace
        host = f"{gateway.name}.{place}.svc.cluster.local" if place else gateway.name
        return f"http://{host}:{gateway.port}/v1" if gateway.port != 80 else f"http://{host}/v1"
    url = spec.base_url or provider.default_base_url or ""
    url = url.removesuffix(provider.surplus) if provider.surplus else url
    return url if url.endswith(provider.suffix) else url + provider.suffix


def model_client(model: ModelNode) -> Component:
    """The component of the runtime's model client. The key is named by its variable, never given."""
    provider, spec = provider_of(model), model.spec
    prefix = model_prefix(model.metadata.name)
    config: dict[str, Any] = {
        "name": model.metadata.name,
        "provider": provider.name,
        "model": spec.model,
        "base_url": base_url(model),
        "api_key_env": f"{prefix}_API_KEY" if spec.api_key_secret_ref else None,
        "timeout_seconds": spec.timeout_seconds,
        "max_retries": spec.max_retries,
        "parameters": _set_fields(spec, Parameters),
        "model_info": provider.model_info | _set_fields(spec.model_info, type(spec.model_info)),
    }
    more = {
        "azure": _azure(spec) if provider.has_azure else None,
        "headers": connection.header_config(spec.headers or (), prefix) or None,
        "tls": connection.tls_config(spec.tls, _folder(model)),
        "extra_body": spec.extra_body,
        "pricing": spec.pricing.model_dump() if spec.pricing else None,
    }
    config |= {key: value for key, value in more.items() if value is not None}
    return component("kagent_runtime.components.ModelClient", "model", config)


def _azure(spec: ModelConfigSpec) -> dict[str, str]:
    version = spec.azure.api_version if spec.azure else "2024-10-21"
    return {"deployment": (spec.azure and spec.azure.deployment) or spec.model, "api_version": version}


def _folder(model: ModelNode) -> str:
    return f"models/{model.metadata.name}"


def _set_fields(spec: SpecModel, model: type[SpecModel]) -> dict[str, Any]:
    values = ((name, getattr(spec, name)) for name in model.model_fields)
    return {name: value for name, value in values if value is not None}


def model_needs(model: ModelNode) -> Contribution:
    """The variables and files of the model's credentials, from the Secrets it names, and what must be reached."""
    reference, prefix = model.spec.api_key_secret_ref, model_prefix(model.metadata.name)
    variables = {Variable(f"{prefix}_API_KEY", secret=reference.name, key=reference.key)} if reference else set()
    own = Contribution(frozenset(variables), endpoints=frozenset(_endpoints(model)))
    return own | connection.needs(model.spec.headers or (), model.spec.tls, prefix, _folder(model))


def _endpoints(model: ModelNode) -> set[Endpoint]:
    parts, service = urlsplit(base_url(model)), model.spec.inference_service_ref
    ports: tuple[int, ...] = (parts.port or (443 if parts.scheme == "https" else 80),)
    if service and service.kind == "InferenceService":
        ports = _KSERVE_PORTS
    return {Endpoint(parts.hostname or "", port, parts.scheme) for port in ports}
