"""Pod Security Standards: what the levels `baseline` and `restricted` forbid, by minor version of Kubernetes.

Source: k8s.io/pod-security-admission v0.37, policy/check_*.go; each check below names its file. Tests hold it to that
package's own fixtures (tests/unit/rules/test_pod_security.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal, NamedTuple

from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

JSON = Mapping[str, Any]
Level = Literal["baseline", "restricted"]
_CONTAINERS = ("initContainers", "containers", "ephemeralContainers")
_CAPABILITIES = frozenset(
    "AUDIT_WRITE CHOWN DAC_OVERRIDE FOWNER FSETID KILL MKNOD NET_BIND_SERVICE SETFCAP SETGID SETPCAP SETUID "
    "SYS_CHROOT".split()
)
_VOLUMES = frozenset(
    "configMap csi downwardAPI emptyDir ephemeral image persistentVolumeClaim projected secret".split()
)
_SELINUX_TYPES = ("", "container_t", "container_init_t", "container_kvm_t")
# By the minor that allowed them.
_SYSCTLS = {
    0: "kernel.shm_rmid_forced net.ipv4.ip_local_port_range net.ipv4.tcp_syncookies net.ipv4.ping_group_range "
    "net.ipv4.ip_unprivileged_port_start",
    27: "net.ipv4.ip_local_reserved_ports",
    29: "net.ipv4.tcp_keepalive_time net.ipv4.tcp_fin_timeout net.ipv4.tcp_keepalive_intvl "
    "net.ipv4.tcp_keepalive_probes",
    32: "net.ipv4.tcp_rmem net.ipv4.tcp_wmem",
    37: "net.ipv4.tcp_slow_start_after_idle net.ipv4.tcp_notsent_lowat",
}
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_SECCOMP_POD = "seccomp.security.alpha.kubernetes.io/pod"
_SECCOMP_CONTAINER = "container.seccomp.security.alpha.kubernetes.io/"


class _Pod(NamedTuple):
    metadata: JSON
    spec: JSON
    minor: int

    @property
    def annotations(self) -> JSON:
        return self.metadata.get("annotations") or {}

    @property
    def is_windows(self) -> bool:
        return bool(_get(self.spec, "os", "name") == "windows")

    @property
    def has_own_users(self) -> bool:
        """KEP-127: root in a user namespace is nobody on the node."""
        return self.minor >= 35 and self.spec.get("hostUsers") is False

    def containers(self) -> Iterator[tuple[Path, JSON]]:
        for key in _CONTAINERS:
            for index, container in enumerate(self.spec.get(key) or ()):
                yield ("spec", key, index), container

    def security(self) -> Iterator[tuple[Path, JSON]]:
        """The securityContext of the pod, then of every container; an absent one is empty."""
        yield ("spec", "securityContext"), self.spec.get("securityContext") or {}
        yield from self.container_security()

    def container_security(self) -> Iterator[tuple[Path, JSON]]:
        for path, container in self.containers():
            yield (*path, "securityContext"), container.get("securityContext") or {}


def _get(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _host_namespaces(pod: _Pod) -> Iterator[Defect]:
    """check_hostNamespaces.go."""
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if pod.spec.get(name):
            yield Defect(("spec", name), "shares a namespace of the node")


def _privileged(pod: _Pod) -> Iterator[Defect]:
    """check_privileged.go."""
    for path, security in pod.container_security():
        if security.get("privileged"):
            yield Defect((*path, "privileged"), "may not be true")


def _capabilities_baseline(pod: _Pod) -> Iterator[Defect]:
    """check_capabilities_baseline.go."""
    yield from _added(pod, _CAPABILITIES)


def _added(pod: _Pod, allowed: frozenset[str]) -> Iterator[Defect]:
    for path, security in pod.container_security():
        for name in _get(security, "capabilities", "add") or ():
            if name not in allowed:
                yield Defect((*path, "capabilities", "add"), f"may not have `{name}`")


def _capabilities_restricted(pod: _Pod) -> Iterator[Defect]:
    """check_capabilities_restricted.go."""
    if pod.minor < 22 or (pod.minor >= 25 and pod.is_windows):
        return
    for path, security in pod.container_security():
        if "ALL" not in (_get(security, "capabilities", "drop") or ()):
            yield Defect((*path, "capabilities", "drop"), "has to have `ALL`")
    yield from _added(pod, frozenset({"NET_BIND_SERVICE"}))


def _host_path_volumes(pod: _Pod) -> Iterator[Defect]:
    """check_hostPathVolumes.go."""
    for index, volume in enumerate(pod.spec.get("volumes") or ()):
        if volume.get("hostPath") is not None:
            yield Defect(("spec", "volumes", index, "hostPath"), "is a folder of the node")


def _restricted_volumes(pod: _Pod) -> Iterator[Defect]:
    """check_restrictedVolumes.go."""
    for index, volume in enumerate(pod.spec.get("volumes") or ()):
        kinds = [key for key, value in volume.items() if key != "name" and value is not None]
        # A volume that says nothing is an emptyDir, as the API server completes it.
        for kind in kinds if not _VOLUMES.intersection(kinds) else ():
            yield Defect(("spec", "volumes", index, kind), "is not a kind of volume that is allowed")


def _host_ports(pod: _Pod) -> Iterator[Defect]:
    """check_hostPorts.go."""
    for path, container in pod.containers():
        for index, port in enumerate(container.get("ports") or ()):
            if port.get("hostPort"):
                yield Defect((*path, "ports", index, "hostPort"), "is a port of the node")


def _host_probes(pod: _Pod) -> Iterator[Defect]:
    """check_hostProbesAndhostLifecycle.go."""
    places = [(name,) for name in ("livenessProbe", "readinessProbe", "startupProbe")]
    handlers = [*places, ("lifecycle", "postStart"), ("lifecycle", "preStop")]
    for path, container in pod.containers() if pod.minor >= 34 else ():
        for place in handlers:
            for kind in ("httpGet", "tcpSocket"):
                if _get(container, *place, kind, "host"):
                    yield Defect((*path, *place, kind, "host"), "may not be set: it would be asked from the node")


def _app_armor(pod: _Pod) -> Iterator[Defect]:
    """check_appArmorProfile.go."""
    for path, security in pod.security():
        profile = security.get("appArmorProfile")
        if profile is not None and profile.get("type") not in ("RuntimeDefault", "Localhost"):
            yield Defect((*path, "appArmorProfile", "type"), f"may not be `{profile.get('type')}`")
    for key, value in pod.annotations.items():
        is_allowed = value in ("", "runtime/default") or value.startswith("localhost/")
        if key.startswith(_APPARMOR) and not is_allowed:
            yield Defect(("metadata", "annotations", key), f"may not be `{value}`")


def _se_linux(pod: _Pod) -> Iterator[Defect]:
    """check_seLinuxOptions.go."""
    allowed = (*_SELINUX_TYPES, "container_engine_t") if pod.minor >= 31 else _SELINUX_TYPES
    for path, security in pod.security():
        options = security.get("seLinuxOptions") or {}
        if (options.get("type") or "") not in allowed:
            yield Defect((*path, "seLinuxOptions", "type"), f"may not be `{options['type']}`")
        for name in ("user", "role"):
            if options.get(name):
                yield Defect((*path, "seLinuxOptions", name), "may not be set")


def _proc_mount(pod: _Pod) -> Iterator[Defect]:
    """check_procMount_baseline.go."""
    if not pod.has_own_users:
        yield from _proc_mount_restricted(pod)


def _proc_mount_restricted(pod: _Pod) -> Iterator[Defect]:
    """check_procMount_restricted.go."""
    for path, security in pod.container_security():
        if security.get("procMount") not in (None, "Default"):
            yield Defect((*path, "procMount"), f"may not be `{security['procMount']}`")


def _sysctls(pod: _Pod) -> Iterator[Defect]:
    """check_sysctls.go."""
    allowed = {name for since, names in _SYSCTLS.items() if since <= pod.minor for name in names.split()}
    for index, item in enumerate(_get(pod.spec, "securityContext", "sysctls") or ()):
        if item["name"] not in allowed:
            yield Defect(("spec", "securityContext", "sysctls", index, "name"), f"may not be `{item['name']}`")


def _host_process(pod: _Pod) -> Iterator[Defect]:
    """check_windowsHostProcess.go."""
    for path, security in pod.security():
        if _get(security, "windowsOptions", "hostProcess"):
            yield Defect((*path, "windowsOptions", "hostProcess"), "may not be true")


def _seccomp_baseline(pod: _Pod) -> Iterator[Defect]:
    """check_seccompProfile_baseline.go."""
    if pod.minor >= 19:
        yield from _seccomp_types(pod)
        return
    keys = [_SECCOMP_POD, *(_SECCOMP_CONTAINER + container["name"] for _, container in pod.containers())]
    for key in keys:
        value = pod.annotations.get(key, "runtime/default")
        if value not in ("runtime/default", "docker/default") and not value.startswith("localhost/"):
            yield Defect(("metadata", "annotations", key), f"may not be `{value}`")


def _seccomp_types(pod: _Pod) -> Iterator[Defect]:
    for path, security in pod.security():
        profile = security.get("seccompProfile")
        if profile is not None and not _is_confined(profile):
            yield Defect((*path, "seccompProfile", "type"), f"may not be `{profile.get('type')}`")


def _is_confined(profile: JSON | None) -> bool:
    return _get(profile, "type") in ("RuntimeDefault", "Localhost")


def _seccomp_restricted(pod: _Pod) -> Iterator[Defect]:
    """check_seccompProfile_restricted.go."""
    if pod.minor < 19 or (pod.minor >= 25 and pod.is_windows):
        return
    yield from _seccomp_types(pod)
    if not _is_confined(_get(pod.spec, "securityContext", "seccompProfile")):
        for path, security in pod.container_security():
            if security.get("seccompProfile") is None:
                yield Defect((*path, "seccompProfile"), "is missing, and the pod has none")


def _privilege_escalation(pod: _Pod) -> Iterator[Defect]:
    """check_allowPrivilegeEscalation.go."""
    if pod.minor < 8 or (pod.minor >= 25 and pod.is_windows):
        return
    for path, security in pod.container_security():
        if security.get("allowPrivilegeEscalation") is not False:
            yield Defect((*path, "allowPrivilegeEscalation"), "has to be false")


def _run_as_non_root(pod: _Pod) -> Iterator[Defect]:
    """check_runAsNonRoot.go."""
    if pod.has_own_users:
        return
    of_pod = _get(pod.spec, "securityContext", "runAsNonRoot")
    if of_pod is False:
        yield Defect(("spec", "securityContext", "runAsNonRoot"), "has to be true")
    for path, security in pod.container_security():
        own = security.get("runAsNonRoot")
        if own is False or (own is None and not of_pod):
            yield Defect((*path, "runAsNonRoot"), "has to be true here or for the pod")


def _run_as_user(pod: _Pod) -> Iterator[Defect]:
    """check_runAsUser.go."""
    for path, security in pod.security() if pod.minor >= 23 and not pod.has_own_users else ():
        if security.get("runAsUser") == 0:
            yield Defect((*path, "runAsUser"), "may not be 0, which is root")


_Check = Callable[[_Pod], Iterator[Defect]]
_BASELINE: tuple[_Check, ...] = (
    _host_namespaces,
    _privileged,
    _host_ports,
    _host_probes,
    _app_armor,
    _se_linux,
    _sysctls,
    _host_process,
)
# What `restricted` has a check of its own for, which stands in for this one.
_REPLACED: tuple[tuple[_Check, _Check, int], ...] = (
    (_capabilities_baseline, _capabilities_restricted, 22),
    (_host_path_volumes, _restricted_volumes, 0),
    (_proc_mount, _proc_mount_restricted, 35),
    (_seccomp_baseline, _seccomp_restricted, 19),
)
_RESTRICTED: tuple[_Check, ...] = (_privilege_escalation, _run_as_non_root, _run_as_user)


def pod_security_defects(metadata: JSON, spec: JSON, level: Level, minor: str) -> Iterator[Defect]:
    """What a level forbids of a pod: paths begin at the pod, or at the template that has its metadata and spec."""
    pod = _Pod(metadata, spec, int(minor.partition(".")[2]))
    is_restricted = level == "restricted"
    for check in _BASELINE:
        yield from check(pod)
    for baseline, restricted, since in _REPLACED:
        yield from (restricted if is_restricted and pod.minor >= since else baseline)(pod)
    for check in _RESTRICTED if is_restricted else ():
        yield from check(pod)
