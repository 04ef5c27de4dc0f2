"""`images`: what the manifests run, and the lock that pins it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.harness import CASES, kagent_render

CASE = "tests/cases/build/images/input"
IMAGE = "mirror.example.com:5000/agents/runtime:1.2@sha256:" + "0123456789abcdef" * 4


def test_every_image_is_listed_as_the_manifests_name_it() -> None:
    """Pinned, and at the mirror; JSON says who runs it."""
    assert kagent_render("images", CASE).stdout == f"{IMAGE}\n"
    listed = json.loads(kagent_render("images", CASE, "-o", "json").stdout)
    assert listed == [{"image": IMAGE, "workloads": ["team/pinned"]}]


def test_an_environment_has_a_lock_of_its_own(tmp_path: Path) -> None:
    """The nearer lock wins; the base's stays."""
    shutil.copytree(CASES / "build/images/input", tmp_path / "agents")
    prod = tmp_path / "agents/environments/prod"
    prod.mkdir(parents=True)
    digest = "sha256:" + "f" * 64
    (prod / "images.lock").write_text(f"images: {{ghcr.io/kagent-render/runtime:1.2: '{digest}'}}\n")
    listed = kagent_render("images", "agents", "--env", "prod", cwd=tmp_path)
    assert listed.stdout == f"mirror.example.com:5000/agents/runtime:1.2@{digest}\n", listed.stderr
    assert kagent_render("images", "agents", cwd=tmp_path).stdout == f"{IMAGE}\n"


def test_writing_a_lock_needs_a_tool_that_asks_registries(tmp_path: Path) -> None:
    """The compiler itself never goes to a network."""
    shutil.copytree(CASES / "build/images/input", tmp_path / "agents")
    before = (tmp_path / "agents/images.lock").read_text()
    outcome = kagent_render("images", "agents", "--lock", cwd=tmp_path, PATH="/nonexistent")
    assert (outcome.code, outcome.stdout) == (2, "")
    assert "`crane` or `skopeo`" in outcome.stderr
    assert (tmp_path / "agents/images.lock").read_text() == before


def test_the_images_of_servers_are_listed_with_those_who_run_them() -> None:
    """A Deployment's beside it, a sidecar's beside each agent; that of a tool nobody uses nowhere."""
    listed = json.loads(kagent_render("images", "tests/cases/build/mcp-server/input", "-o", "json").stdout)
    users = {item["image"].partition("@")[0]: item["workloads"] for item in listed}
    assert users == {
        "docker.io/acme/units": ["support/units"],
        "ghcr.io/kagent-render/runtime:1.2": ["shop/clerk", "support/desk"],
        "mirror.example.com:5000/acme/orders-mcp:1.4.0": ["tools/orders"],
    }
    listed = json.loads(kagent_render("images", "tests/cases/build/mcp-sidecar/input", "-o", "json").stdout)
    assert {item["image"]: item["workloads"] for item in listed}["ghcr.io/acme/orders-mcp:1.4.0"] == [
        "shop/clerk",
        "shop/desk",
    ]
