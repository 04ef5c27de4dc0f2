"""`kagent-render images`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from kagent_render.cli.output import report, say
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.emit import emit
from kagent_render.lower.image import named_images
from kagent_render.source.image_lock import FILE
from kagent_render.source.lock_files import lock_paths

_TOOLS = {
    "crane": ("crane", "digest"),
    "skopeo": ("skopeo", "inspect", "--no-tags", "--format", "{{.Digest}}"),
}


def run(
    paths: Sequence[str],
    namespace: str | None,
    environment: str | None,
    output: str,
    is_lock: bool,
    templates: str | None,
) -> int:
    """Print every image that is rendered, or write their digests to images.lock. Raises UsageError, OSError."""
    compilation = compile_paths(paths, namespace, environment, templates=templates, is_locked=not is_lock)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    if is_lock:
        return _lock(compilation, paths, environment)
    images = images_of(compilation)
    if output == "json":
        click.echo(json.dumps([{"image": image, "workloads": users} for image, users in images.items()], indent=2))
    else:
        for image in images:
            click.echo(image)
    return 0


def images_of(compilation: Compilation) -> dict[str, list[str]]:
    """Every image with the workloads that run it, both sorted."""
    found: dict[str, set[str]] = {}
    for item in compilation.objects:
        for image in _images(item.data):
            found.setdefault(image, set()).add(item.path.rpartition("/")[0])
    return {image: sorted(found[image]) for image in sorted(found)}


def _images(value: Any) -> Iterator[str]:
    """The images of all containers, wherever in an object a pod is described."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in ("containers", "initContainers"):
                yield from (container["image"] for container in item)
            yield from _images(item)
    elif isinstance(value, list):
        for item in value:
            yield from _images(item)


def _lock(compilation: Compilation, paths: Sequence[str], environment: str | None) -> int:
    places = lock_paths(paths, environment, FILE)
    if not places:
        raise click.UsageError(f"{FILE} stands beside specs: name a folder")
    digests = {name: _digest(name) for name in named_images(compilation.graph) if "@" not in name}
    target = places[-1] if environment else places[0]
    text = f"# Written by `kagent-render images --lock`.\n{emit({'images': digests})}"
    if target.exists() and target.read_text(encoding="utf-8") == text:
        say(f"{target.as_posix()}: up to date")
        return 0
    temporary = target.with_name(f".{FILE}.new")
    temporary.write_text(text, encoding="utf-8", newline="\n")
    os.replace(temporary, target)
    say(f"wrote {target.as_posix()}: {len(digests)} images")
    return 0


def _digest(image: str) -> str:
    """Ask the image's registry, by the tool that is there and has the credentials."""
    tool = next((name for name in _TOOLS if shutil.which(name)), None)
    if tool is None:
        raise click.UsageError("--lock needs `crane` or `skopeo` to ask the registry; neither is installed")
    reference = image if tool == "crane" else f"docker://{image}"
    try:
        done = subprocess.run([*_TOOLS[tool], reference], capture_output=True, text=True, check=False, timeout=120)
    except subprocess.TimeoutExpired:
        raise click.UsageError(f"the registry of `{image}` did not answer within two minutes") from None
    digest = done.stdout.strip()
    if done.returncode or not digest.startswith("sha256:"):
        reason = (done.stderr.strip().splitlines() or ["no digest"])[-1]
        raise click.UsageError(f"{tool} cannot find the digest of `{image}`: {reason}")
    return digest
