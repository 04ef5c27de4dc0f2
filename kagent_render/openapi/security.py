"""Security schemes to the credential that every call carries, which is a reference to a Secret."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from kagent_render.openapi.draft import Draft, Options
from kagent_render.openapi.places import NotExpressibleError, Place
from kagent_render.openapi.texts import tool_name

_NOT_KEY = re.compile(r"[^-._a-zA-Z0-9]+")
_USER = "user"


@dataclass(slots=True)
class _Credentials:
    auth: dict[str, Any] | None = None
    headers: list[dict[str, Any]] = field(default_factory=list)
    notes: list[tuple[Place, str]] = field(default_factory=list)


def authorize(draft: Draft, root: Place, options: Options) -> None:
    """The first of the alternatives that can be said; one without a credential only if it is the only one."""
    owner = draft.place if "security" in draft.place.mapping else root
    listed = list(owner.items("security"))
    problems: list[NotExpressibleError] = []
    for alternative in sorted(listed, key=lambda item: not item.mapping):
        try:
            found = _expressed(alternative, root, options)
        except NotExpressibleError as error:
            problems.append(error)
            continue
        if problems and not alternative.mapping:
            alternative.warn(f"`{draft.title}` is called without a credential: {problems[0].message}")
        draft.auth = found.auth
        draft.headers += found.headers
        for place, note in found.notes:
            place.warn(note)
        return
    for problem in problems[:1]:
        draft.fail(problem)


def _expressed(alternative: Place, root: Place, options: Options) -> _Credentials:
    found = _Credentials()
    if not isinstance(alternative.data, dict):
        raise NotExpressibleError("a security requirement must be a mapping", alternative)
    for name in alternative.mapping:
        _add(found, name, _scheme(name, alternative, root), options, root)
    if found.auth is None and len(found.headers) == 1:
        (header,) = found.headers
        found.auth, found.headers = {"header": header}, []
    return found


def _scheme(name: str, alternative: Place, root: Place) -> Place:
    components = root.get("components")
    schemes = components.get("securitySchemes") if components else None
    scheme = schemes.get(name) if schemes else None
    if scheme is None:
        raise NotExpressibleError(f"the security scheme `{name}` is not defined", alternative)
    return scheme


def _add(found: _Credentials, name: str, scheme: Place, options: Options, root: Place) -> None:
    kind, way = scheme.value("type", str), (scheme.value("scheme", str) or "").lower()
    reference = {"name": options.secret or _secret_of(root), "key": _NOT_KEY.sub("-", name)[:253] or "token"}
    if kind == "apiKey":
        where = scheme.value("in", str)
        if where != "header":
            raise NotExpressibleError(f"a key in the {where} has no counterpart: it would stand in logs", scheme)
        found.headers.append({"name": scheme.value("name", str) or "", "secretRef": reference})
    elif found.auth is not None:
        raise NotExpressibleError("two credentials for one Authorization header have no counterpart", scheme)
    elif kind == "http" and way == "basic":
        found.auth = {"basic": {"username": options.username or _USER, "passwordSecretRef": reference}}
        if options.username is None:
            found.notes.append((scheme, f"the user name `{_USER}` stands for the real one: give --username"))
    elif (kind == "http" and way == "bearer") or kind in ("oauth2", "openIdConnect"):
        found.auth = {"bearerTokenSecretRef": reference}
        if kind != "http":
            found.notes.append((scheme, f"`{name}` is sent as a bearer token: nothing here obtains or renews it"))
    else:
        raise NotExpressibleError(f"the security scheme `{name}` ({way or kind}) has no counterpart", scheme)
    where = f"the key `{reference['key']}` of the Secret `{reference['name']}`"
    found.notes.append((scheme, f"the credential of `{name}` is read from {where}, which you create"))


def _secret_of(root: Place) -> str:
    info = root.get("info")
    return tool_name((info.value("title", str) if info else None) or "openapi", ())
