"""Build the runtime image without a registry: a Debian base by debootstrap, wheels fetched once, buildah."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.containers import Containers

RUNTIME = Path(__file__).parents[2] / "runtime"
SUITE = "bookworm"
SUITE_PYTHON = "3.11"
PACKAGES = ("ca-certificates", "python3")
REPOSITORY = "localhost/kagent-render-test"


def runtime_image(containers: Containers) -> str:
    """Return the name of the image of the present sources, built unless the storage has it."""
    base = base_image(containers)
    wheels = wheelhouse(containers.cache)
    name = f"{REPOSITORY}/runtime:{_digest([base, *_context_files()])}"
    if not containers.has_image(name):
        _remove_older(containers, f"{REPOSITORY}/runtime")
        containers.run(
            *("buildah", "bud", "--layers", "--tag", name, "--volume", f"{wheels}:/wheels:ro"),
            *("--build-arg", f"BASE={base}", "--build-arg", "PIP_NO_INDEX=1"),
            *("--build-arg", "PIP_FIND_LINKS=/wheels", str(RUNTIME)),
        )
    return name


def base_image(containers: Containers) -> str:
    """Return the name of a Debian image with Python: what `BASE` names where there is a registry."""
    name = f"{REPOSITORY}/base:{_digest([SUITE, *PACKAGES])}"
    if not containers.has_image(name):
        with tempfile.TemporaryDirectory(dir=containers.cache) as folder:
            root = Path(folder) / "root"
            _debootstrap(root)
            archive = Path(folder) / "root.tar"
            subprocess.run(["tar", "-C", root, "-cf", archive, "."], check=True)
            # An imported image has no PATH of its own.
            path = "ENV PATH=/usr/local/bin:/usr/bin:/bin"
            containers.run("podman", "import", "--quiet", "--change", path, str(archive), name)
    return name


def _debootstrap(root: Path) -> None:
    mirror = os.environ.get("DEBIAN_MIRROR", "http://deb.debian.org/debian")
    include = f"--include={','.join(PACKAGES)}"
    command = ["debootstrap", "--variant=minbase", include, SUITE, str(root), mirror]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"debootstrap exited {done.returncode}:\n{done.stdout[-4000:]}{done.stderr}")
    shutil.rmtree(root / "var/cache/apt/archives")


def wheelhouse(cache: Path) -> Path:
    """Return a folder with the wheels the lock names, and pip's own, which Debian's Python lacks."""
    folder = cache / f"wheels-{_digest([RUNTIME / 'requirements.lock'])}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as fresh:
            locked = ["--require-hashes", "-r", str(RUNTIME / "requirements.lock")]
            _download(fresh, *locked, "--python-version", SUITE_PYTHON)
            _download(fresh, "pip")
            shutil.copytree(fresh, folder)
    return folder


def _download(folder: str, *wanted: str) -> None:
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *wanted], check=True)


def _context_files() -> list[Path]:
    """Return what the image is made of, in a stable order."""
    sources = (path for path in (RUNTIME / "kagent_runtime").rglob("*") if path.is_file())
    kept = sorted(path for path in sources if "__pycache__" not in path.parts)
    named = ("Dockerfile", ".dockerignore", "bootstrap_venv.sh", "requirements.lock")
    return [*(RUNTIME / name for name in named), *kept]


def _digest(parts: Iterable[str | Path]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            digest.update(str(part.relative_to(RUNTIME)).encode() + b"\0" + part.read_bytes() + b"\0")
        else:
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _remove_older(containers: Containers, repository: str) -> None:
    listed = containers.run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}", repository)
    for name in listed.split():
        containers.attempt("podman", "rmi", "--force", "--no-prune", name)
    # Untagged images are buildah's layer cache: worth keeping, but not for ever.
    containers.attempt("podman", "image", "prune", "--force", "--filter", "until=240h")
