"""Credentials that stand in a spec: found by form, reported by place, never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from kagent_render.catalog.credentials import is_secret_name
from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source import Document, SourceFile

# Forms published by the issuers; the same families as detect-secrets and gitleaks.
_FORMS: tuple[tuple[str, str], ...] = (
    ("an Anthropic key", r"\bsk-ant-[A-Za-z0-9_-]{20,}"),
    ("an OpenAI key", r"\bsk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}"),
    ("a Google API key", r"\bAIza[0-9A-Za-z_-]{35}"),
    ("an AWS access key", r"\b(?:AKIA|ASIA)[0-9A-Z]{16}"),
    ("a GitHub token", r"\bgh[pousr]_[A-Za-z0-9]{36,}|\bgithub_pat_[A-Za-z0-9_]{22,}"),
    ("a GitLab token", r"\bglpat-[A-Za-z0-9_-]{20,}"),
    ("a Slack token", r"\bxox[abpors]-[A-Za-z0-9-]{10,}"),
    ("a Hugging Face token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("a JSON Web Token", r"\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"),
    ("a private key", r"-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----"),
    ("a bearer token", r"\b[Bb]earer\s+[A-Za-z0-9_\-.=+/]{20,}"),
    ("a URL with a password", r"[a-z][a-z0-9+.-]*://[^\s/:@{$<]+:[^\s/@{$<]{3,}@"),
)
# Every form has one of these in it: texts without any, nearly all, never pay for the expressions above.
_MARKERS = (
    "sk-",
    "AIza",
    "AKIA",
    "ASIA",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "ghr_",
    "github_pat_",
    "glpat-",
    "xox",
    "hf_",
    "eyJ",
    "PRIVATE KEY",
    "earer",
    "@",
)


def has_secret(text: str) -> bool:
    """Whether the text holds something of a credential's form."""
    return any(marker in text for marker in _MARKERS) and _any_form().search(text) is not None


@cache
def _any_form() -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{form})" for _, form in _FORMS))


def check_secrets(documents: Sequence[Document], diagnostics: Diagnostics) -> None:
    """Add a diagnostic for every value that looks like a credential."""
    suspicious: dict[str, bool] = {}
    for document in documents:
        file = document.file
        if file.path not in suspicious:
            suspicious[file.path] = has_secret(file.text)
        if suspicious[file.path]:
            for location, value in _strings(document.data, ()):
                # A field named like a credential is refused as an unknown field already.
                if has_secret(value) and not (location and is_secret_name(str(location[-1]))):
                    _report(value, document.span_of(location), diagnostics)


def check_secrets_in_files(files: Sequence[SourceFile], diagnostics: Diagnostics) -> None:
    """Add a diagnostic for every line of a text file, such as a prompt, that looks like a credential."""
    for file in files:
        if has_secret(file.text):
            for found in _any_form().finditer(file.text):
                _report(found[0], Span(file.path, file.text.count("\n", 0, found.start()) + 1, 1), diagnostics)


def _report(text: str, span: Span, diagnostics: Diagnostics) -> None:
    what = next(name for name, form in _FORMS if re.search(form, text))
    help = "put it in a Secret and name that; then revoke this one, Git has it"
    diagnostics.add("KR106", f"the value looks like {what}", span, help=help, sensitive=True)


def _strings(value: Any, location: tuple[int | str, ...]) -> Iterator[tuple[tuple[int | str, ...], str]]:
    if isinstance(value, str):
        yield location, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _strings(item, (*location, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _strings(item, (*location, index))
