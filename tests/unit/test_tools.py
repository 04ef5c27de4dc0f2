"""The parts of tools that call a server: templates, selections, names of volumes and variables."""

from __future__ import annotations

import pytest

from kagent_render.catalog.base import Endpoint
from kagent_render.catalog.connection import ClientTls
from kagent_render.catalog.fields import SecretKeyReference
from kagent_render.catalog.tools import placeholders, selection
from kagent_render.catalog.tools.remote import Needs
from kagent_render.catalog.tools.urls import endpoint_of, is_in_cluster
from kagent_runtime.components import http_templates


@pytest.mark.parametrize(
    ("template", "names", "is_whole"),
    [
        ("{a}", ["a"], True),
        ("{{a}}", [], False),
        ("x {a}/{b-c}", ["a", "b-c"], False),
        ("query { viewer { login } }", [], False),
        ('{"a": {b}}', ["b"], False),
        ("{1}", [], False),
        ("{a", [], False),
        ("", [], False),
    ],
)
def test_placeholders(template: str, names: list[str], is_whole: bool) -> None:
    """Braces that are no placeholder are text, so JSON and GraphQL need no escapes."""
    assert (placeholders.names(template), placeholders.is_whole(template)) == (names, is_whole)
    # The runtime reads templates with a pattern of its own.
    found = [match[2] for match in http_templates._PLACEHOLDER.finditer(template) if match[2]]
    assert found == names


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("a", ["a"]),
        ("a.b[0].c", ["a", "b", 0, "c"]),
        ("[0][*].x", [0, "*", "x"]),
        ('a["b c"].d', ["a", "b c", "d"]),
        ("@timestamp.$value", ["@timestamp", "$value"]),
        ("", None),
        (".a", None),
        ("a.", None),
        ("a[", None),
        ("a[-1]", None),
        ("a b", None),
        ('a["*"]', None),
        ("a[12345678]", None),
    ],
)
def test_selections(path: str, steps: list[str | int] | None) -> None:
    assert selection.steps(path) == steps


def test_names_of_variables_and_volumes_fit() -> None:
    """A volume's name is a DNS label; two long names of tools must not become one."""
    tls = ClientTls.model_validate({"caSecretRef": {"name": "ca", "key": "k"}})
    volumes = set()
    for tool in ("t", "x" * 63 + "y", "x" * 63 + "z"):
        needs = Needs(tool)
        needs.tls(tls)
        (mount,) = needs.mounts
        assert len(mount.name) <= 63
        volumes.add(mount.name)
    assert len(volumes) == 3
    needs = Needs("my-tool")
    reference = SecretKeyReference.model_validate({"name": "s", "key": "k"})
    assert needs.secret("HEADER_X.Key-Id", reference) == "KAGENT_TOOL_MY_TOOL_HEADER_X_KEY_ID"


def test_endpoints_have_the_port_of_the_scheme() -> None:
    assert endpoint_of("https://a.example.com/x", is_private=False) == Endpoint("a.example.com", 443, "https")
    assert endpoint_of("http://[fd12::1]/", is_private=True) == Endpoint("fd12::1", 80, "http", is_private=True)
    assert endpoint_of("http://prom.monitoring.svc:9090", is_private=False).port == 9090
    assert not is_in_cluster("localhost")
