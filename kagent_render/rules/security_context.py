"""Security contexts as far as the API server itself looks at them; what a namespace forbids is in pod_security.py.

Source: k8s.io/kubernetes, pkg/apis/core/validation/validation.go: ValidateSecurityContext,
validatePodSpecSecurityContext.
"""

from __future__ import annotations

import re

from kagent_render.rules.grammar import shown
from kagent_render.rules.walk import JSON, Found, between, each, not_one_of, one_of, part, required
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_PROFILES = ("Localhost", "RuntimeDefault", "Unconfined")
_SEGMENT = "[a-z0-9]([-_a-z0-9]*[a-z0-9])?"
_SYSCTL = re.compile(rf"({_SEGMENT}[./])*{_SEGMENT}")
_LARGEST_ID = (1 << 31) - 1
_IDS = ("runAsUser", "runAsGroup", "fsGroup")


def pod_security_context(security: JSON, path: Path) -> Found:
    """Of a pod."""
    yield from _common(security, path)
    for name in ("fsGroupChangePolicy",):
        yield from one_of(security, name, ("Always", "OnRootMismatch"), path)
    yield from one_of(security, "supplementalGroupsPolicy", ("Merge", "Strict"), path)
    for index, group in enumerate(security.get("supplementalGroups") or ()):
        if not 0 <= (group or 0) <= _LARGEST_ID:
            yield Defect((*path, "supplementalGroups", index), f"{shown(group)} is not a group")
    policy, known = security.get("seLinuxChangePolicy"), ("MountOption", "Recursive")
    if policy is not None and policy not in known:
        yield Defect((*path, "seLinuxChangePolicy"), not_one_of(policy, known))
    for sysctl, place in each(security, "sysctls", path):
        yield from required(sysctl, "name", place, _sysctl)


def _sysctl(text: str) -> str | None:
    """IsValidSysctlName."""
    is_good = len(text) <= 253 and _SYSCTL.fullmatch(text)
    return None if is_good else f"{shown(text)} is not the name of a sysctl"


def container_security_context(security: JSON, path: Path) -> Found:
    """Of a container."""
    yield from _common(security, path)
    kinds = ("Default", "Unmasked")
    if security.get("procMount") is not None and security["procMount"] not in kinds:
        yield Defect((*path, "procMount"), not_one_of(security["procMount"], kinds))
    if security.get("allowPrivilegeEscalation") is False:
        if security.get("privileged"):
            yield Defect((*path, "privileged"), "may not be true where `allowPrivilegeEscalation` is false")
        if "CAP_SYS_ADMIN" in (part(security, "capabilities").get("add") or ()):
            add = (*path, "capabilities", "add")
            yield Defect(add, "may not have `CAP_SYS_ADMIN` where `allowPrivilegeEscalation` is false")


def _common(security: JSON, path: Path) -> Found:
    for name in _IDS:
        yield from between(security, name, 0, _LARGEST_ID, path)
    for name in ("seccompProfile", "appArmorProfile"):
        if security.get(name) is not None:
            yield from _profile(security[name], (*path, name))


def _profile(profile: JSON, path: Path) -> Found:
    """validateSeccompProfileField, ValidateAppArmorProfileField."""
    kind, file = profile.get("type") or "", profile.get("localhostProfile")
    if kind not in _PROFILES:
        yield Defect((*path, "type"), not_one_of(kind, _PROFILES))
    elif kind == "Localhost" and not file:
        yield Defect((*path, "localhostProfile"), "is missing for the type `Localhost`")
    elif kind != "Localhost" and file is not None:
        yield Defect((*path, "localhostProfile"), f"may not be there for the type `{kind}`")
