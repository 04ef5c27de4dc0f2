"""The URL below which an operation is."""

from __future__ import annotations

from kagent_render.catalog.tools.urls import check_url
from kagent_render.diagnostics.codes import CODES
from kagent_render.diagnostics.model import Severity
from kagent_render.openapi.draft import Draft, Options
from kagent_render.openapi.places import NotExpressibleError, Place


def base_of(draft: Draft, root: Place, options: Options) -> str:
    """The base URL, without a slash at its end. Raises NotExpressibleError."""
    if options.base_url is not None:
        return options.base_url.rstrip("/")
    for owner in (draft.place, draft.item, root):
        servers = list(owner.items("servers"))
        if servers:
            return _url_of(servers, draft.place)
    raise NotExpressibleError("the document names no server", draft.place, "give --base-url https://HOST/PATH")


def defect_of(base_url: str) -> str | None:
    """Why no Tool can call this server."""
    found = list(check_url(base_url, (), is_template=False, allows_private=True))
    return next((problem.message for problem in found if CODES[problem.code].severity is Severity.ERROR), None)


def is_private(base_url: str | None) -> bool:
    """Whether the user named an address of a private network, or this machine, which a Tool has to permit."""
    found = check_url(base_url, (), is_template=False, allows_private=False) if base_url else ()
    return any(problem.code == "KR358" for problem in found)


def _url_of(servers: list[Place], operation: Place) -> str:
    server = servers[0]
    url = server.value("url", str) or "/"
    for name, variable in server.fields("variables"):
        value = variable.value("default", str)
        if f"{{{name}}}" in url and value is not None:
            variable.warn(f"`{name}` of the server's URL is its default `{value}`", "give --base-url for another")
            url = url.replace(f"{{{name}}}", value)
    if "://" not in url:
        help = f"give --base-url https://HOST{url if url.startswith('/') else ''}"
        raise NotExpressibleError(f"the server `{url}` has no host", server, help)
    if len(servers) > 1:
        server.warn(f"the first of {len(servers)} servers is used", "give --base-url for another")
    return url.rstrip("/")
