"""The HTTP client of tools. It decides itself where it connects, so that a server cannot send it elsewhere.

A name is resolved once, every address is judged, and the connection is made to a judged one: a name that resolves
differently a moment later (DNS rebinding) gains nothing. Redirects are followed here, each judged anew. The host that
the spec names may be a Service of the cluster, or private if the spec says so; where a redirect leads to may not.
Proxies of the environment are not used: they would resolve the name again.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from kagent_runtime.components import addresses
from kagent_runtime.components.bodies import read_body
from kagent_runtime.components.failures import UNKNOWN, ToolFailureError
from kagent_runtime.components.tls import ssl_context
from kagent_runtime.model import RemoteTls

if TYPE_CHECKING:
    import httpx

MAX_REDIRECTS = 5
CONNECT_SECONDS = 5.0
LOOPBACK = "127.0.0.1"
_PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
# What a request to another origin keeps of its headers; anything else may be a credential.
_HARMLESS = ("accept", "accept-encoding", "user-agent")
Resolve = Callable[[str, int], Awaitable[list[str]]]


class EgressError(ToolFailureError):
    """No answer, or none that may be fetched. The text is for a model to act on."""


class UnansweredError(EgressError):
    """The request may have reached the server, which did not answer it."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request. `limit` is how many bytes of the answer are kept, from its start or its end."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    tls: RemoteTls | None = None
    allow_private: bool = False
    limit: int = 65536
    keep: Literal["head", "tail"] = "head"
    max_redirects: int = MAX_REDIRECTS


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `was_cut` says that the body was longer."""

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes
    was_cut: bool
    host: str


@dataclass(frozen=True, slots=True)
class _Hop:
    url: httpx.URL
    method: str
    headers: Mapping[str, str]
    content: bytes | None
    is_named: bool  # whether it goes to the host and port that the spec names


async def system_resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system resolves it. Raises OSError."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(item[4][0]) for item in found))


async def fetch(call: Call, resolve: Resolve = system_resolve) -> Answer:
    """Make the request and follow its redirects. Raises EgressError; has no deadline of its own."""
    import httpx

    try:
        hop = _Hop(httpx.URL(call.url), call.method, _with_defaults(call.headers), call.content, True)
        for _ in range(call.max_redirects + 1):
            following = await _request(call, hop, resolve)
            if isinstance(following, Answer):
                return following
            hop = following
    except httpx.InvalidURL as error:
        raise EgressError(f"the URL is not valid: {error}") from None
    raise EgressError(f"more than {call.max_redirects} redirects")


def _with_defaults(headers: Mapping[str, str]) -> dict[str, str]:
    own = {name.lower(): value for name, value in headers.items()}
    defaults = {"accept": "application/json, text/*;q=0.9, */*;q=0.5", "user-agent": "kagent-runtime"}
    return defaults | own | {"accept-encoding": "gzip"}


async def _request(call: Call, hop: _Hop, resolve: Resolve) -> Answer | _Hop:
    """The answer, or where it redirects to."""
    import httpx

    host, port = _host(hop.url), _port(hop.url)
    found = await judged(host, port, resolve, call.allow_private, is_named=hop.is_named)
    tls = call.tls if hop.is_named or call.tls is None else call.tls.model_copy(update={"certificate": None})
    try:
        verify = ssl_context(tls)
    except OSError as error:  # ssl.SSLError is one
        raise EgressError(f"the TLS files cannot be used: {error.strerror or error}") from None
    problem: Exception | None = None
    for address in found:
        timeout = httpx.Timeout(None, connect=CONNECT_SECONDS)
        try:
            # A client for one request: a kept connection would be reused for another name at the same address.
            async with httpx.AsyncClient(verify=verify, trust_env=False, timeout=timeout) as client:
                return await _exchange(client, call, hop, address)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            problem = error
        except httpx.HTTPError as error:
            note = "" if hop.method in ("GET", "HEAD") else UNKNOWN
            raise UnansweredError(f"{host} broke off: {error or type(error).__name__}{note}") from None
    reason = str(problem) or "no connection in time"
    raise EgressError(f"{host} cannot be reached on port {port}: {reason}")


async def _exchange(client: httpx.AsyncClient, call: Call, hop: _Hop, address: str) -> Answer | _Hop:
    # The address replaces the host in the URL; the server still sees the name, in `Host` and in SNI.
    request = client.build_request(
        hop.method,
        hop.url.copy_with(host=address),
        headers={"host": hop.url.netloc.decode("ascii"), **hop.headers},
        content=hop.content,
        extensions={"sni_hostname": _host(hop.url)},
    )
    response = await client.send(request, stream=True, follow_redirects=False)
    try:
        location = response.headers.get("location")
        if response.status_code in _REDIRECTS and location:
            return _redirected(hop, response.status_code, location, is_followed=call.max_redirects > 0)
        try:
            body, was_cut = await read_body(response, call.limit, call.keep)
        except ValueError as error:
            raise EgressError(f"{_host(hop.url)} sent an answer that cannot be read: {error}") from None
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, response.reason_phrase, headers, body, was_cut, _host(hop.url))
    finally:
        await response.aclose()


async def judged(
    host: str, port: int, resolve: Resolve, allow_private: bool, *, is_named: bool, loopback_port: int | None = None
) -> list[str]:
    """The addresses of a host, all of which may be connected to. Raises EgressError.

    `loopback_port` is where a sidecar listens: that port of 127.0.0.1, by this address and no name, may be called.
    """
    if is_named and (host, port) == (LOOPBACK, loopback_port):
        return [LOOPBACK]
    try:
        found = await resolve(host, port)
    except (OSError, UnicodeError) as error:
        raise EgressError(f"the name {host} does not resolve: {getattr(error, 'strerror', '') or error}") from None
    if not found:
        raise EgressError(f"the name {host} does not resolve")
    allowed = {"public"}
    if is_named and addresses.is_in_cluster(host):
        allowed.add("private")
    if is_named and allow_private:
        allowed |= {"private", "loopback"}
    refused = [address for address in found if addresses.kind_of(address) not in allowed]
    if refused:
        raise EgressError(f"{host} leads to {refused[0]}, which this tool may not call")
    return found


def _redirected(hop: _Hop, status: int, location: str, *, is_followed: bool) -> _Hop:
    target = hop.url.join(location)
    if not is_followed:
        raise EgressError(f"{_host(hop.url)} redirects to {_host(target) or location[:100]}, which is not followed")
    if target.scheme not in _PORTS or not _host(target) or target.userinfo:
        raise EgressError(f"{_host(hop.url)} redirects to a URL that is not called")
    if hop.url.scheme == "https" and target.scheme == "http":
        raise EgressError(f"{_host(hop.url)} redirects from https to http")
    becomes_get = (status == 303 and hop.method != "HEAD") or (status in (301, 302) and hop.method == "POST")
    method, content = ("GET", None) if becomes_get else (hop.method, hop.content)
    headers = {name: value for name, value in hop.headers.items() if content or name != "content-type"}
    following = _Hop(target, method, headers, content, hop.is_named)
    is_same_place = (_host(target), _port(target)) == (_host(hop.url), _port(hop.url))
    if is_same_place and target.scheme == hop.url.scheme:
        return following
    return _elsewhere(following, hop)


def _elsewhere(following: _Hop, hop: _Hop) -> _Hop:
    """The same request to another origin: nothing that is meant for the first one goes along."""
    target = following.url
    if _port(target) != _PORTS[target.scheme]:
        raise EgressError(f"{_host(hop.url)} redirects to port {_port(target)} of {_host(target)}")
    if following.method not in ("GET", "HEAD"):
        raise EgressError(f"{_host(hop.url)} redirects a {following.method} to {_host(target)}")
    headers = {name: value for name, value in following.headers.items() if name in _HARMLESS}
    return replace(following, headers=headers, is_named=False)


def _host(url: httpx.URL) -> str:
    """As it goes over the wire; `url.host` would be Unicode again."""
    return url.raw_host.decode("ascii")


def _port(url: httpx.URL) -> int:
    return url.port or _PORTS.get(url.scheme, 0)
