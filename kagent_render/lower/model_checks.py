"""What is wrong with a ModelConfig that its fields alone do not show: what the provider would refuse later."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from kagent_render.catalog.base import Problem
from kagent_render.catalog.providers.base import Provider
from kagent_render.diagnostics import Diagnostics
from kagent_render.lower import connection
from kagent_render.lower.model import base_url, provider_of
from kagent_render.resolve import ModelNode
from kagent_render.specs.model_config import ModelConfigSpec, Parameters

_OF_THE_RUNTIME = frozenset(
    ("model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "n")
)
_PLACES = ("baseUrl", "inferenceServiceRef", "inferencePoolRef")


def check_model(model: ModelNode, diagnostics: Diagnostics) -> None:
    """What the provider would refuse at the first call."""
    for problem in _problems(model):
        span = model.document.span_of(("spec", *problem.location))
        if problem.code == "KR320":
            span = model.document.key_span_of(("spec", *problem.location))
        diagnostics.add(problem.code, problem.message, span, help=problem.help, sensitive=problem.code == "KR106")


def _problems(model: ModelNode) -> Iterator[Problem]:
    provider, spec = provider_of(model), model.spec
    yield from _check_place(provider, spec)
    yield from _check_url(provider, spec)
    service, is_placed = spec.inference_service_ref, model.metadata.namespace
    if service and service.kind == "LLMInferenceService" and not (service.namespace or is_placed):
        help = "add namespace: the route through the gateway has it in its path"
        yield Problem("KR321", "the namespace of the LLMInferenceService is missing", ("inferenceServiceRef",), help)
    yield from _check_fields(provider, spec)
    yield from _check_blocks(provider, spec)
    # A key is only certain to be needed at the provider's own endpoint, and Azure is one wherever it is.
    is_own = spec.base_url is None or provider.has_azure
    has_header = any(header.secret_ref for header in spec.headers or ())
    if provider.requires_key and spec.api_key_secret_ref is None and is_own and not has_header:
        help = f"add apiKeySecretRef: {{name: {model.metadata.name}, key: api-key}}"
        yield Problem("KR309", f"{provider.name} needs an API key", (), help)
    yield from connection.check_headers(spec.headers or (), ("headers",))
    yield from connection.check_tls(spec.tls, base_url(model), ("tls",))


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


def _check_url(provider: Provider, spec: ModelConfigSpec) -> Iterator[Problem]:
    if spec.base_url and spec.base_url.endswith(provider.wrong_endings):
        message = f"`baseUrl: {spec.base_url}` is not one of {provider.name}"
        help = f"{provider.base_url_help}; what ends in /v1 is for provider: OpenAICompatible"
        yield Problem("KR104", message, ("baseUrl",), help)
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
    if (spec.temperature or 0) > provider.max_temperature:
        message = f"`temperature` should be less than or equal to {provider.max_temperature:g} for {provider.name}"
        yield Problem("KR104", message, ("temperature",), None)
    if spec.model_info.structured_output and not provider.has_structured_output:
        message = f"answers of a given schema do not work with {provider.name}"
        yield Problem("KR320", message, ("modelInfo", "structuredOutput"), "remove it")
    if spec.max_tokens is not None and spec.max_completion_tokens is not None:
        message = "`maxTokens` and `maxCompletionTokens` both bound the answer"
        yield Problem("KR320", message, ("maxCompletionTokens",), "keep the one that the model takes")


def _check_blocks(provider: Provider, spec: ModelConfigSpec) -> Iterator[Problem]:
    if spec.azure is not None and not provider.has_azure:
        yield Problem("KR320", f"{provider.name} has no `azure`", ("azure",), "it belongs to provider: AzureOpenAI")
    if spec.extra_body is not None and not provider.has_extra_body:
        help = "it belongs to provider: OpenAICompatible"
        yield Problem("KR320", f"{provider.name} has no `extraBody`", ("extraBody",), help)
    for name in sorted(_OF_THE_RUNTIME & set(spec.extra_body or ())):
        yield Problem("KR104", f"`{name}` is set by the runtime", ("extraBody", name), "remove it")
