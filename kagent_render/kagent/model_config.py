"""ModelConfig of kagent (v1alpha1 and v1alpha2) to ours."""

from __future__ import annotations

from collections.abc import Iterator

from kagent_render.kagent.fields import Fields, Resource
from kagent_render.kagent.spec import Spec

# kagent's provider, the block of its fields, and ours; None: no counterpart.
_PROVIDERS: dict[str, tuple[str, str | None]] = {
    "OpenAI": ("openAI", "OpenAI"),
    "AzureOpenAI": ("azureOpenAI", "AzureOpenAI"),
    "Anthropic": ("anthropic", "Anthropic"),
    "Ollama": ("ollama", "Ollama"),
    "Gemini": ("gemini", "Gemini"),
    "GeminiVertexAI": ("geminiVertexAI", None),
    "AnthropicVertexAI": ("anthropicVertexAI", None),
    "Bedrock": ("bedrock", None),
    "SAPAICore": ("sapAICore", None),
    "Foundry": ("foundry", None),
}
_PARAMETERS = {
    "temperature": "temperature",
    "topP": "topP",
    "topK": "topK",
    "maxTokens": "maxTokens",
    "maxOutputTokens": "maxTokens",
    "maxCompletionTokens": "maxCompletionTokens",
    "frequencyPenalty": "frequencyPenalty",
    "presencePenalty": "presencePenalty",
    "seed": "seed",
    "timeout": "timeoutSeconds",
}
_OLLAMA_OPTIONS = {
    "temperature": "temperature",
    "top_p": "topP",
    "top_k": "topK",
    "num_predict": "maxTokens",
    "seed": "seed",
}
_MODEL_INFO = ("vision", "functionCalling", "jsonOutput", "structuredOutput", "multipleSystemMessages", "family")
UNSUPPORTED = {
    "spec.apiKeyPassthrough": "the key always comes from a Secret, never from a caller",
    "spec.openAI.n": "an agent uses one answer",
    "spec.openAI.apiFormat": "agents speak the chat completions format",
    "spec.openAI.tokenExchange": "there is no token exchange",
    "spec.azureOpenAI.azureAdToken": "it is a credential in clear text; use apiKeySecretRef",
    "spec.ollama.options": "there is no such option here",
    "spec.tls.disableVerify": "certificates are always verified; name the CA in tls.caSecretRef",
    "spec.anthropic": "there is no such field here",
    "spec.gemini": "there is no such field here",
    # Known to kagent and read below: named here so that a misspelt one is told from these.
    "spec.apiKeySecret": "",
    "spec.apiKeySecretKey": "",
    "spec.defaultHeaders": "",
    "spec.model": "",
    "spec.provider": "",
    "spec.tls.caCertSecretRef": "",
    "spec.tls.caCertSecretKey": "",
    "spec.tls.disableSystemCAs": "",
}


def convert(resource: Resource) -> Iterator[Spec]:
    """One ModelConfig. The key stays in its Secret."""
    spec = resource.fields("spec")
    out = Spec(resource, "ModelConfig", resource.name, resource.namespace)
    provider = spec.text("provider") or "OpenAI"
    block, ours = _PROVIDERS.get(provider, ("", None))
    if ours is None:
        known = ", ".join(name for name, (_, mine) in _PROVIDERS.items() if mine)
        resource.fail(f"provider `{provider}` has no counterpart", spec.at("provider"), f"providers: {known}")
        for name in (block, "tls"):
            spec.take(name)
    settings = spec.below(block or "none")
    base_url = settings.text("baseUrl") or settings.text("host") or settings.text("azureEndpoint")
    if ours and not (ours == "OpenAI" and base_url):  # with an address of its own it is a compatible server
        out.put("provider", ours, spec.at("provider"))
    out.put("model", spec.text("model"), spec.at("model"))
    out.put("baseUrl", base_url, _first(settings, ("baseUrl", "host", "azureEndpoint")))
    out.put("azure.deployment", settings.text("azureDeployment"), settings.at("azureDeployment"))
    out.put("azure.apiVersion", settings.text("apiVersion"), settings.at("apiVersion"))
    _key(spec, out, resource)
    _parameters(settings, out)
    _ollama_options(settings, out)
    out.put("reasoningEffort", settings.text("reasoningEffort"), settings.at("reasoningEffort"))
    if settings.data.get("apiFormat") == "chatCompletions" or settings.data.get("n") == 1:
        settings.take("apiFormat"), settings.take("n")
    info = spec.below("modelInfo")
    for name in _MODEL_INFO:
        out.put(f"modelInfo.{name}", info.take(name), info.at(name))
    _headers(spec, settings, out)
    _tls(spec.below("tls"), out)
    if ours:
        yield out


def _first(fields: Fields, names: tuple[str, ...]) -> tuple[int | str, ...] | None:
    return next((fields.at(name) for name in names if fields.has(name)), None)


def _key(spec: Fields, out: Spec, resource: Resource) -> None:
    is_v1alpha1 = resource.document.data["apiVersion"].endswith("/v1alpha1")
    names = ("apiKeySecretRef", "apiKeySecretName") if is_v1alpha1 else ("apiKeySecret",)
    place = _first(spec, names)
    name = next((value for field in names if (value := spec.text(field))), None)
    key = spec.text("apiKeySecretKey")
    if name:
        # v1alpha1 allowed namespace/name; a pod can only read Secrets of its own namespace.
        namespace, _, name = name.rpartition("/")
        if namespace and namespace != resource.namespace:
            message = f"the Secret `{name}` is in namespace `{namespace}`"
            resource.warn(message, place or spec.location, "create it in the namespace of the agents, too")
        out.put("apiKeySecretRef", {"name": name, "key": key or "api-key"}, place)


def _parameters(settings: Fields, out: Spec) -> None:
    for name, ours in _PARAMETERS.items():
        if settings.has(name):
            out.put(ours, settings.number(name), settings.at(name))


def _ollama_options(settings: Fields, out: Spec) -> None:
    options = settings.below("options")
    for name, ours in _OLLAMA_OPTIONS.items():
        if options.has(name):
            out.put(ours, options.number(name), options.at(name))


def _headers(spec: Fields, settings: Fields, out: Spec) -> None:
    headers = [{"name": name, "value": str(value)} for name, value in spec.take("defaultHeaders", {}).items()]
    organization = settings.text("organization")
    if organization:
        headers.append({"name": "OpenAI-Organization", "value": organization})
    out.put("headers", headers, spec.at("defaultHeaders"))


def _tls(tls: Fields, out: Spec) -> None:
    if tls.data.get("disableVerify") is False:
        tls.take("disableVerify")
    name, key = tls.text("caCertSecretRef"), tls.text("caCertSecretKey")
    if name:
        out.put("tls.caSecretRef", {"name": name, "key": key or "ca.crt"}, tls.at("caCertSecretRef"))
    if tls.take("disableSystemCAs"):
        out.put("tls.useSystemCAs", False, tls.at("disableSystemCAs"))
