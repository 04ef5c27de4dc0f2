"""What Argo CD hands to a plugin, in every form that its documentation and its code know."""

from __future__ import annotations

import json
from typing import Any

import pytest

from kagent_render.gitops.argocd_parameters import ParameterError, Parameters, announcement, read_parameters


def given(*entries: dict[str, Any]) -> dict[str, str]:
    return {"ARGOCD_APP_PARAMETERS": json.dumps(entries)}


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, Parameters()),  # an Application without a plugin block
        ({"ARGOCD_APP_PARAMETERS": "null"}, Parameters()),  # a plugin block without parameters
        ({"ARGOCD_APP_PARAMETERS": ""}, Parameters()),
        (given(), Parameters()),
        (given({"name": "env"}), Parameters()),  # an entry with nothing but a name
        (given({"name": "env", "string": ""}), Parameters()),
        (given({"name": "set", "map": {}}, {"name": "paths", "array": []}), Parameters()),  # set, but empty
        (given({"name": "env", "string": None, "array": None, "map": None}), Parameters()),
        (given({"name": "env", "string": "prod", "array": [], "map": {}}), Parameters("prod")),
        (given({"name": "env", "string": "dev"}, {"name": "env", "string": "prod"}), Parameters("prod")),
        (given({"name": "paths", "array": ["agents", "shared"]}), Parameters(paths=("agents", "shared"))),
        (
            given({"name": "set", "map": {"Agent/b:spec.x": "2", "Agent/a:spec.y": "p=q"}}),
            Parameters(settings=("Agent/a:spec.y=p=q", "Agent/b:spec.x=2")),
        ),
        ({"ARGOCD_APP_NAMESPACE": "team"}, Parameters(namespace="team")),
        ({"ARGOCD_APP_NAMESPACE": ""}, Parameters()),
        ({"ARGOCD_APP_NAMESPACE": "team", **given({"name": "namespace", "string": "own"})}, Parameters(None, "own")),
        ({"ARGOCD_ENV_KAGENT_RENDER_ENV": "dev"}, Parameters("dev")),
        ({"ARGOCD_ENV_KAGENT_RENDER_ENV": "dev", **given({"name": "env", "string": "prod"})}, Parameters("prod")),
        ({"PARAM_ENV": "prod", "KUBE_VERSION": "1.30"}, Parameters()),  # only the JSON is read
    ],
)
def test_every_form_is_read(environment: dict[str, str], expected: Parameters) -> None:
    assert read_parameters(environment) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "ARGOCD_APP_PARAMETERS is not JSON"),
        ('{"name": "env"}', "ARGOCD_APP_PARAMETERS is not a list of objects"),
        ('["env"]', "ARGOCD_APP_PARAMETERS is not a list of objects"),
        ('[{"name": "enviroment"}]', "unknown parameter `enviroment`; there are: env, namespace, paths, set"),
        ('[{"name": "nmespace"}]', "unknown parameter `nmespace`; did you mean `namespace`?"),
        ('[{"string": "prod"}]', "unknown parameter `None`; there are: env, namespace, paths, set"),
        ('[{"name": "env", "array": ["prod"]}]', "parameter `env` is given as `array`; it is a `string`"),
        ('[{"name": "set", "string": "a=b"}]', "parameter `set` is given as `string`; it is a `map`"),
        ('[{"name": "env", "string": 1}]', "parameter `env` is not a string of texts"),
        ('[{"name": "set", "map": {"a": {}}}]', "parameter `set` is not a map of texts"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, message: str) -> None:
    with pytest.raises(ParameterError) as raised:
        read_parameters({"ARGOCD_APP_PARAMETERS": text})
    assert str(raised.value) == message


def test_the_announcement_has_the_values_that_hold() -> None:
    """Argo CD's page shows them; it does not send them back, so they are what holds without any."""
    announced = announcement(["dev", "prod"], Parameters("dev", None, (), ("Agent/a:spec.x=1",)))
    values = {entry["name"]: entry[entry["collectionType"]] for entry in announced}
    assert values == {"env": "dev", "namespace": "", "paths": ["."], "set": {"Agent/a:spec.x": "1"}}
    assert "one of: dev, prod" in announced[0]["tooltip"]
