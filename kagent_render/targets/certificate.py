"""cert-manager Certificate of a workload: for serving, and as a client of other agents and of models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kagent_render.catalog.base import Problem
from kagent_render.lower import Workload
from kagent_render.lower.features.tls import certificate_secret
from kagent_render.specs.tls import PrivateKey, Tls
from kagent_render.targets.objects import metadata
from kagent_render.targets.templating import render

_CERT_MANAGER = "cert-manager.io"
_HOUR, _FIVE_MINUTES = 3600, 300
_DEFAULT_SIZES = {"ECDSA": 256, "RSA": 2048, "Ed25519": None}
_ECDSA_SIZES = (256, 384, 521)


def check(workload: Workload) -> Iterator[Problem]:
    """What cert-manager's webhook refuses (pkg/apis/certmanager/validation/certificate.go)."""
    tls = workload.platform.tls
    if tls is None:
        return
    yield from _check_times(tls)
    yield from _check_key(tls.private_key)
    if tls.issuer_ref.group == _CERT_MANAGER and tls.issuer_ref.kind not in ("Issuer", "ClusterIssuer"):
        message = f"`{tls.issuer_ref.kind}` is not a kind of {_CERT_MANAGER}"
        yield Problem("KR550", message, ("tls", "issuerRef", "kind"), "Issuer or ClusterIssuer")
    if workload.is_knative or workload.waits_behind_interceptor:
        between = "Knative" if workload.is_knative else "the interceptor of KEDA"
        message = f"{between} speaks plain HTTP to `{workload.name}`"
        yield Problem("KR554", message, ("tls",), "run it as a Deployment with another trigger, or without tls")
    if workload.namespace is None:
        message = f"the certificate of `{workload.name}` needs a namespace, which is in its names"
        yield Problem("KR310", message, (), "set metadata.namespace, or pass --namespace")


def _check_times(tls: Tls) -> Iterator[Problem]:
    duration, renew = seconds(tls.duration), seconds(tls.renew_before)
    if duration < _HOUR:
        message = f"a certificate of `{tls.duration}` is refused: the shortest is an hour"
        yield Problem("KR550", message, ("tls", "duration"), "2160h0m0s")
    if renew < _FIVE_MINUTES:
        message = f"`{tls.renew_before}` is too late to renew: five minutes at least"
        yield Problem("KR550", message, ("tls", "renewBefore"), "720h0m0s")
    elif renew >= duration:
        place = ("tls", "renewBefore" if "renew_before" in tls.model_fields_set else "duration")
        message = f"renewing `{tls.renew_before}` before the end of `{tls.duration}` would never stop"
        yield Problem("KR550", message, place, "renewBefore has to be shorter than duration")


def _check_key(key: PrivateKey) -> Iterator[Problem]:
    size = key.size
    if size is None:
        return
    wanted = {"RSA": "2048 to 8192", "ECDSA": "256, 384 or 521", "Ed25519": "none"}[key.algorithm]
    good = {"RSA": 2048 <= size <= 8192, "ECDSA": size in _ECDSA_SIZES, "Ed25519": False}[key.algorithm]
    if not good:
        message = f"`{size}` is not a size of {key.algorithm} keys"
        yield Problem("KR550", message, ("tls", "privateKey", "size"), f"sizes: {wanted}")


def seconds(duration: str) -> int:
    """The seconds of a Go duration in hours, minutes and seconds."""
    hours, minutes, rest = re.fullmatch(r"(?:(\d+)h)?(\d+)m(\d+)s", duration).groups()  # type: ignore[union-attr]
    return int(hours or 0) * 3600 + int(minutes) * 60 + int(rest)


def objects(workload: Workload) -> Iterator[tuple[str, dict[str, Any]]]:
    """One Certificate, for the names of the workload's Service."""
    tls = workload.platform.tls
    if tls is None or workload.namespace is None:
        return
    key = tls.private_key
    issuer = {"group": tls.issuer_ref.group, "kind": tls.issuer_ref.kind, "name": tls.issuer_ref.name}
    context = {
        "metadata": metadata(workload),
        "secret": certificate_secret(workload.name),
        "names": service_names(workload.name, workload.namespace),
        "duration": tls.duration,
        "renew_before": tls.renew_before,
        "algorithm": key.algorithm,
        "size": key.size or _DEFAULT_SIZES[key.algorithm],
        "issuer": issuer,
    }
    yield "certificate.yaml", render("certificate/certificate.yaml.j2", context)


def service_names(name: str, namespace: str) -> list[str]:
    """The names that callers in the cluster use, the one for gateways last."""
    return [name, f"{name}.{namespace}", f"{name}.{namespace}.svc", f"{name}.{namespace}.svc.cluster.local"]
