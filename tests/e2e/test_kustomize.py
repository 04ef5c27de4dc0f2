"""The real kustomize runs the KRM function as a generator, and reads what `build` writes into a folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.controlplane.binaries import find
from tests.harness import EXAMPLES, ROOT, kagent_render

GENERATOR = """\
apiVersion: render.kagent.dev/v1
kind: Generator
metadata:
  name: agents
  annotations:
    config.kubernetes.io/function: |
      exec: {path: ./kagent-render-krm}
spec:
  paths: [platform-team]
  env: ENVIRONMENT
"""


@pytest.fixture(scope="module")
def kustomize() -> Path:
    found = find("kustomize")
    if found is None:
        stop = pytest.fail if os.environ.get("REQUIRE_APISERVER") == "1" else pytest.skip
        stop("kustomize is not there (python -m tests.e2e.controlplane.build kustomize)")
    return found


def _build(kustomize: Path, folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    command = [str(kustomize), "build", *flags, str(folder)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def _in_order(objects: list[Any]) -> list[Any]:
    """kustomize writes in an order of its own."""
    return sorted(
        objects, key=lambda item: (item["kind"], item["metadata"].get("namespace", ""), item["metadata"]["name"])
    )


def _with_function(folder: Path, environment: str) -> Path:
    shutil.copytree(EXAMPLES / "platform-team", folder / "platform-team", ignore=shutil.ignore_patterns("rendered"))
    (folder / "kagent-render-krm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m kagent_render krm\n')
    (folder / "kagent-render-krm").chmod(0o755)
    (folder / "agents.yaml").write_text(GENERATOR.replace("ENVIRONMENT", environment))
    (folder / "kustomization.yaml").write_text("generators: [agents.yaml]\n")
    return folder


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_the_function_gives_what_build_gives(kustomize: Path, tmp_path: Path, environment: str) -> None:
    done = _build(kustomize, _with_function(tmp_path, environment), "--enable-alpha-plugins", "--enable-exec")
    assert done.returncode == 0, done.stderr
    built = kagent_render("build", str(EXAMPLES / "platform-team"), "--env", environment).stdout
    assert _in_order(list(yaml.safe_load_all(done.stdout))) == _in_order(list(yaml.safe_load_all(built)))


def test_a_defect_fails_the_build_with_its_place(kustomize: Path, tmp_path: Path) -> None:
    folder = _with_function(tmp_path, "prod")
    file = folder / "platform-team" / "specs" / "agents" / "research.yaml"
    file.write_text(file.read_text().replace("modelConfigRef", "modelConfigRaf"))
    done = _build(kustomize, folder, "--enable-alpha-plugins", "--enable-exec")
    assert (done.returncode != 0, done.stdout) == (True, "")
    assert "research.yaml:" in done.stderr
    assert "did you mean `modelConfigRef`?" in done.stderr


@pytest.mark.parametrize("example", sorted(path.name for path in EXAMPLES.iterdir()))
def test_what_is_rendered_is_a_base(kustomize: Path, example: str) -> None:
    """The other way in: committed manifests, and overlays of the user's over them."""
    for folder in sorted((EXAMPLES / example / "rendered").iterdir()):
        done = _build(kustomize, folder)
        assert done.returncode == 0, done.stderr
        written = [item for path in folder.rglob("*/*.yaml") for item in yaml.safe_load_all(path.read_text())]
        assert _in_order(list(yaml.safe_load_all(done.stdout))) == _in_order(written)
