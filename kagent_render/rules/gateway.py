"""What the CEL rules of Gateway API's CRDs say of the fields that we render.

Source: sigs.k8s.io/gateway-api, config/crd/standard: `x-kubernetes-validations`, of HTTPRoute and BackendTLSPolicy.
"""

from __future__ import annotations

import re
from datetime import timedelta

from kagent_render.rules.grammar import shown
from kagent_render.rules.walk import JSON, Found, each, part
from kagent_render.schemas import Defect
from kagent_render.schemas.validator import Path

_PATH = re.compile(r"(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+")
_NOT_IN_PATHS = ("//", "/./", "/../", "%2f", "%2F", "#")
_FILTERS = {
    "CORS": "cors",
    "RequestHeaderModifier": "requestHeaderModifier",
    "ResponseHeaderModifier": "responseHeaderModifier",
    "RequestMirror": "requestMirror",
    "RequestRedirect": "requestRedirect",
    "URLRewrite": "urlRewrite",
    "ExtensionRef": "extensionRef",
}
_REPEATABLE = ("RequestMirror", "ExtensionRef")
_UNITS = {"h": "hours", "m": "minutes", "s": "seconds", "ms": "milliseconds"}


def http_route(item: JSON, path: Path) -> Found:
    """Parents, matches, filters, backends and timeouts."""
    spec, place = part(item, "spec"), (*path, "spec")
    yield from _sections(spec, "parentRefs", ("group", "kind", "namespace", "name", "port"), place)
    for rule, at in each(spec, "rules", place):
        for match, there in each(rule, "matches", at):
            yield from _path_match(part(match, "path"), (*there, "path"))
        yield from _filters(rule, at)
        for backend, there in each(rule, "backendRefs", at):
            yield from _filters(backend, there)
            if _is_service(backend) and backend.get("port") is None:
                yield Defect((*there, "port"), "is missing for a Service")
        yield from _rule_as_a_whole(rule, at)
        yield from _timeouts(part(rule, "timeouts"), (*at, "timeouts"))


def backend_tls_policy(item: JSON, path: Path) -> Found:
    """Targets, and who is trusted."""
    spec, place = part(item, "spec"), (*path, "spec")
    yield from _sections(spec, "targetRefs", ("group", "kind", "name"), place)
    trusted, at = part(spec, "validation"), (*place, "validation")
    own, known = trusted.get("caCertificateRefs"), trusted.get("wellKnownCACertificates")
    if not own and not known:
        yield Defect(at, "has neither `caCertificateRefs` nor `wellKnownCACertificates`")
    if own and known:
        yield Defect((*at, "wellKnownCACertificates"), "may not be there beside `caCertificateRefs`")
    for name, there in each(trusted, "subjectAltNames", at):
        for kind, key in (("Hostname", "hostname"), ("URI", "uri")):
            if (name.get("type") == kind) != bool(name.get(key)):
                yield Defect((*there, key), f"has to be there for the type `{kind}`, and only there")


def _is_service(backend: JSON) -> bool:
    group, kind = backend.get("group"), backend.get("kind")
    return not group and kind in (None, "Service")


def _sections(spec: JSON, key: str, identity: tuple[str, ...], path: Path) -> Found:
    """References to one object name different sections of it."""
    seen: dict[tuple[object, ...], set[str]] = {}
    for reference, place in each(spec, key, path):
        sections = seen.setdefault(tuple(reference.get(name) or "" for name in identity), set())
        section = reference.get("sectionName") or ""
        # Without a section it is the whole object, which leaves no part for another.
        if section in sections or (sections and "" in {*sections, section}):
            yield Defect(place, "refers to the same as another one, and not to another section of it")
        sections.add(section)


def _path_match(match: JSON, path: Path) -> Found:
    if match.get("type") not in (None, "Exact", "PathPrefix"):
        return
    value = "/" if match.get("value") is None else match["value"]
    place = (*path, "value")
    if not value.startswith("/"):
        yield Defect(place, f"{shown(value)} does not begin with `/`")
    elif not _PATH.fullmatch(value):
        yield Defect(place, f"{shown(value)} has characters that a path may not have")
    elif value.endswith(("/.", "/..")) or any(text in value for text in _NOT_IN_PATHS):
        yield Defect(place, f"{shown(value)} is not a plain path")


def _filters(item: JSON, path: Path) -> Found:
    seen: set[str] = set()
    for one, place in each(item, "filters", path):
        kind = one.get("type") or ""
        for name, key in _FILTERS.items():
            if name == kind and one.get(key) is None:
                yield Defect((*place, key), f"is missing for the type `{kind}`")
            elif name != kind and one.get(key) is not None:
                yield Defect((*place, key), f"may not be there for the type `{kind}`")
        if kind in seen and kind not in _REPEATABLE:
            yield Defect(place, f"a filter of the type `{kind}` is there twice")
        seen.add(kind)
        for key in ("requestRedirect", "urlRewrite"):
            yield from _path_change(part(one, key, "path"), (*place, key, "path"))
    if {"RequestRedirect", "URLRewrite"} <= seen:
        yield Defect((*path, "filters"), "may not have both `RequestRedirect` and `URLRewrite`")


def _path_change(change: JSON, path: Path) -> Found:
    for kind, key in (("ReplaceFullPath", "replaceFullPath"), ("ReplacePrefixMatch", "replacePrefixMatch")):
        if change and (change.get("type") == kind) != (change.get(key) is not None):
            yield Defect((*path, key), f"has to be there for the type `{kind}`, and only there")


def _rule_as_a_whole(rule: JSON, path: Path) -> Found:
    filters = [one or {} for one in rule.get("filters") or ()]
    if rule.get("backendRefs") and any(one.get("requestRedirect") is not None for one in filters):
        yield Defect((*path, "backendRefs"), "may not be there beside a redirect")
    kinds = [part(match or {}, "path").get("type") or "PathPrefix" for match in rule.get("matches") or [{}]]
    for one in filters:
        for key in ("requestRedirect", "urlRewrite"):
            if part(one, key, "path").get("type") == "ReplacePrefixMatch" and kinds != ["PathPrefix"]:
                yield Defect((*path, "matches"), "has to be one match of a prefix where a prefix is replaced")


def _timeouts(timeouts: JSON, path: Path) -> Found:
    whole, one = timeouts.get("request"), timeouts.get("backendRequest")
    if whole and one and _duration(whole) and _duration(one) > _duration(whole):
        yield Defect((*path, "backendRequest"), f"{shown(one)} is longer than `request`, {shown(whole)}")


def _duration(text: str) -> timedelta:
    """The pattern of the schema has been checked: numbers of h, m, s and ms."""
    found = re.findall(r"(\d+)(ms|h|m|s)", text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in found), timedelta())
