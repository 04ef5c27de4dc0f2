"""Credentials are found, ordinary text is not, and no report repeats one."""

from __future__ import annotations

from pathlib import Path

import pytest

from kagent_render.specs.secrets import has_secret
from tests.harness import CASES, kagent_render

FOUND = [
    "sk-abcdefghijklmnopqrstuvwx",
    "sk-proj-abcdefghijklmnopqrstuvwx",
    "sk-ant-api03-abcdefghijklmnopqrstuvwx",
    "AIza" + "a" * 35,
    "AKIAABCDEFGHIJKLMNOP",
    "ghp_" + "a" * 36,
    "github_pat_" + "a" * 22,
    "glpat-" + "a" * 20,
    "xoxb-1234567890-abc",
    "hf_" + "a" * 34,
    "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcdefghijklmnop",
    "-----BEGIN RSA PRIVATE KEY-----",
    "-----BEGIN PRIVATE KEY-----",
    "Authorization: Bearer abcdefghijklmnopqrstuvwx",
    "postgres://user:secret@db:5432/x",
    "https://me:hunter22@example.com",
]
ORDINARY = [
    "task-abcdefghijklmnopqrst is not a key",
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "the bearer of good news",
    "mail me@example.com, or http://example.com/@me",
    "http://vllm-service:8000/v1",
    "https://${USER}:${PASSWORD}@example.com",
    "A sentence about sk-learn and hf_hub.",
    "ghcr.io/kagent-render/runtime@sha256:abc",
]


@pytest.mark.parametrize("text", FOUND)
def test_credentials_are_found(text: str) -> None:
    """By the forms that issuers publish."""
    assert has_secret(f"Use {text} please")


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_text_is_not(text: str) -> None:
    """A false alarm would teach people to look away."""
    assert not has_secret(text)


@pytest.mark.parametrize("format_", ["concise", "full", "json", "github"])
def test_no_report_repeats_a_credential(format_: str) -> None:
    """Neither in the message nor in the quoted line."""
    outcome = kagent_render("check", str(CASES / "diagnostics" / "KR106-inline-secret"), "--format", format_)
    shown = outcome.stdout + outcome.stderr
    assert outcome.code == 1
    assert all(value not in shown for value in ("hunter2", "swordfish", "0123456789abcdefghij"))


def test_a_line_with_a_credential_is_not_quoted_for_another_defect(tmp_path: Path) -> None:
    """Flow style puts many fields on one line."""
    (tmp_path / "a.yaml").write_text(
        "apiVersion: kagent.dev/v1alpha1\nkind: ModelConfig\nmetadata: {name: m}\n"
        "spec: {modle: x, model: y, apiKey: hunter2hunter2}\n"
    )
    outcome = kagent_render("check", str(tmp_path), "--format", "full")
    assert "KR101" in outcome.stdout
    assert "hunter2" not in outcome.stdout
