"""Nothing hostile reaches the inside: the table, through the real workbenches, on a wire that leads there.

Whatever is connected to besides the server that the spec means ends at the trap, which counts.
"""

from __future__ import annotations

import copy
import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote

import httpx
import pytest
from autogen_core.tools import Workbench

from kagent_render.catalog.tools.registry import TOOL_TYPES
from kagent_render.compiler import compile_paths
from kagent_runtime.closing import close_all
from kagent_runtime.components import a2a_client  # noqa: F401 - loaded here, since some calls have a second only
from kagent_runtime.config import ConfigError, check_config
from tests.edge.http_target import HttpTarget, Received, Trap
from tests.edge.wire import Wire
from tests.runtime import ssrf_table as table
from tests.runtime.benches import compiled, endpoints
from tests.runtime.ssrf_addresses import ANSWERS, HOSTS, LEADING_INSIDE, NAMES, NEVER, OTHER, PUBLIC, REBOUND, SERVICES

SECRET = "s3cr3t-of-the-shop"
SPELLED = [*(f"http://{host}:%P/" for host in HOSTS), *table.URLS]
_SHOP = "http://shop.example.com"
_REPO = "repositories: [octo/shop]"
_TOKEN = "tokenSecretRef: {name: s, key: k}"
_KEY = "headers: [{name: X-Key, secretRef: {name: s, key: k}}]"
SPECS = {
    "http": f"type: http\ndescription: d\nhttp: {{url: {_SHOP}/, {_KEY}}}",
    "prometheus": f"type: prometheus\ndescription: d\nprometheus: {{operation: alerts, url: {_SHOP}/}}",
    "alertmanager": f"type: alertmanager\ndescription: d\nalertmanager: {{operation: alerts, url: {_SHOP}/}}",
    "github": f"type: github\ndescription: d\ngithub: {{operation: list_issues, url: {_SHOP}, {_REPO}}}",
    "comment": f"type: github\ndescription: d\ngithub: {{operation: add_comment, url: {_SHOP}, {_REPO}, {_TOKEN}}}",
    "log": f"type: github\ndescription: d\ngithub: {{operation: get_run_logs, url: {_SHOP}, {_REPO}}}",
    "streamable-http": f"type: mcp\ndescription: d\nmcp: {{url: {_SHOP}/, tools: [add]}}",
    "sse": f"type: mcp\ndescription: d\nmcp: {{transport: sse, url: {_SHOP}/, tools: [send]}}",
    "agent": f"type: agent\ndescription: d\nagent: {{url: {_SHOP}}}",
}
OFFERED = {"streamable-http": "add", "sse": "send"}
ARGUMENTS: dict[str, dict[str, Any]] = {"agent": {"task": "x"}, "log": {"run": 1}}
ARGUMENTS["comment"] = {"number": 1, "body": "x"}
# Why nothing was called, in words that a model, or whoever wrote the spec, can act on.
WHY = re.compile(
    r"leads to [0-9a-f.:%]+, which this tool may not call"
    r"|the name \S+ does not resolve"
    r"|the URL is not valid: "
    r"|\$\S+\.url: string should match pattern"
    r"|redirects to (a URL that is not called|port -?\d+ of |\S+, which is not followed)"
    r"|redirects from https to http"
    r"|broke off: Invalid URL in location header: "
    r"|more than 5 redirects"
    r"|must be one part of a path: not empty"
    r"|`q` cannot be `"
    r"|an argument would change the path of the request"
    r"|`q` is not valid Unicode"
    r"|refers to .*, which is not called"
)
# And what the clients of agents and of MCP say. The SDK for SSE stops without a word when it is sent elsewhere.
_WHY_SENT = re.compile(
    r"redirects with HTTP 30\d, which is not followed|Redirect to \S+ not followed|`sse`: HTTP 30\d"
    r"|\Ano complete answer within 1 s\Z"
)


@dataclass
class Net:
    """The servers, and the wire that leads to them."""

    shop: HttpTarget
    other: HttpTarget
    trap: Trap
    wire: Wire
    config: dict[str, Any]

    def text(self, entry: str) -> str:
        """An entry of the table with the port of the trap."""
        return entry.replace("%P", str(self.trap.port))

    def workbench(self, kind: str, **changes: Any) -> Workbench:
        """The workbench that has this tool, with other settings than its spec gave. Raises ConfigError."""
        config = copy.deepcopy(self.config)
        for component in config["component"]["config"]["workbench"]:
            tools = component["config"]["tools"]
            found = [tool for tool in tools if tool["name"] == kind]
            if found:
                component["config"]["tools"] = [found[0] | changes]
                config["agents"][0]["requiresApproval"] = []  # it may be another tool that needs one
                check_config(config, "runtime.json")
                return Workbench.load_component(component)
        raise LookupError(kind)

    async def call(self, kind: str, arguments: dict[str, Any] | None = None, /, **changes: Any) -> tuple[str, bool]:
        """What the model is told, and whether as an error; a config that is refused is the same answer."""
        self.wire.forget()
        try:
            workbench = self.workbench(kind, **changes)
        except ConfigError as error:
            return str(error), True
        name = OFFERED.get(kind, kind)
        result = await workbench.call_tool(name, ARGUMENTS.get(kind, {}) if arguments is None else arguments)
        return result.to_text(), result.is_error

    def untouched(self, *allowed: str) -> bool:
        """Whether nobody was connected to but these, on the port of http."""
        return set(self.wire.connected) <= {(address, 80) for address in allowed} and self.trap.connections == 0


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Net]:
    config, _ = compiled(tmp_path_factory.mktemp("specs"), SPECS)
    with HttpTarget() as shop, HttpTarget() as other, Trap("::") as trap, pytest.MonkeyPatch.context() as patch:
        patch.setenv("KAGENT_TOOL_HTTP_HEADER_X_KEY", SECRET)
        patch.setenv("KAGENT_TOOL_COMMENT_TOKEN", SECRET)
        wire = Wire(NAMES, {(PUBLIC, 80): shop.port, (OTHER, 80): other.port}, trap.port)
        wire.install(patch)
        yield Net(shop, other, trap, wire, config)


@pytest.fixture
async def net(network: Net) -> AsyncIterator[Net]:
    """The network with nobody in the trap."""
    network.trap.connections = 0
    yield network
    await close_all()


def _id(value: object) -> str:
    return json.dumps(value)[1:-1] if isinstance(value, str) else repr(value)


each = pytest.mark.parametrize


def test_the_table_is_as_large_as_is_claimed(record_property: Any) -> None:
    """Three hundred different texts, and more ways for them to come in."""
    entries = table.table()
    texts = {text for _, text in entries}
    record_property("ssrf_entries", len(entries))
    print(f"{len(entries)} hostile entries, {len(texts)} different texts")  # noqa: T201
    assert len(texts) >= 600
    assert len(entries) >= 3000


async def test_the_wire_leads_to_the_server_that_is_meant(net: Net) -> None:
    """And a tool that may call what it is sent to ends in the trap: the tests below can fail."""
    text, is_error = await net.call("http", url=f"{_SHOP}/x")
    assert (json.loads(text)["path"], is_error, net.wire.connected) == ("/x", False, [(PUBLIC, 80)])
    assert net.untouched(PUBLIC)
    answer = await net.call("http", url=f"http://127.0.0.1:{net.trap.port}/", allow_private_addresses=True)
    assert (answer, net.trap.connections) == (("secret", False), 1)


def test_every_type_of_tool_that_calls_a_server_is_among_them(net: Net) -> None:
    """But those that call the API server, whose requests are held to their Roles, and functions, which are not ours."""
    assert {kind.split(":")[1].split()[0] for kind in SPECS.values()} == set(TOOL_TYPES) - {
        "kubernetes",
        "helm",
        "python",
    }


@each("kind", SPECS)
async def test_a_tool_calls_whom_its_network_policy_names(kind: str, net: Net, tmp_path: Path) -> None:
    """By the names it asks for and the addresses it connects to, whatever the server answers."""
    _, workload = compiled(tmp_path, {kind: SPECS[kind]})
    await net.call(kind, timeout_seconds=2.0)
    (declared,) = {(item.host, item.port) for item in endpoints(workload)}
    assert set(net.wire.asked) == {declared[0]}
    assert set(net.wire.connected) == {(PUBLIC, declared[1])}


async def test_a_client_without_our_rules_ends_in_the_trap(net: Net) -> None:
    """Most of the table works against an ordinary client; the rest against one or the other."""
    reached = 0
    for url in [*SPELLED, *(f"http://{name}/" for name in NAMES)]:
        net.wire.forget()
        before = net.trap.connections
        try:
            async with httpx.AsyncClient(trust_env=False, verify=False, timeout=2) as client:
                await client.get(net.text(url))
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError):
            pass  # it may be cut off; the trap has counted
        reached += bool(set(net.wire.connected) - {(PUBLIC, 80), (OTHER, 80)}) or net.trap.connections > before
    assert reached > 300, reached


@each("url", SPELLED, ids=_id)
async def test_no_spelling_of_an_address_is_called(url: str, net: Net) -> None:
    """As if a spec had it that was never compiled."""
    text, is_error = await net.call("http", url=net.text(url))
    assert (is_error, net.wire.connected, net.trap.connections) == (True, [], 0), text
    assert WHY.search(text), text


@each("address", NEVER, ids=_id)
async def test_some_addresses_are_never_called(address: str, net: Net) -> None:
    """Not by a tool that may call private ones, nor by one for a Service."""
    host = f"[{address}]" if ":" in address else address
    name = next(name for name, answers in ANSWERS.items() if answers == [[address]])
    for url in (f"http://{host}/", f"http://{name}/"):
        text, is_error = await net.call("http", url=url, allow_private_addresses=True)
        assert (is_error, net.wire.connected) == (True, []), text
        assert "may not call" in text


@each("name", [*LEADING_INSIDE, *SERVICES, *ANSWERS], ids=_id)
async def test_no_name_leads_inside(name: str, net: Net) -> None:
    for url in (f"http://{name}/", f"http://{name.upper()}.:{net.trap.port}/"):
        text, is_error = await net.call("http", url=url)
        assert (is_error, net.wire.connected) == (True, []), text
        assert "may not call" in text


@each("name", list(REBOUND), ids=_id)
async def test_a_second_answer_of_the_resolver_is_never_used(name: str, net: Net) -> None:
    """The name is asked for once, and the connection goes to the address that was judged."""
    text, is_error = await net.call("http", url=f"http://{name}/x")
    assert (json.loads(text)["path"], is_error) == ("/x", False)
    assert (net.wire.asked, net.wire.connected) == ([name], [(PUBLIC, 80)])
    # A redirect to itself asks anew, and judges anew.
    net.shop.location = f"http://{name}/x"
    text, is_error = await net.call("http", url=f"http://{name}/redirect/302")
    assert (is_error, net.wire.connected) == (True, [(PUBLIC, 80)])
    assert "may not call" in text


@each("location", [*SPELLED, *table.LOCATIONS], ids=_id)
async def test_no_redirect_leads_inside(location: str, net: Net) -> None:
    """Of a server that the spec names, and that may be private: neither is inherited."""
    net.shop.location = net.text(location).replace("\r", "").replace("\n", "").strip(" \t")
    for status in table.STATUSES:
        url = f"{_SHOP}/redirect/{status}"
        text, is_error = await net.call("http", url=url, allow_private_addresses=True)
        assert net.untouched(PUBLIC), (status, net.wire.connected)
        # Some of these are a path for a URL parser: they stay where they are, as a request that the shop answers.
        assert WHY.search(text) if is_error else json.loads(text)["headers"]["host"] == "shop.example.com"


@each("hops", [1, 3, 5, 6])
async def test_no_chain_of_redirects_leads_inside(hops: int, net: Net) -> None:
    """Nor over somebody else's server, which is nobody's choice."""
    for location in (
        "http://127.0.0.1:%P/",
        "http://169.254.169.254/",
        "http://vault.real.svc/",
        "http://a.localhost/",
    ):
        for server, way in ((net.shop, f"{_SHOP}/chain/{hops - 1}"), (net.other, f"{_SHOP}/redirect/302")):
            net.shop.location = f"http://other.example.com/chain/{hops - 1}"
            server.location = net.text(location)
            text, is_error = await net.call("http", url=way, allow_private_addresses=True)
            assert is_error
            assert WHY.search(text), text
            assert net.untouched(PUBLIC, OTHER), net.wire.connected


async def test_a_redirect_to_somebody_else_takes_nothing_along(net: Net) -> None:
    """It is followed: a download often is elsewhere. The key of the shop stays with the shop."""
    net.shop.location = "http://other.example.com/x"
    for status in table.STATUSES:
        before = len(net.other.received)
        text, is_error = await net.call("http", url=f"{_SHOP}/redirect/{status}")
        assert (json.loads(text)["path"], is_error) == ("/x", False)
        assert net.shop.received[-1].headers["x-key"] == SECRET
        (request,) = net.other.received[before:]
        assert set(request.headers) == {"host", "accept", "accept-encoding", "connection", "user-agent"}
        assert SECRET not in repr(request)


@each("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_is_not_sent_on_to_somebody_else(method: str, net: Net) -> None:
    net.shop.location = "http://other.example.com/x"
    before = len(net.other.received)
    for status in (307, 308):
        text, is_error = await net.call("http", url=f"{_SHOP}/redirect/{status}", method=method, body={"a": 1})
        assert (text, is_error) == (f"shop.example.com redirects a {method} to other.example.com", True)
    assert len(net.other.received) == before


def _with_argument(where: str) -> dict[str, Any]:
    declared = {"type": "object", "properties": {"q": {"type": "string", "description": "d"}}, "required": ["q"]}
    query = [{"name": "x", "value": "{q}"}, {"name": "y", "value": "a{q}b"}] if where == "query" else []
    return {"parameters": declared | {"additionalProperties": False}, "query": query}


@each("value", table.ARGUMENTS, ids=_id)
async def test_no_argument_leaves_its_place(value: str, net: Net) -> None:
    """It is refused, or it arrives: at the server that is meant, in the one segment that is its own."""
    value = net.text(value)
    for template in ("/{q}", "/v1/{q}/end", "/v1/x{q}y/end", "/v1/..{q}/end"):
        before = len(net.shop.received)
        text, is_error = await net.call("http", {"q": value}, url=_SHOP + template, **_with_argument("path"))
        assert net.untouched(PUBLIC), net.wire.connected
        if is_error:
            assert WHY.search(text), text
            assert len(net.shop.received) == before
            continue
        (request,) = net.shop.received[before:]
        assert _own_part(request, template) == template.replace("{q}", value).split("/")


def _own_part(request: Received, template: str) -> list[str]:
    assert (request.headers["host"], request.query) == ("shop.example.com", "")
    assert request.path.count("/") == template.count("/")
    return [unquote(part) for part in request.path.split("/")]


@each("value", table.ARGUMENTS, ids=_id)
async def test_no_argument_adds_to_a_query(value: str, net: Net) -> None:
    value = net.text(value)
    before = len(net.shop.received)
    text, is_error = await net.call("http", {"q": value}, url=f"{_SHOP}/v1", **_with_argument("query"))
    assert net.untouched(PUBLIC), net.wire.connected
    if is_error:
        assert WHY.search(text), text
        assert len(net.shop.received) == before
        return
    (request,) = net.shop.received[before:]
    assert (request.path, request.headers["host"]) == ("/v1", "shop.example.com")
    assert parse_qsl(request.query, keep_blank_values=True) == [("x", value), ("y", f"a{value}b")]


@each("name", table.OTHER_NAMES, ids=_id)
@each("kind", [*table.OTHER_TOOLS, "log"])
async def test_no_other_tool_is_led_inside(kind: str, name: str, net: Net) -> None:
    private = {} if kind == "agent" else {"allow_private_addresses": True}
    text, is_error = await net.call(kind, url=f"http://{name}", **private)
    assert (is_error, net.wire.connected) == (True, []), text
    assert "may not call" in text


@each("location", table.OTHER_LOCATIONS, ids=_id)
@each("kind", [*table.OTHER_TOOLS, "log"])
async def test_no_other_tool_is_sent_inside(kind: str, location: str, net: Net) -> None:
    """By a redirect; and by the event in which a server of the older MCP transport says where it is."""
    net.shop.location = net.text(location)
    for path in ("redirect/302", "redirect/307", *(["sse"] if kind == "sse" else [])):
        # The rest of the path is what the tool asks for, which the server does not read.
        url = f"{_SHOP}/{path}" if kind in ("sse", "streamable-http") else f"{_SHOP}/redirect"
        # An agent is asked for its card, one of these specs at once.
        more = {"is_ours": path.endswith("307")} if kind == "agent" else {}
        text, is_error = await net.call(kind, url=url, timeout_seconds=1.0, **more)
        assert is_error, text
        assert WHY.search(text) or _WHY_SENT.search(text), text
        assert net.untouched(PUBLIC), net.wire.connected
        assert net.wire.connected, "the server has to be asked for the test to mean anything"


@each("url", [*SPELLED, *table.LOCATIONS], ids=_id)
async def test_no_card_of_an_agent_leads_inside(url: str, net: Net) -> None:
    """Where it says that the agent answers is asked at the declared server, or not at all."""
    interface = {"url": net.text(url), "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    net.shop.card = {"supportedInterfaces": [interface], "capabilities": {"streaming": True}}
    try:
        for declared in (_SHOP, f"{_SHOP}/agents/one"):
            text, is_error = await net.call("agent", url=declared)
            assert (is_error, net.untouched(PUBLIC)) == (True, True), (text, net.wire.connected)
            assert net.wire.connected, "the server has to be asked for the test to mean anything"
            assert WHY.search(text) or "the agent refused: Invalid JSON-RPC response" in text, text
            assert {request.headers["host"] for request in net.shop.received[-2:]} == {"shop.example.com"}
    finally:
        net.shop.card = None


@pytest.fixture(scope="module")
def diagnosed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The codes that the compiler gives for each Tool, in one run: its URL, its template or its header."""
    folder = tmp_path_factory.mktemp("hostile")
    parameters = {"q": {"type": "string", "description": "d", "required": True}}
    blocks: dict[str, dict[str, Any]] = {f"url {url}": {"http": {"url": url}} for url in ["%S/fine", *SPELLED]}
    blocks |= {f"template {url}": {"http": {"url": url}, "parameters": parameters} for url in table.TEMPLATES}
    for name, value in table.HEADERS:
        headers = [{"name": name, "value": value}]
        blocks[f"header {name}: {value}"] = {"http": {"url": f"{_SHOP}/", "headers": headers}}
    for index, block in enumerate(blocks.values()):
        text = json.dumps(block).replace("%P", "8080").replace("%S", _SHOP)
        spec = {"type": "http", "description": "d", **json.loads(text)}
        document = {
            "apiVersion": "kagent.dev/v1alpha1",
            "kind": "Tool",
            "metadata": {"name": f"t{index}"},
            "spec": spec,
        }
        (folder / f"{index}.yaml").write_text(json.dumps(document, ensure_ascii=False))
    found: dict[str, set[str]] = {key: set() for key in blocks}
    keys = list(blocks)
    for item in compile_paths([str(folder)]).diagnostics.in_order():
        if item.span:
            found[keys[int(Path(item.span.path).stem)]].add(item.code)
    return found


def test_a_url_that_is_right_compiles(diagnosed: dict[str, set[str]]) -> None:
    """Otherwise the ones below would say nothing."""
    assert diagnosed["url %S/fine"] == set()


@each("url", SPELLED, ids=_id)
def test_the_compiler_refuses_every_spelling(url: str, diagnosed: dict[str, set[str]]) -> None:
    """Before a pod has it: no URL (KR353), an address that no tool may call (KR358), or hidden characters (KR008)."""
    assert diagnosed[f"url {url}"] & {"KR353", "KR358", "KR008"}, diagnosed[f"url {url}"]


@each("url", table.TEMPLATES, ids=_id)
def test_the_compiler_refuses_templates_that_choose_a_server(url: str, diagnosed: dict[str, set[str]]) -> None:
    assert "KR353" in diagnosed[f"template {url}"], diagnosed[f"template {url}"]


@each(("name", "value"), table.HEADERS, ids=_id)
def test_the_compiler_refuses_headers_of_the_connection(name: str, value: str, diagnosed: dict[str, set[str]]) -> None:
    assert diagnosed[f"header {name}: {value}"] & {"KR355", "KR102", "KR103", "KR104", "KR105", "KR106"}
