"""`images.lock`: the digest that each image name stands for, kept beside the specs or in an environment."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kagent_render.diagnostics import Diagnostics, Span
from kagent_render.source.discover import SourceFile
from kagent_render.source.document import Document, read_documents
from kagent_render.source.lock_files import lock_files

FILE = "images.lock"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class ImageLock:
    """Digests by image name, and the files they were read from. No files: nothing is locked."""

    files: tuple[SourceFile, ...] = ()
    digests: tuple[tuple[str, str], ...] = ()

    @property
    def span(self) -> Span | None:
        """The place to point at when an image is missing: the file that counts most."""
        return Span(self.files[-1].path, 1, 1) if self.files else None

    def pinned(self, image: str) -> str | None:
        """The image with its digest, or None when the lock has none for it."""
        if "@" in image:
            return image
        digest = dict(self.digests).get(image)
        return f"{image}@{digest}" if digest else None


def read_lock(paths: Sequence[str], environment: str | None, diagnostics: Diagnostics) -> ImageLock:
    """Read every lock there is; a malformed one is a KR562."""
    files = lock_files(paths, environment, FILE, diagnostics)
    digests: dict[str, str] = {}
    for file in files:
        digests |= _digests(file, diagnostics)
    return ImageLock(tuple(files), tuple(sorted(digests.items())))


def _digests(file: SourceFile, diagnostics: Diagnostics) -> dict[str, str]:
    found: dict[str, str] = {}
    for document in read_documents(file, diagnostics):
        images = document.data.get("images") if isinstance(document.data, dict) else None
        if not isinstance(images, dict) or set(document.data) != {"images"}:
            help = "images:\n  <image>: sha256:<64 hexadecimal digits>"
            diagnostics.add("KR562", "the lock is not a mapping of images", document.span_of(()), help=help)
            continue
        for name, digest in images.items():
            if _is_entry(name, digest, document, diagnostics):
                found[name] = digest
    return found


def _is_entry(name: Any, digest: Any, document: Document, diagnostics: Diagnostics) -> bool:
    if isinstance(digest, str) and _DIGEST.match(digest):
        return True
    span = document.span_of(("images", name))
    help = "a digest is sha256: and 64 hexadecimal digits; `kagent-render images --lock` writes them"
    diagnostics.add("KR562", f"`{digest}` is not a digest", span, help=help)
    return False
