"""What `diff` compares with: the manifests of a folder, or what the paths compiled to at a Git revision."""

from __future__ import annotations

import io
import re
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import click
import yaml

from kagent_render.compiler import Compilation, compile_paths
from kagent_render.sinks.layout import KUSTOMIZATION
from kagent_render.source import prompts, python_files

_NAMED = (*prompts.SUFFIXES, *python_files.SUFFIXES)
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def folder_objects(folder: Path) -> list[dict[str, Any]]:
    """The objects in the files that a folder's kustomization lists. Raises UsageError, OSError."""
    kustomization = folder / KUSTOMIZATION
    if not kustomization.is_file():
        raise click.UsageError(f"`{folder.as_posix()}` has no {KUSTOMIZATION}: `build -o` writes one")
    listed = [name for document in _documents(kustomization) for name in document.get("resources") or ()]
    found = []
    for name in listed:
        if not isinstance(name, str) or PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise click.UsageError(f"`{kustomization.as_posix()}` lists `{name}`, which is not below the folder")
        found += _documents(folder / name)
    return found


def _documents(path: Path) -> list[dict[str, Any]]:
    try:
        documents = [item for item in yaml.load_all(path.read_bytes(), _Loader) if item is not None]
    except yaml.YAMLError as error:
        raise click.UsageError(f"`{path.as_posix()}` is not YAML: {str(error).splitlines()[0]}") from None
    for document in documents:
        is_named = path.name == KUSTOMIZATION or _is_object(document)
        if not isinstance(document, dict) or not is_named:
            raise click.UsageError(f"`{path.as_posix()}` holds something that is not a Kubernetes object")
    return documents


def _is_object(document: Any) -> bool:
    return isinstance(document, dict) and all(
        (isinstance(document.get("metadata"), dict) and document["metadata"].get("name"), *map(document.get, _FIELDS))
    )


_FIELDS = ("apiVersion", "kind")


def compile_revision(
    paths: Sequence[str], revision: str, namespace: str | None, environment: str | None, templates: str | None = None
) -> Compilation | None:
    """Compile the paths as they were; None when none of them was there. Raises UsageError, OSError."""
    with tempfile.TemporaryDirectory(prefix="kagent-render-") as folder:
        earlier = list(_extract(paths, revision, Path(folder)))
        return compile_paths(earlier, namespace, environment, templates=templates) if earlier else None


def _extract(paths: Sequence[str], revision: str, folder: Path) -> Iterator[str]:
    for number, given in enumerate(paths):
        path = Path(given).resolve()
        top = _top(path)
        commit = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        if commit is None:
            raise click.UsageError(f"`{revision}` is not a Git revision of {top.as_posix()}")
        below = path.relative_to(top).as_posix()
        sha = commit.decode().strip()
        if below != "." and _git(top, "cat-file", "-e", f"{sha}:{below}") is None:
            continue
        archive = _git(top, "archive", "--format=tar", sha, "--", below, *_named_files(top, sha, path))
        if archive is None:
            raise click.UsageError(f"git cannot archive `{given}` at `{revision}`")
        target = folder / str(number)
        try:
            with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
                tar.extractall(target, filter="data")
        except tarfile.TarError as error:  # such as a link that leads outside
            raise click.UsageError(f"`{given}` at `{revision}` cannot be unpacked: {error}") from None
        yield str(target / below)


def _named_files(top: Path, sha: str, path: Path) -> list[str]:
    """Pathspecs of the files that a spec given by its own name may refer to; those of a folder are in it."""
    if path.is_dir():
        return []
    parent = path.parent.relative_to(top).as_posix()
    listed = _git(top, "ls-tree", "-r", "-z", "--name-only", "--full-tree", sha, "--", f"{parent}/") or b""
    names = listed.decode("utf-8", "surrogateescape").split("\0")
    # A pattern that matches nothing makes `git archive` fail.
    globs = [f":(glob){_escaped(parent)}/**/*{suffix}" for suffix in _NAMED if any(n.endswith(suffix) for n in names)]
    return [pattern.replace("(glob)./", "(glob)") for pattern in globs]


def _escaped(folder: str) -> str:
    return re.sub(r"([*?\[\\])", r"\\\1", folder)


def _top(path: Path) -> Path:
    start = path if path.is_dir() else path.parent
    found = _git(start, "rev-parse", "--show-toplevel")
    if found is None:
        raise click.UsageError(f"`{path.as_posix()}` is not in a Git repository, which --rev needs")
    return Path(found.decode().removesuffix("\n")).resolve()


def _git(folder: Path, *arguments: str) -> bytes | None:
    """The output of a Git command, or None when it fails."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, check=False, timeout=120)
    except FileNotFoundError:
        raise click.UsageError("--rev needs `git`, which is not installed") from None
    except subprocess.TimeoutExpired:
        raise click.UsageError("git did not answer within two minutes") from None
    return done.stdout if done.returncode == 0 else None
