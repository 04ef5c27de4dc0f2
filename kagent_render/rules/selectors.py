"""Label selectors, and what they select.

Source: k8s.io/apimachinery, pkg/apis/meta/v1/validation/validation.go: ValidateLabelSelector.
"""

from __future__ import annotations

from kagent_render.rules.grammar import label_value, qualified_name
from kagent_render.rules.metadata import labels
from kagent_render.rules.walk import JSON, Found, each, not_one_of, part, texts
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_OPERATORS = ("In", "NotIn", "Exists", "DoesNotExist")
_NODE_OPERATORS = (*_OPERATORS, "Gt", "Lt")


def label_selector(selector: JSON, path: Path) -> Found:
    """matchLabels and matchExpressions."""
    yield from labels(selector, "matchLabels", path)
    for expression, place in each(selector, "matchExpressions", path):
        yield from requirement(expression, place)
        for text, at in texts(expression, "values", place):
            if message := label_value(text):
                yield Defect(at, message)


def requirement(expression: JSON, path: Path, *, is_of_node: bool = False) -> Found:
    """Key, operator and the number of values: ValidateLabelSelectorRequirement, ValidateNodeSelectorRequirement."""
    operator, values = expression.get("operator"), expression.get("values") or []
    known = _NODE_OPERATORS if is_of_node else _OPERATORS
    if operator not in known:
        yield Defect((*path, "operator"), not_one_of(operator, known))
    elif operator in ("In", "NotIn") and not values:
        yield Defect((*path, "values"), f"is missing for `{operator}`")
    elif operator in ("Exists", "DoesNotExist") and values:
        yield Defect((*path, "values"), f"may not be there for `{operator}`")
    elif operator in ("Gt", "Lt") and len(values) != 1:
        yield Defect((*path, "values"), f"has to be one value for `{operator}`")
    if message := qualified_name(expression.get("key") or ""):
        yield Defect((*path, "key"), message)


def selects(selector: JSON, given: JSON) -> bool:
    """Whether a selector fits the labels."""
    wanted = part(selector, "matchLabels")
    return all(given.get(key) == (value or "") for key, value in wanted.items()) and all(
        _is_met(expression or {}, given) for expression in selector.get("matchExpressions") or ()
    )


def _is_met(expression: JSON, given: JSON) -> bool:
    value, values = given.get(expression.get("key", "")), expression.get("values") or ()
    match expression.get("operator"):
        case "In":
            return value in values
        case "NotIn":
            return value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return True
