"""`images --lock` asks a real registry with a real skopeo, and what is built from then on is pinned."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.harness import CASES, kagent_render

REQUIRED = ("docker-registry", "skopeo")


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of an empty registry on loopback."""
    missing = [name for name in REQUIRED if shutil.which(name) is None]
    if missing:
        stop = pytest.fail if os.environ.get("REQUIRE_CONTAINERS") == "1" else pytest.skip
        stop(f"not installed: {', '.join(missing)}")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    config = {"version": 0.1, "storage": {"filesystem": {"rootdirectory": str(tmp_path / "blobs")}}}
    (tmp_path / "registry.yml").write_text(json.dumps(config | {"http": {"addr": address}, "log": {"level": "error"}}))
    server = subprocess.Popen(["docker-registry", "serve", str(tmp_path / "registry.yml")], stderr=subprocess.DEVNULL)
    try:
        _wait(f"http://{address}/v2/")
        yield address
    finally:
        server.terminate()
        server.wait()


def _wait(url: str) -> None:
    for _ in range(100):
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the registry did not start")


def _image(folder: Path, text: str) -> Path:
    """An OCI layout with one image that has no files, only a label."""
    blobs = folder / "blobs/sha256"
    blobs.mkdir(parents=True)

    def blob(data: Mapping[str, object], media_type: str) -> dict[str, object]:
        raw = json.dumps(data).encode()
        digest = hashlib.sha256(raw).hexdigest()
        (blobs / digest).write_bytes(raw)
        return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(raw)}

    oci = "application/vnd.oci.image"
    platform = {"architecture": "amd64", "os": "linux", "config": {"Labels": {"text": text}}}
    config = blob(platform | {"rootfs": {"type": "layers", "diff_ids": []}}, f"{oci}.config.v1+json")
    manifest = blob({"schemaVersion": 2, "config": config, "layers": []}, f"{oci}.manifest.v1+json")
    (folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
    (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return folder


def _push(layout: Path, reference: str) -> str:
    command = ["skopeo", "copy", "-q", "--dest-tls-verify=false", f"oci:{layout}", f"docker://{reference}"]
    subprocess.run(command, check=True, timeout=60)
    digest: str = json.loads((layout / "index.json").read_text())["manifests"][0]["digest"]
    return digest


def test_a_lock_follows_the_registry_only_when_it_is_asked_to(tmp_path: Path, registry: str) -> None:
    """A moved tag changes nothing until `--lock` runs again; then the diff shows the new digest."""
    image = f"{registry}/agents/runtime:1.2"
    settings = {"HOME": str(tmp_path)}
    (tmp_path / ".config/containers").mkdir(parents=True)
    (tmp_path / ".config/containers/registries.conf").write_text(
        f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n'
    )
    shutil.copytree(CASES / "build/images/input", tmp_path / "agents")
    specs = tmp_path / "agents/specs.yaml"
    specs.write_text(specs.read_text().replace("ghcr.io/kagent-render/runtime:1.2", image))

    unlocked = kagent_render("build", "agents", cwd=tmp_path)
    assert "error[KR563]" in unlocked.stderr
    first = _push(_image(tmp_path / "one", "one"), image)
    locked = kagent_render("images", "agents", "--lock", cwd=tmp_path, **settings)
    assert (locked.code, locked.stdout) == (0, ""), locked.stderr
    assert kagent_render("images", "agents", cwd=tmp_path).stdout == f"{image}@{first}\n"

    second = _push(_image(tmp_path / "two", "two"), image)
    assert second != first
    assert f'image: "{image}@{first}"' in kagent_render("build", "agents", cwd=tmp_path).stdout
    kagent_render("images", "agents", "--lock", cwd=tmp_path, **settings)
    assert kagent_render("images", "agents", cwd=tmp_path).stdout == f"{image}@{second}\n"
    again = kagent_render("images", "agents", "--lock", cwd=tmp_path, **settings)
    assert again.stderr == "agents/images.lock: up to date\n"


def test_the_image_of_a_server_is_locked_too(tmp_path: Path, registry: str) -> None:
    """As the spec names it, also where manifests pull it from a mirror; that of a tool nobody uses is not asked for."""
    shutil.copytree(CASES / "build/mcp-server/input", tmp_path / "agents")
    (tmp_path / ".config/containers").mkdir(parents=True)
    (tmp_path / ".config/containers/registries.conf").write_text(
        f'[[registry]]\nlocation = "{registry}"\ninsecure = true\n'
    )
    specs = tmp_path / "agents/specs.yaml"
    text = specs.read_text().replace("ghcr.io/kagent-render/runtime:1.2", f"{registry}/runtime:1.2")
    specs.write_text(text.replace("ghcr.io/acme", f"{registry}/acme"))
    _push(_image(tmp_path / "one", "one"), f"{registry}/runtime:1.2")
    digest = _push(_image(tmp_path / "two", "two"), f"{registry}/acme/orders-mcp:1.4.0")
    locked = kagent_render("images", "agents", "--lock", cwd=tmp_path, HOME=str(tmp_path))
    assert (locked.code, locked.stderr) == (0, "wrote agents/images.lock: 2 images\n")
    listed = kagent_render("images", "agents", cwd=tmp_path).stdout
    assert f"mirror.example.com:5000/acme/orders-mcp:1.4.0@{digest}\n" in listed


def test_an_image_that_is_not_there_is_said_in_a_line(tmp_path: Path, registry: str) -> None:
    """And the lock that there is stays as it was."""
    shutil.copytree(CASES / "build/images/input", tmp_path / "agents")
    specs = tmp_path / "agents/specs.yaml"
    specs.write_text(specs.read_text().replace("ghcr.io/kagent-render/runtime:1.2", f"{registry}/no/such:1"))
    before = (tmp_path / "agents/images.lock").read_text()
    outcome = kagent_render("images", "agents", "--lock", cwd=tmp_path)
    assert (outcome.code, outcome.stdout) == (2, "")
    assert f"skopeo cannot find the digest of `{registry}/no/such:1`" in outcome.stderr
    assert "Traceback" not in outcome.stderr
    assert (tmp_path / "agents/images.lock").read_text() == before
