"""What keeps a limit of cost from meaning anything."""

from __future__ import annotations

from kagent_render.diagnostics import Diagnostics, Label
from kagent_render.lower.team import models_of
from kagent_render.resolve import AgentNode, ModelNode, TeamNode


def check_cost(node: AgentNode | TeamNode, diagnostics: Diagnostics) -> None:
    """KR580 and KR581, of a workload."""
    models = {model.metadata.name: model for model in models_of(node)}
    if node.spec.limits.cost is not None:
        _check_prices(node, [models[name] for name in sorted(models)], diagnostics)
    _check_currencies([models[name] for name in sorted(models)], diagnostics)


def _check_prices(node: AgentNode | TeamNode, models: list[ModelNode], diagnostics: Diagnostics) -> None:
    for model in (model for model in models if model.spec.pricing is None):
        label = Label(model.document.span_of(("metadata", "name")), "has no prices")
        help = f"add pricing: {{inputPerMillionTokens: …, outputPerMillionTokens: …}} to `{model.metadata.name}`"
        message = f"the cost of a run of `{node.metadata.name}` is unknown without the prices of its models"
        span = node.document.span_of(("spec", "limits", "cost"))
        diagnostics.add("KR580", message, span, labels=[label], help=help)


def _check_currencies(models: list[ModelNode], diagnostics: Diagnostics) -> None:
    priced = [(model, model.spec.pricing) for model in models if model.spec.pricing is not None]
    for model, pricing in priced[1:]:
        first, known = priced[0]
        if pricing.currency != known.currency:
            label = Label(first.document.key_span_of(("spec", "pricing")), f"in `{known.currency}`")
            message = f"prices in `{pricing.currency}` and `{known.currency}` make no sum"
            span = model.document.key_span_of(("spec", "pricing"))
            diagnostics.add("KR581", message, span, labels=[label], help="give all prices in one currency")
