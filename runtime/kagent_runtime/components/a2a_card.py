"""Where and how an agent elsewhere answers, as its card says: never at another host than the one that was declared.

Source: A2A 1.0, "Agent discovery", "AgentInterface"; 0.3, "AgentCard", which the SDK reads as well.
"""

from __future__ import annotations

import httpx
import httpx2
from a2a.client.card_resolver import parse_agent_card
from a2a.types import AgentCapabilities, AgentCard, AgentInterface
from google.protobuf.json_format import ParseError

from kagent_runtime.components import texts
from kagent_runtime.components.a2a_http import RefusedError
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.judged_transport import origin_of
from kagent_runtime.interfaces.a2a_card import CARD_PATH, RPC_PATH

_FORMER_PATH = "/.well-known/agent.json"  # until 0.3
_BINDING = "JSONRPC"
_ABSENT = (404, 405, 410)


def own_card(url: str) -> AgentCard:
    """What is known without asking of an agent of the same specs."""
    interface = AgentInterface(url=f"{url}{RPC_PATH}", protocol_binding=_BINDING, protocol_version="1.0")
    return AgentCard(supported_interfaces=[interface], capabilities=AgentCapabilities(streaming=True))


async def foreign_card(http: httpx.AsyncClient, url: str) -> AgentCard:
    """The card of the agent at a declared URL, with the one interface to use. Raises ToolFailureError.

    The URL is one that the card is below, or the card's own; or the endpoint's, with the card at the origin.
    """
    declared = httpx2.URL(url)
    for place in _places(declared):
        try:
            found = await _fetched(http, str(place))
        except RefusedError as error:
            if error.status not in _ABSENT:
                raise
            continue
        interface = _chosen(found, declared, is_its_own=place.path.startswith(_base(declared)))
        return AgentCard(supported_interfaces=[interface], capabilities=found.capabilities)
    raise ToolFailureError(f"there is no agent card at {_places(declared)[0]}")


def _places(declared: httpx2.URL) -> list[httpx2.URL]:
    if declared.path.endswith(".json"):
        return [declared]
    base = _base(declared)
    paths = dict.fromkeys([base + CARD_PATH, base + _FORMER_PATH, CARD_PATH])
    return [declared.copy_with(path=path) for path in paths]


def _base(declared: httpx2.URL) -> str:
    """The path that everything of the agent is below, without a slash at its end."""
    path = declared.path
    for known in (CARD_PATH, _FORMER_PATH):
        path = path.removesuffix(known)
    return path.rstrip("/")


async def _fetched(http: httpx.AsyncClient, url: str) -> AgentCard:
    answer = await http.get(url)
    try:
        return parse_agent_card(answer.json())
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError):
        raise ToolFailureError(f"what is at {url} is no agent card") from None


def _chosen(card: AgentCard, declared: httpx2.URL, *, is_its_own: bool) -> AgentInterface:
    """The newest JSON-RPC interface that may be called. Raises ToolFailureError."""
    offered = [item for item in card.supported_interfaces if item.protocol_binding == _BINDING]
    spoken = sorted((item for item in offered if _version(item)), key=lambda item: _version(item) != "1.0")
    for item in spoken:
        if url := _address(item.url, declared, is_its_own=is_its_own):
            known = {"protocol_binding": _BINDING, "protocol_version": _version(item), "tenant": item.tenant}
            return AgentInterface(url=url, **known)
    if spoken:
        where = texts.one_line(spoken[0].url, 200)
        raise ToolFailureError(f"the card refers to {where}, which is not called: it is not below `url`")
    others = sorted({f"{item.protocol_binding} {item.protocol_version}" for item in card.supported_interfaces})
    found = texts.one_line(", ".join(others), 200) or "nothing"
    raise ToolFailureError(f"the card offers no JSON-RPC of A2A 1.0 or 0.3, but {found}")


def _version(item: AgentInterface) -> str:
    """Of the two that are spoken; empty for another. Between 0.2 and 0.3 no method that is used here changed."""
    if not item.protocol_version or item.protocol_version.startswith("1."):
        return "1.0"
    return "0.3" if item.protocol_version.startswith(("0.2", "0.3")) else ""


def _address(text: str, declared: httpx2.URL, *, is_its_own: bool) -> str:
    """The interface's address at the declared origin; empty where it is another's.

    A card says how the agent is known outside, which need not be how it was declared. So a path below the declared
    one is taken to be the agent's at the declared origin too.
    """
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL:
        return ""
    base = _base(declared)
    is_below = url.path == base or url.path.startswith(f"{base}/")
    is_same = is_its_own and origin_of(url) == origin_of(declared)
    return str(declared.copy_with(raw_path=url.raw_path)) if is_below or is_same else ""
