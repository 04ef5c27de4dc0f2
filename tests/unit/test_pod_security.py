"""The Pod Security checker against the fixtures of k8s.io/pod-security-admission, every level and every minor."""

from __future__ import annotations

import hashlib
import json
import lzma
from typing import Any

import pytest

from kagent_render.rules import pod_security_defects
from kagent_render.schemas import MINORS
from tests.contract.generate_pod_security import MODULE, TARGET

_SHA256 = "fb1e683a4bd8c05794b771763cd03d93f442305f11fd2c222e51d5a474bdba50"
_DATA: dict[str, Any] = json.loads(lzma.decompress(TARGET.read_bytes()))


def test_the_fixtures_are_those_of_the_module() -> None:
    """As `python -m tests.contract.generate_pod_security` writes them; every supported minor is among them."""
    assert hashlib.sha256(TARGET.read_bytes()).hexdigest() == _SHA256
    assert _DATA["module"] == MODULE
    assert {minor for _, minor, _, _, _ in _DATA["fixtures"]} >= set(MINORS)


@pytest.mark.parametrize("level", ["baseline", "restricted"])
def test_it_agrees_with_every_fixture(level: Any) -> None:
    """What upstream refuses is refused and what it admits is admitted: 4,537 verdicts in all."""
    fixtures = [fixture for fixture in _DATA["fixtures"] if fixture[0] == level]
    wrong = []
    for _, minor, verdict, name, index in fixtures:
        pod = _DATA["pods"][index]
        found = list(pod_security_defects(pod["metadata"], pod["spec"], level, minor))
        if bool(found) != (verdict == "fail"):
            wrong.append((minor, verdict, name, found))
    assert wrong == []
    assert len(fixtures) == {"baseline": 1555, "restricted": 2982}[level]


def test_a_defect_leads_to_the_field() -> None:
    """In words for people."""
    container = {"name": "a", "securityContext": {"privileged": True, "runAsUser": 0}}
    found = pod_security_defects({}, {"containers": [container], "hostNetwork": True}, "restricted", "1.37")
    told = [(".".join(map(str, defect.path)), defect.message) for defect in found]
    assert ("spec.hostNetwork", "shares a namespace of the node") in told
    assert ("spec.containers.0.securityContext.privileged", "may not be true") in told
    assert ("spec.containers.0.securityContext.runAsUser", "may not be 0, which is root") in told


def test_a_minor_has_its_own_rules() -> None:
    """A probe of another host is refused since 1.34, a tcp sysctl allowed since 1.37."""
    probe = {"httpGet": {"host": "10.0.0.1", "port": 80}}
    spec = {"containers": [{"name": "a", "livenessProbe": probe}]}
    assert not list(pod_security_defects({}, spec, "baseline", "1.33"))
    assert list(pod_security_defects({}, spec, "baseline", "1.34"))
    sysctls = {"sysctls": [{"name": "net.ipv4.tcp_notsent_lowat", "value": "1"}]}
    assert list(pod_security_defects({}, {"securityContext": sysctls, "containers": []}, "baseline", "1.36"))
    assert not list(pod_security_defects({}, {"securityContext": sysctls, "containers": []}, "baseline", "1.37"))
