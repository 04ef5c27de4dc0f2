"""Volumes of a pod.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidateVolumes, validateVolumeSource.
"""

from __future__ import annotations

from kagent_render.rules.downward import FILE_FIELDS, field_reference, resource_reference
from kagent_render.rules.grammar import config_key, label, quantity, shown, subdomain
from kagent_render.rules.walk import JSON, Found, between, each, exactly_one, one_of, required
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_PROJECTED = ("secret", "configMap", "downwardAPI", "serviceAccountToken", "clusterTrustBundle", "podCertificate")
_HOST_PATHS = (
    "DirectoryOrCreate",
    "Directory",
    "FileOrCreate",
    "File",
    "Socket",
    "CharDevice",
    "BlockDevice",
)
_TOKEN_SECONDS = (600, 1 << 32)


def volumes(spec: JSON, path: Path) -> Found:
    """All volumes of a pod's spec."""
    for volume, place in each(spec, "volumes", path):
        yield from required(volume, "name", place, label)
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        # One that says nothing is an emptyDir.
        for kind in kinds[1:]:
            yield Defect((*place, kind), f"is a second kind of volume beside `{kinds[0]}`")
        for kind in kinds[:1]:
            if kind in _KINDS:
                yield from _KINDS[kind](volume[kind], (*place, kind))


def _empty_dir(source: JSON, path: Path) -> Found:
    size = source.get("sizeLimit")
    if size is not None:
        number = quantity(size)
        if number is None or number < 0:
            yield Defect((*path, "sizeLimit"), f"{shown(size)} is not a quantity such as 64Mi")


def _config_map(source: JSON, path: Path) -> Found:
    yield from required(source, "name", path)
    yield from _files(source, path)


def _secret(source: JSON, path: Path) -> Found:
    yield from required(source, "secretName", path)
    yield from _files(source, path)


def _files(source: JSON, path: Path) -> Found:
    """validateKeyToPath."""
    yield from between(source, "defaultMode", 0, 0o777, path)
    for item, place in each(source, "items", path):
        yield from required(item, "key", place)
        yield from required(item, "path", place, _local_path)
        yield from between(item, "mode", 0, 0o777, place)


def _projected(source: JSON, path: Path) -> Found:
    """validateProjectionSources."""
    yield from between(source, "defaultMode", 0, 0o777, path)
    seen: set[str] = set()
    for item, place in each(source, "sources", path):
        kinds = [key for key in _PROJECTED if item.get(key) is not None]
        for kind in kinds[1:]:
            yield Defect((*place, kind), f"is a second source beside `{kinds[0]}`")
        for kind in kinds:
            yield from _projection(kind, item[kind], (*place, kind))
            # Only files that are named can meet. A token's path is not among those compared.
            for file, at in each(item[kind], "items", (*place, kind)):
                if file.get("path") and file["path"] in seen:
                    yield Defect((*at, "path"), f"{shown(file['path'])} is there twice")
                seen.add(file.get("path") or "")


def _projection(kind: str, source: JSON, path: Path) -> Found:
    if kind in ("secret", "configMap"):
        yield from required(source, "name", path)
        yield from _files(source, path)
    elif kind == "serviceAccountToken":
        yield from required(source, "path", path, _local_path)
        yield from between(source, "expirationSeconds", *_TOKEN_SECONDS, path)
    elif kind == "downwardAPI":
        yield from _downward(source, path)


def _downward(source: JSON, path: Path) -> Found:
    yield from between(source, "defaultMode", 0, 0o777, path)
    for item, place in each(source, "items", path):
        yield from required(item, "path", place, _local_path)
        yield from between(item, "mode", 0, 0o777, place)
        yield from exactly_one(item, ("fieldRef", "resourceFieldRef"), place, "source")
        if item.get("fieldRef") is not None:
            yield from field_reference(item["fieldRef"], (*place, "fieldRef"), FILE_FIELDS)
        elif item.get("resourceFieldRef") is not None:
            yield from required(item["resourceFieldRef"], "containerName", (*place, "resourceFieldRef"))
            yield from resource_reference(item["resourceFieldRef"], (*place, "resourceFieldRef"))


def _claim(source: JSON, path: Path) -> Found:
    yield from required(source, "claimName", path)


def _host_path(source: JSON, path: Path) -> Found:
    yield from required(source, "path", path)
    yield from one_of(source, "type", _HOST_PATHS, path)
    if ".." in (source.get("path") or "").split("/"):
        yield Defect((*path, "path"), "may not have `..`")


def _csi(source: JSON, path: Path) -> Found:
    yield from required(source, "driver", path, subdomain)


def _image(source: JSON, path: Path) -> Found:
    yield from required(source, "reference", path)


_KINDS = {
    "configMap": _config_map,
    "csi": _csi,
    "downwardAPI": _downward,
    "emptyDir": _empty_dir,
    "hostPath": _host_path,
    "image": _image,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "secret": _secret,
}


def descending_path(text: str) -> str | None:
    """validateLocalDescendingPath: a relative path that does not lead up."""
    is_bad = text.startswith("/") or ".." in text.split("/")
    return f"{shown(text)} has to be relative and without `..`" if is_bad else None


def descending_from_root(text: str) -> str | None:
    """validatePathNoBacksteps: a path that does not lead up."""
    return f"{shown(text)} may not have `..`" if ".." in text.split("/") else None


def _local_path(text: str) -> str | None:
    """ValidateLocalNonReservedPath."""
    is_reserved = text.startswith("..") and not text.startswith("../")
    return f"{shown(text)} may not begin with `..`" if is_reserved else descending_path(text)


def data_keys(item: JSON, keys: tuple[str, ...], path: Path) -> Found:
    """The keys of a ConfigMap or Secret: ValidateConfigMap."""
    seen: set[str] = set()
    for key in keys:
        for name in item.get(key) or ():
            if message := config_key(name):
                yield Defect((*path, key, name), message)
            if name in seen:
                yield Defect((*path, key, name), "is there twice")
            seen.add(name)
