"""What the compiler emits is what the runtime accepts and the pinned AutoGen loads."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from autogen_agentchat.base import ChatAgent, Team

from kagent_render.catalog.providers.registry import PROVIDERS
from kagent_render.catalog.tools import github, prometheus, urls
from kagent_render.catalog.tools.github_narrowing import WORKFLOWS
from kagent_render.catalog.tools.github_operations import ENTRIES
from kagent_render.catalog.tools.kubernetes_changing import CHANGING
from kagent_render.catalog.tools.kubernetes_reading import READING
from kagent_runtime.components import (
    addresses,
    github_changes,
    github_narrowing,
    github_operations,
    kubernetes_changes,
    kubernetes_operations,
    prometheus_operations,
)
from kagent_runtime.components.model_client import ModelClient
from kagent_runtime.components.models import registry
from kagent_runtime.config import check_config
from kagent_runtime.model import PrometheusTool
from kagent_runtime.model.github_tools import ChangingGithubOperation, ReadingGithubOperation
from kagent_runtime.model.kubernetes_tools import ChangingOperation, ReadingOperation
from kagent_runtime.schema.generate import PATH, schema
from tests.harness import CASES, EXAMPLES, ROOT
from tests.loading import components, with_files

MODULES = ROOT / "tests/edge/python_modules"
CONFIG_MAPS = sorted(
    [*EXAMPLES.glob("*/rendered/**/configmap.yaml"), *CASES.glob("build/*/expected/**/configmap.yaml")]
)


def _config(path: Path) -> dict[str, Any]:
    data = yaml.load(path.read_text(), yaml.CSafeLoader)["data"]
    assert list(data) == ["runtime.json"]
    config: dict[str, Any] = json.loads(data["runtime.json"])
    return config


@pytest.mark.parametrize("path", CONFIG_MAPS, ids=lambda path: "/".join(path.parts[-5:-1]))
def test_autogen_loads_every_component_that_is_emitted(
    path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """kagent's own AutoGen output did not load for Selector, Swarm and Or; nobody had tried."""
    config = with_files(_config(path), tmp_path)
    jsonschema.Draft202012Validator(json.loads(PATH.read_text())).validate(config)
    loaded = check_config(config, path.name)
    monkeypatch.syspath_prepend(MODULES)
    monkeypatch.setenv("KAGENT_PYTHON_MODULES", "acme.capacity,acme_platform.capacity,quota,rates")
    monkeypatch.setenv("KAGENT_PYTHON_PATH", str(CASES / "build/tool-python/input/functions"))
    for client in components(config, "model"):
        if "model_client" in client["config"]:
            continue  # around another one, which is in the list too
        for name in [client["config"]["api_key_env"], *(h.get("env") for h in client["config"].get("headers", []))]:
            if name:
                monkeypatch.setenv(name, "sk-for-loading-only")
        assert isinstance(ModelClient.load_component(client), ModelClient)
    kind = Team if config["metadata"]["kind"] == "AgentTeam" else ChatAgent
    instance = kind.load_component(loaded.component)
    assert type(instance).__name__ == config["component"]["provider"].rpartition(".")[2]


def test_the_cases_cover_every_component() -> None:
    """A provider that no case emits has been loaded by nobody."""
    emitted = {p for path in CONFIG_MAPS for p in _providers(_config(path))}
    allowed = {p for p in json.dumps(schema()).split('"') if p.startswith(("autogen_", "kagent_runtime."))}
    assert emitted == allowed


def _providers(value: Any) -> list[str]:
    if isinstance(value, list):
        return [found for item in value for found in _providers(item)]
    if not isinstance(value, dict):
        return []
    own = [value["provider"]] if "component_type" in value else []
    return own + [found for item in value.values() for found in _providers(item)]


def test_the_committed_schema_is_the_models() -> None:
    """`python -m kagent_runtime.schema.generate` writes it."""
    assert json.loads(PATH.read_text()) == schema()


def test_both_sides_know_the_same_operations() -> None:
    """The compiler declares the arguments; the runtime carries them out."""
    assert set(READING) == set(kubernetes_operations._READING) == set(get_args(ReadingOperation))
    assert set(CHANGING) == set(kubernetes_changes.CHANGES) == set(get_args(ChangingOperation))
    assert set(prometheus.OPERATIONS) == set(prometheus_operations.OPERATIONS)
    assert set(prometheus.OPERATIONS) == set(PrometheusTool.model_json_schema()["properties"]["operation"]["enum"])
    changing = {name for name, entry in ENTRIES.items() if entry.is_changing}
    assert set(ENTRIES) - changing == set(github_operations.OPERATIONS) == set(get_args(ReadingGithubOperation))
    assert changing == set(github_changes.CHANGES) == set(get_args(ChangingGithubOperation))
    assert set(ENTRIES) == set(get_args(github.GithubBlock.model_fields["operation"].annotation))


def test_both_sides_name_workflows_alike() -> None:
    """What the compiler says is kept from a tool, the runtime keeps from it."""
    assert WORKFLOWS == github_narrowing.WORKFLOWS


ADDRESSES = (
    "8.8.8.8 10.0.0.1 100.64.0.1 127.0.0.1 172.16.0.1 172.32.0.1 192.168.1.1 198.18.0.1 ::1 fc00::1 2606:4700::1"
)
ADDRESSES += " 0.0.0.0 100.100.100.200 168.63.129.16 169.254.169.254 192.0.0.192 192.0.2.1 192.88.99.1 198.51.100.1"
ADDRESSES += (
    " 203.0.113.1 224.0.0.1 255.255.255.255 :: 2001::1 2001:db8::1 2002::1 3fff::1 fd00:ec2::254 fe80::1 ff02::1"
    " fd00:ec2::23 fd20:ce::254 fd00:42::42 fd00:100::100:200 fd00:a9fe:a9fe::1 fd00:c1::a9fe:a9fe fd00:a9fe:a9fe::2"
)
ADDRESSES += " ::ffff:10.0.0.1 ::ffff:8.8.8.8 fec0::1 100::1"


@pytest.mark.parametrize("address", ADDRESSES.split())
def test_the_compiler_refuses_the_addresses_that_the_runtime_does(address: str) -> None:
    """Otherwise a spec would compile that never works, or the other way round."""
    url = f"http://[{address}]/" if ":" in address else f"http://{address}/"
    for allows_private in (False, True):
        refused = bool(list(urls.check_url(url, (), is_template=False, allows_private=allows_private)))
        allowed = {"public", "private", "loopback"} if allows_private else {"public"}
        assert refused == (addresses.kind_of(address) not in allowed)


@pytest.mark.parametrize(
    "host",
    [
        "vllm",
        "a.b",
        "a.b.svc",
        "a.b.svc.cluster.local",
        "localhost",
        "a.svc",
        "a.b.c.svc",
        "a.b.svc.",
        "A.b.SVC",
        "LOCALHOST.",
        "167772167",
        "0XA000007",
    ],
)
def test_both_sides_know_what_is_in_the_cluster(host: str) -> None:
    """The compiler says where no permission is needed; the runtime grants it."""
    assert urls.is_in_cluster(host) == addresses.is_in_cluster(host)


def test_the_cases_cover_every_model_provider() -> None:
    """Both sides know the same ones, and each has been loaded."""
    clients = [client["config"] for path in CONFIG_MAPS for client in components(_config(path), "model")]
    emitted = {config["provider"] for config in clients if "model_client" not in config}
    assert emitted == set(PROVIDERS) == set(registry._PROTOCOLS)
