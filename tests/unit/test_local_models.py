"""What `run` needs on a laptop: whose key serves which model, and what is in the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kagent_render.cli.local_models import obstacles, usual_keys


def _client(provider: str, base_url: str, key: str | None = "KAGENT_M_API_KEY", **more: Any) -> dict[str, Any]:
    return {"provider": provider, "base_url": base_url, "api_key_env": key} | more


OWN = {
    "OPENAI_API_KEY": _client("OpenAI", "https://api.openai.com/v1"),
    "AZURE_OPENAI_API_KEY": _client("AzureOpenAI", "https://contoso.openai.azure.com"),
    "ANTHROPIC_API_KEY": _client("Anthropic", "https://api.anthropic.com"),
    "GEMINI_API_KEY": _client("Gemini", "https://generativelanguage.googleapis.com/v1beta/openai"),
}


@pytest.mark.parametrize("variable", OWN)
def test_the_usual_variable_serves_at_the_providers_own_address(variable: str) -> None:
    """And is named when nothing is set; a model's own variable goes before it."""
    client = OWN[variable]
    assert usual_keys([client], {variable: "k"}) == {"KAGENT_M_API_KEY": "k"}
    assert usual_keys([client], {variable: "k", "KAGENT_M_API_KEY": "own"}) == {}
    assert obstacles([client, client], {}) == [f"set KAGENT_M_API_KEY or {variable}"]
    assert obstacles([client], {"KAGENT_M_API_KEY": "own"}) == []


@pytest.mark.parametrize("host", ["evil.example.com", "api.openai.com.evil.example.com", "notapi.openai.com"])
def test_no_other_address_gets_the_developers_key(host: str) -> None:
    """Specs are shared; whoever runs one must not send a key where it says."""
    client = _client("OpenAI", f"https://{host}/v1")
    assert usual_keys([client], {"OPENAI_API_KEY": "k"}) == {}
    assert obstacles([client], {"OPENAI_API_KEY": "k"}) == ["set KAGENT_M_API_KEY"]


@pytest.mark.parametrize("url", ["http://localhost:11434/v1", "http://127.0.0.1:8000/v1", "http://[::1]:8000/v1"])
def test_a_server_of_this_machine_needs_nothing(url: str) -> None:
    """No key, nothing in the way."""
    assert obstacles([_client("Ollama", url, None)], {}) == []


@pytest.mark.parametrize(
    "url", ["http://vllm:8000/v1", "http://vllm.models.svc/v1", "http://q-predictor.m.svc.cluster.local/openai/v1"]
)
def test_a_service_of_the_cluster_is_out_of_reach(url: str) -> None:
    """With the way round."""
    (reason,) = obstacles([_client("OpenAICompatible", url, None)], {})
    assert url in reason
    assert "--model-url" in reason


def test_headers_and_certificates_of_secrets_are_missed(tmp_path: Path) -> None:
    """Until they are there."""
    here = tmp_path / "ca.crt"
    client = _client(
        "OpenAICompatible",
        "https://llm.example.com/v1",
        None,
        headers=[{"name": "X-A", "value": "a"}, {"name": "X-Tenant", "env": "KAGENT_M_HEADER_X_TENANT"}],
        tls={"ca_file": str(here), "certificate_file": None, "key_file": None, "use_system_cas": True},
    )
    assert obstacles([client], {}) == [
        "set KAGENT_M_HEADER_X_TENANT, the header X-Tenant",
        f"{here} is only in the pod",
    ]
    here.write_text("")
    assert obstacles([client], {"KAGENT_M_HEADER_X_TENANT": "t"}) == []
