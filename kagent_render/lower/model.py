"""A ModelConfig to the runtime's model client, its key, and what has to be reached."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from kagent_render.catalog.base import Component, Contribution, Endpoint, Problem, Variable, component
from kagent_render.catalog.fields import SpecModel
from kagent_render.catalog.providers.base import Provider
from kagent_render.catalog.providers.registry import PROVIDERS
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower import connection
from kagent_render.lower.names import model_prefix
from kagent_render.resolve import ModelNode
from kagent_render.specs.model_config import ModelConfigSpec, Parameters

_PLACES = ("baseUrl", "inferenceServiceRef", "inferencePoolRef")


def check_model(model: ModelNode, diagnostics: Diagnostics) -> None:
    """What the provider would refuse at the first call."""
    for problem in _problems(model):
        span = model.document.span_of(("spec", *problem.location))
        if problem.code == "KR320":
            span = model.document.key_span_of(("spec", *problem.location))
        diagnostics.add(problem.code, problem.message, span, help=problem.help, sensitive=problem.code == "KR106")


def _problems(model: ModelNode) -> Iterator[Problem]:
    provider, spec = _provider(model), model.spec
    yield from _check_place(provider, spec)
    service = spec.inference_service_ref
    if service and service.gateway and not (service.namespace or model.metadata.namespace):
        help = "the route through the gateway has it in its path"
        yield Problem("KR321", "the namespace of the LLMInferenceService is missing", ("inferenceServiceRef",), help)
    yield from _check_fields(provider, spec)
    # A key is only certain to be needed at the provider's own endpoint, and Azure is one wherever it is.
    is_own = spec.base_url is None or provider.has_azure
    has_header = any(header.secret_ref for header in spec.headers or ())
    if provider.requires_key and spec.api_key_secret_ref is None and is_own and not has_header:
        help = f"add apiKeySecretRef: {{name: {model.metadata.name}, key: api-key}}"
        yield Problem("KR309", f"{provider.name} needs an API key", (), help)
    yield from connection.check_headers(spec.headers or (), ("headers",))
    yield from connection.check_tls(spec.tls, ("tls",))


def _check_place(provider: Provider, spec: ModelConfigSpec) -> Iterator[Problem]:
    given = [spec.base_url, spec.inference_service_ref, spec.inference_pool_ref]
    present = [name for name, value in zip(_PLACES, given, strict=True) if value is not None]
    if len(present) > 1:
        message = " and ".join(f"`{name}`" for name in present) + " both say where the model is"
        yield Problem("KR321", message, (present[1],), "keep one of them")
    if provider.default_base_url is None and not present:
        yield Problem("KR102", f"`{provider.name}` needs a baseUrl", (), provider.base_url_help)
    for name in present[:1]:
        if name != "baseUrl" and provider.name != "OpenAICompatible":
            message = f"a model of KServe or llm-d is not one of {provider.name}"
            yield Problem("KR321", message, ("provider",), "remove `provider`, or write OpenAICompatible")
    service = spec.inference_service_ref
    if service and (service.kind == "LLMInferenceService") != (service.gateway is not None):
        needs = "needs `gateway`" if service.gateway is None else "has no `gateway`"
        place = ("inferenceServiceRef", *(() if service.gateway is None else ("gateway",)))
        yield Problem("KR321", f"an {service.kind} {needs}", place, "gateway: {url: …} belongs to LLMInferenceService")
    host = urlsplit(spec.base_url or "").hostname or ""
    if spec.base_url and spec.base_url.startswith("http:") and host.count(".") == 1 and not host.endswith(".svc"):
        help = f"for the Service `{host.split('.')[0]}` in namespace `{host.split('.')[1]}` write {host}.svc"
        yield Problem("KR312", f"`{host}` is treated as a public host", ("baseUrl",), help)


def _check_fields(provider: Provider, spec: ModelConfigSpec) -> Iterator[Problem]:
    for name, info in Parameters.model_fields.items():
        if getattr(spec, name) is not None and name not in provider.parameters:
            known = ", ".join(sorted(str(Parameters.model_fields[item].alias) for item in provider.parameters))
            yield Problem(
                "KR320", f"{provider.name} does not take `{info.alias}`", (str(info.alias),), f"it takes {known}"
            )
    if spec.max_tokens is not None and spec.max_completion_tokens is not None:
        message = "`maxTokens` and `maxCompletionTokens` both bound the answer"
        yield Problem("KR320", message, ("maxCompletionTokens",), "keep the one that the model takes")
    if spec.azure is not None and not provider.has_azure:
        yield Problem("KR320", f"{provider.name} has no `azure`", ("azure",), "it belongs to provider: AzureOpenAI")
    if spec.extra_body is not None and not provider.has_extra_body:
        help = "it belongs to provider: OpenAICompatible"
        yield Problem("KR320", f"{provider.name} has no `extraBody`", ("extraBody",), help)


def _provider(model: ModelNode) -> Provider:
    return PROVIDERS[model.spec.provider_name]


def base_url(model: ModelNode) -> str:
    """Where the model is. A Service whose namespace nobody says is found in that of the pod, by its name alone.

    Routes: kserve/pkg/constants (InferenceServiceURL, /openai), config/llmisvcconfig (/<namespace>/<name>/v1), and
    the Gateway or router that the llm-d charts install before a pool.
    """
    provider, spec, namespace = _provider(model), model.spec, model.metadata.namespace
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
    return url if url.endswith(provider.suffix) else url + provider.suffix


def model_client(model: ModelNode) -> Component:
    """The component of the runtime's model client. The key is named by its variable, never given."""
    provider, spec = _provider(model), model.spec
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
    own = Contribution(frozenset(variables), endpoints=frozenset({_endpoint(base_url(model))}))
    return own | connection.needs(model.spec.headers or (), model.spec.tls, prefix, _folder(model))


def _endpoint(url: str) -> Endpoint:
    parts = urlsplit(url)
    return Endpoint(parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80), parts.scheme)
