"""What the emitter writes is read back as the same values, by PyYAML, by ruamel and by Kubernetes."""

from __future__ import annotations

import io
import json
import random
import shutil
import subprocess
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from ruamel.yaml import YAML

from kagent_render.emit import emit, scalar
from tests.strategies import NASTY, json_objects, texts


@settings(max_examples=600, deadline=None)
@given(json_objects)
def test_pyyaml_reads_back_the_same(value: dict[str, Any]) -> None:
    """YAML 1.1."""
    assert yaml.load(emit(value), yaml.CSafeLoader) == value


@settings(max_examples=200, deadline=None)
@given(json_objects)
def test_ruamel_reads_back_the_same(value: dict[str, Any]) -> None:
    """YAML 1.2."""
    read = YAML(typ="safe", pure=True).load(io.StringIO(emit(value)))
    assert read == value


@given(texts)
def test_a_scalar_is_one_line(text: str) -> None:
    """Plain or in quotes, never with a raw line end or control character."""
    written = scalar(text)
    assert written.isprintable()


def _adversarial(count: int) -> list[str]:
    random.seed(7)
    alphabet = "0123456789abcdefxonyNY.:-_+eE~!&*?|>#{}[],'\"`@% \t\n\\=/"
    made = ["".join(random.choices(alphabet, k=random.randint(1, 8))) for _ in range(count)]
    return NASTY + made + [f"{random.getrandbits(28):07x}" for _ in range(count)]


def _read_by_kubernetes(value: dict[str, Any]) -> Any:
    command = ["kubectl", "patch", "--local", "-f", "-", "--type", "merge", "-p", "{}", "-o", "json"]
    done = subprocess.run(command, input=emit(value), capture_output=True, encoding="utf-8", check=False, timeout=120)
    assert done.returncode == 0, done.stderr[:500]
    return json.loads(done.stdout)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, Kubernetes' own parser, is not installed")
def test_kubernetes_reads_back_the_same() -> None:
    """40,000 adversarial strings as values and as keys, through kubectl's parser."""
    # NUL cannot be in a Kubernetes object that goes through JSON patches; everything else can.
    strings = [text for text in _adversarial(20_000) if "\x00" not in text]
    spec = {"values": strings, "keys": {text: index for index, text in enumerate(dict.fromkeys(strings))}}
    value = {"apiVersion": "example.com/v1", "kind": "Example", "metadata": {"name": "x"}, "spec": spec}
    assert _read_by_kubernetes(value)["spec"] == spec
