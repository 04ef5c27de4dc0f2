"""Models that agents name and that are somewhere else: in another namespace, or in the cluster only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.kagent.agent import DEFAULT_MODEL
from kagent_render.kagent.spec import Spec

# What kagent's chart installs by default (helm/kagent/values.yaml, providers.openAI).
_DEFAULT = {
    "provider": "OpenAI",
    "model": "gpt-4.1-mini",
    "apiKeySecretRef": {"name": "kagent-openai", "key": "OPENAI_API_KEY"},
}


def share_models(specs: Sequence[Spec]) -> Iterator[Spec]:
    """Make each model visible to the agents that use it; one that only the cluster has is written as the chart does."""
    models = {(spec.namespace, spec.name): spec for spec in specs if spec.kind == "ModelConfig"}
    for agent in [spec for spec in specs if spec.kind == "Agent"]:
        name = str(agent.data["modelConfigRef"]["name"])
        if (agent.namespace, name) in models or (None, name) in models:
            continue
        elsewhere = next((model for (_, known), model in models.items() if known == name), None)
        place = ("spec", "modelConfig") if agent.resource.fields("spec").has("modelConfig") else ("spec", "declarative")
        if elsewhere is not None:
            message = f"`{name}` is used from namespace `{agent.namespace}`, too, so it is written without a namespace"
            elsewhere.resource.warn(message, ("metadata", "namespace"), "its Secret has to exist in each of them")
            elsewhere.namespace = None
            models[None, name] = elsewhere
        elif name == DEFAULT_MODEL:
            message = f"`{name}` is not among the resources, so what kagent's chart installs is written for it"
            agent.resource.warn(message, place, "check the model and the name of its Secret")
            models[agent.namespace, name] = Spec(agent.resource, "ModelConfig", name, agent.namespace, dict(_DEFAULT))
            yield models[agent.namespace, name]
        else:
            message = f"the ModelConfig `{name}` is not among the resources"
            agent.resource.fail(message, place, "import the files together")
