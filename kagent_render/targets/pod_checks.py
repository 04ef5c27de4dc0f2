"""What a pod template would not start with, or would start with and then misbehave: said before it is rendered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.specs.pod import EnvironmentVariable, Volume

RESERVED_PREFIX = "KAGENT_"
RESERVED_NAMES = ("POD_NAMESPACE",)
RESERVED_PATHS = (
    *("/etc/kagent", "/etc/kagent-auth", "/etc/kagent-python", "/etc/kagent-tls"),
    *("/var/lib/kagent", "/tmp", "/var/run/secrets"),
)
RESERVED_VOLUMES = ("config", "state", "tmp", "kube-api-access", "tls", "auth", "python")
_VARIABLE_SOURCES = ("value", "secretRef", "configMapRef")
_VOLUME_SOURCES = ("configMap", "secret", "persistentVolumeClaim", "emptyDir")


def check(workload: Workload) -> Iterator[Problem]:
    """Names and paths that are ours or taken twice, sources that are missing or two."""
    variables = workload.placement.env or []
    for index, variable in enumerate(variables):
        yield from _check_variable(variable, index)
    yield from _repeated([item.name for item in variables], "env", "name")
    volumes = workload.placement.volumes or []
    for index, volume in enumerate(volumes):
        yield from _check_volume(volume, index)
    yield from _repeated([item.name for item in volumes], "volumes", "name")
    yield from _repeated([item.mount_path for item in volumes], "volumes", "mountPath")


def _check_variable(item: EnvironmentVariable, index: int) -> Iterator[Problem]:
    if item.name.startswith(RESERVED_PREFIX) or item.name in RESERVED_NAMES:
        yield Problem("KR560", f"`{item.name}` is set by kagent-render", ("env", index, "name"), "use another name")
    given = [item.value, item.secret_ref, item.config_map_ref]
    yield from _one_source(given, _VARIABLE_SOURCES, ("env", index))


def _check_volume(item: Volume, index: int) -> Iterator[Problem]:
    place = ("volumes", index)
    if item.name in RESERVED_VOLUMES:
        yield Problem("KR560", f"the pod has a volume `{item.name}` already", (*place, "name"), "use another name")
    inside = [path for path in RESERVED_PATHS if f"{item.mount_path}/".startswith(f"{path}/")]
    if inside or any(path.startswith(f"{item.mount_path}/") for path in RESERVED_PATHS):
        message = f"`{item.mount_path}` is where the runtime has files of its own"
        yield Problem("KR560", message, (*place, "mountPath"), "mount it elsewhere, such as below /data")
    given = [item.config_map, item.secret, item.persistent_volume_claim, item.empty_dir]
    yield from _one_source(given, _VOLUME_SOURCES, place)
    if not item.read_only and (item.config_map or item.secret):
        message = f"the files of `{item.config_map or item.secret}` cannot be written"
        yield Problem("KR561", message, (*place, "readOnly"), "remove `readOnly: false`")


def _one_source(given: Sequence[object], names: Sequence[str], place: tuple[str, int]) -> Iterator[Problem]:
    present = [name for name, value in zip(names, given, strict=True) if value is not None]
    if len(present) != 1:
        found = " and ".join(f"`{name}`" for name in present) or "no source"
        help = "give exactly one of " + ", ".join(names)
        yield Problem("KR561", f"`{place[0]}[{place[1]}]` has {found}", place, help)


def _repeated(values: list[str], field: str, name: str) -> Iterator[Problem]:
    for index, value in enumerate(values):
        if value in values[:index]:
            yield Problem("KR204", f"`{value}` is listed twice", (field, index, name), "remove one")
