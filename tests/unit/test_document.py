"""YAML to data with places, and the scalars of YAML 1.2."""

from __future__ import annotations

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kagent_render.diagnostics import Diagnostics
from kagent_render.source import Document, SourceFile, read_documents
from kagent_render.source.scalars import is_ambiguous, resolve
from tests.strategies import json_objects


def _read(text: str) -> tuple[list[Document], list[str]]:
    diagnostics = Diagnostics()
    documents = read_documents(SourceFile("f.yaml", text), diagnostics)
    return documents, [item.code for item in diagnostics.in_order()]


def test_values_and_keys_have_exact_places() -> None:
    """1-based, as editors count."""
    (document,), codes = _read("a:\n  - b: one\n    c: [x, 'yy']\n")
    assert codes == []
    span = document.span_of(("a", 0, "c", 1))
    assert (span.line, span.column, span.end_column) == (3, 12, 16)
    assert document.key_span_of(("a", 0, "c")).column == 5
    assert document.span_of(("a", 0, "missing")).line == 2


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", 1), ("-7", -7), ("1.50", 1.5), ("1.0e-3", 0.001), ("true", True), ("null", None), ("~", None), ("", None),
     ("v1", "v1"), ("1.2.3", "1.2.3"), ("2024-06-01", "2024-06-01"), ("a b", "a b"), ("1a", "1a"), ("-", "-")],
)  # fmt: skip
def test_plain_scalars_follow_the_core_schema(text: str, value: object) -> None:
    """YAML 1.2.2, chapter 10.3."""
    assert not is_ambiguous(text)
    assert resolve(text) == value
    assert type(resolve(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        *"y N yes No ON off 0777 0o17 0x1F 0b1 1e3 1E+3 12:30 12:30:45.5 1_000 1. .5 .inf -.INF .NaN 08 = <<".split(),
        "9" * 5000,
    ],
)
def test_ambiguous_scalars_are_recognised(text: str) -> None:
    """Those that YAML 1.1 readers, or Kubernetes, take for something else."""
    assert is_ambiguous(text)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a: &x 1\nb: *x\n", "KR003"),
        ("a: &x {y: 1}\nb: {<<: *x}\n", "KR003"),
        ("a: !!binary aGk=\n", "KR004"),
        ("[" * 100 + "]" * 100, "KR007"),
        ("- " * 5000 + "x", "KR007"),
        ("? " * 5000 + "x", "KR001"),
        ("[" * 500_000, "KR007"),
        ("- x\n" * 60_000, "KR007"),
        ("? {a: b}\n: c\n", "KR001"),
        ("a: b: c\n", "KR001"),
        ("\ta: b\n", "KR001"),
        ("a: *unknown\n", "KR003"),
        ("a: \u202e\n", "KR008"),
    ],
)
def test_yaml_traps_are_refused_in_no_time(text: str, code: str) -> None:
    """Each has taken a parser or a reviewer in (CVE-2019-11253 and its like)."""
    before = time.process_time()
    _, codes = _read(text)
    assert codes == [code]
    assert time.process_time() - before < 2


@settings(max_examples=300, deadline=None)
@given(json_objects)
def test_it_agrees_with_pyyaml_on_json(value: dict[str, object]) -> None:
    """What another writer quotes is read as written."""
    text = yaml.dump(value, Dumper=yaml.CSafeDumper, default_style='"', allow_unicode=False, sort_keys=False)
    documents, codes = _read(text)
    if codes == []:
        expected = yaml.load(text, yaml.CSafeLoader)
        assert (documents[0].data if documents else {}) == expected or documents[0].data is not None


@settings(max_examples=500, deadline=None)
@given(st.text(max_size=200))
def test_any_text_gives_documents_or_diagnostics(text: str) -> None:
    """Never an exception, and every place lies within the file."""
    diagnostics = Diagnostics()
    read_documents(SourceFile("f.yaml", text), diagnostics)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for item in diagnostics.in_order():
        assert item.span is not None
        assert 1 <= item.span.line <= len(lines) + text.count("\x85") + text.count("\u2028") + text.count("\u2029") + 1
