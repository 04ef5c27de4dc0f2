"""Build the runtime image without a registry: a Debian base by debootstrap, wheels fetched once, buildah."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import Requirement

from tests.e2e.containers import Containers

ROOT = Path(__file__).parents[2]
RUNTIME = ROOT / "runtime"
SUITE = "bookworm"
SUITE_PYTHON = "3.11.2"
PACKAGES = ("ca-certificates", "python3")
REPOSITORY = "localhost/kagent-render-test"


def runtime_image(containers: Containers) -> str:
    """Return the name of the image of the present sources, built unless the storage has it."""
    named = ("Dockerfile", ".dockerignore", "bootstrap_venv.sh", "requirements.lock")
    files = [*(RUNTIME / name for name in named), *_files(RUNTIME / "kagent_runtime")]
    return _image(containers, "runtime", RUNTIME, RUNTIME / "Dockerfile", RUNTIME / "requirements.lock", files)


def plugin_image(containers: Containers) -> str:
    """Return the name of the image of Argo CD's plugin, built unless the storage has it."""
    dockerfile, lock = RUNTIME / "argocd.Dockerfile", RUNTIME / "argocd.lock"
    own = [*_files(ROOT / "kagent_render"), *_files(ROOT / "templates")]
    files = [dockerfile, lock, ROOT / ".dockerignore", RUNTIME / "bootstrap_venv.sh", *own]
    return _image(containers, "argocd-plugin", ROOT, dockerfile, lock, files)


def _image(
    containers: Containers, title: str, context: Path, dockerfile: Path, lock: Path, files: Sequence[Path]
) -> str:
    base = base_image(containers)
    wheels = wheelhouse(containers.cache, lock)
    name = f"{REPOSITORY}/{title}:{_digest([base, *files])}"
    if not containers.has_image(name):
        _remove_older(containers, f"{REPOSITORY}/{title}")
        containers.run(
            *("buildah", "bud", "--layers", "--tag", name, "--volume", f"{wheels}:/wheels:ro"),
            *("--build-arg", f"BASE={base}", "--build-arg", "PIP_NO_INDEX=1"),
            *("--build-arg", "PIP_FIND_LINKS=/wheels", "--file", str(dockerfile), str(context)),
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


def wheelhouse(cache: Path, lock: Path = RUNTIME / "requirements.lock") -> Path:
    """Return a folder with the wheels the lock names, and pip's own, which Debian's Python lacks."""
    folder = cache / f"wheels-{_digest([lock, SUITE_PYTHON])}"
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=cache) as fresh, tempfile.NamedTemporaryFile("w", suffix=".txt") as chosen:
            chosen.write(_chosen(lock.read_text("utf-8")))
            chosen.flush()
            _download(fresh, "--require-hashes", "-r", chosen.name, "--python-version", SUITE_PYTHON)
            _download(fresh, "pip")
            shutil.copytree(fresh, folder)
    return folder


def _chosen(lock: str) -> str:
    """The entries for the image's Python: pip asks its own for the markers (https://github.com/pypa/pip/issues/11664)."""
    environment = {"python_full_version": SUITE_PYTHON, "python_version": SUITE_PYTHON.rpartition(".")[0]}
    kept, is_kept = [], True
    for line in lock.splitlines():
        if line and line[0] not in " #":
            requirement = Requirement(line.removesuffix("\\"))
            is_kept = requirement.marker is None or requirement.marker.evaluate(environment)
            line = f"{requirement.name}{requirement.specifier} \\"
        if is_kept:
            kept.append(line)
    return "\n".join(kept) + "\n"


def _download(folder: str, *wanted: str) -> None:
    options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
    subprocess.run([sys.executable, "-m", "pip", "download", *options, *wanted], check=True)


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder that an image may hold, in a stable order."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)


def _digest(parts: Iterable[str | Path]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        if isinstance(part, Path):
            digest.update(str(part.relative_to(ROOT)).encode() + b"\0" + part.read_bytes() + b"\0")
        else:
            digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _remove_older(containers: Containers, repository: str) -> None:
    listed = containers.run("podman", "images", "--format", "{{.Repository}}:{{.Tag}}", repository)
    for name in listed.split():
        containers.attempt("podman", "rmi", "--force", "--no-prune", name)
    # Untagged images are buildah's layer cache: worth keeping, but not for ever.
    containers.attempt("podman", "image", "prune", "--force", "--filter", "until=240h")
