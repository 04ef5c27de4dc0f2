"""What identifies a version in an environment, and what another environment needs to have the same.

Versions are the digests of images.lock, the Platform's image, and the prompts of agents. All else that environments
differ in (scale, hosts, Secrets) is theirs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from kagent_render.source.document import Document

Key = tuple[str, str, str]
PROMPT_FIELDS = ("systemMessage", "systemMessageFrom")
_FIELDS: Mapping[str, tuple[str, ...]] = {"Agent": PROMPT_FIELDS, "Platform": ("image",)}


@dataclass(frozen=True, slots=True)
class Version:
    """What an overlay says of a document's version; no value: the base's."""

    key: Key
    api_version: str
    path: str
    values: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class FieldEdit:
    """Set fields of a document in the target's overlay; None removes one. `path` is where it is, or shall be."""

    key: Key
    api_version: str
    path: str
    values: Mapping[str, Any]


@dataclass(slots=True)
class Promotion:
    """Everything to do: edits of overlays, prompt files to copy (target: source), digests to set, and it in words."""

    edits: list[FieldEdit] = field(default_factory=list)
    copies: dict[str, str] = field(default_factory=dict)
    digests: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)


def versions(overlays: Sequence[Document]) -> dict[Key, Version]:
    """What the overlays of an environment say of versions."""
    found: dict[Key, Version] = {}
    for document in overlays:
        data = document.data if isinstance(document.data, dict) else {}
        metadata, spec = data.get("metadata"), data.get("spec")
        if not isinstance(metadata, dict) or data.get("kind") not in _FIELDS:
            continue
        key = (str(data["kind"]), str(metadata.get("name")), str(metadata.get("namespace") or ""))
        given = spec if isinstance(spec, dict) else {}
        values = {name: given[name] for name in _FIELDS[key[0]] if name in given}
        before = found.get(key)
        # Several overlays of one document count together; what is to be changed is in the last that says it.
        path = before.path if before and not values else document.file.path
        merged = {**(before.values if before else {}), **values}
        found[key] = Version(key, str(data.get("apiVersion")), path, merged)
    return found


def promotion(
    folder: Path,
    source: tuple[str, Mapping[Key, Version], Mapping[str, str]],
    target: tuple[str, Mapping[Key, Version], Mapping[str, str]],
    agents: frozenset[str],
) -> Promotion:
    """What the target lacks. A side is its name, its overlays' versions and its digests; `agents` limits to prompts."""
    plan = Promotion()
    from_folder, to_folder = (folder / "environments" / name for name in (source[0], target[0]))
    for key in sorted({*source[1], *target[1]}):
        if agents and (key[0] != "Agent" or key[1] not in agents):
            continue
        _add(plan, key, source[1].get(key), target[1].get(key), from_folder, to_folder)
    for image, digest in sorted(source[2].items()):
        if not agents and target[2].get(image) != digest:
            plan.digests[image] = digest
            plan.lines.append(f"{image}: {_short(target[2].get(image))} -> {_short(digest)}")
    return plan


def _add(plan: Promotion, key: Key, new: Version | None, old: Version | None, source: Path, target: Path) -> None:
    path = old.path if old else (target / Path(new.path).relative_to(source)).as_posix() if new else ""
    wanted: dict[str, Any] = {}
    for name, value in new.values.items() if new else ():
        wanted[name] = value
        if name == "systemMessageFrom" and isinstance(value, dict) and isinstance(value.get("file"), str) and new:
            wanted[name] = {"file": _prompt(plan, value["file"], Path(new.path).parent, Path(path), source, target)}
    present = old.values if old else {}
    values = {name: wanted.get(name) for name in sorted({*wanted, *present}) if wanted.get(name) != present.get(name)}
    if not values:
        return
    version = old or new
    assert version is not None
    plan.edits.append(FieldEdit(key, version.api_version, path, values))
    plan.lines += [f"{key[0]} {key[1]}: {line}" for line in _in_words(values, present)]


def _prompt(plan: Promotion, name: str, place: Path, overlay: Path, source: Path, target: Path) -> str:
    """The prompt's path as the target's overlay writes it; a file of the source environment's own is copied."""
    file = Path(os.path.normpath(place / name))
    if file.is_relative_to(source):
        copy = target / file.relative_to(source)
        if not copy.is_file() or copy.read_bytes() != file.read_bytes():
            plan.copies[copy.as_posix()] = file.as_posix()
            plan.lines.append(f"{copy.as_posix()}: the prompt of {file.as_posix()}")
        file = copy
    return PurePosixPath(os.path.relpath(file, overlay.parent)).as_posix()


def _in_words(values: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{name} {_shown(present.get(name))} -> {_shown(value)}"


def _shown(value: Any) -> str:
    if value is None:
        return "as in the base"
    if isinstance(value, dict):
        return str(value.get("file", value))
    text = " ".join(str(value).split())
    return text if len(text) <= 60 else f"{text[:59]}…"


def _short(digest: str | None) -> str:
    return digest[:19] if digest else "not locked"
