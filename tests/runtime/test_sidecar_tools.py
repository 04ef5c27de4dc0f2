"""A tool whose server is a sidecar: it is reached at its one port of loopback, and nothing else there is.

From the spec on: what the compiler emits, the runtime loads.
"""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from autogen_core.tools import Workbench

from kagent_runtime.closing import close_all
from kagent_runtime.components.addresses import kind_of
from kagent_runtime.components.egress import EgressError, judged, system_resolve
from kagent_runtime.config import ConfigError, check_config
from tests.edge.http_target import HttpTarget, Trap
from tests.edge.mcp_server import PATHS, McpServer
from tests.edge.wire import Wire
from tests.runtime import ssrf_table as table
from tests.runtime.benches import Bench, compiled
from tests.runtime.ssrf_addresses import HOSTS, NAMES, OTHER, PUBLIC
from tests.runtime.test_mcp_tools import free_port

PORT = 8000
_OFFERED = {"streamable-http": "add", "sse": "send"}
each = pytest.mark.parametrize


def spec(transport: str, port: int) -> str:
    """A tool with a sidecar."""
    server = f"{{placement: Sidecar, image: ghcr.io/acme/orders-mcp:1, port: {port}}}"
    tools = f"[{_OFFERED[transport]}, process]"
    return f"type: mcp\ndescription: d\nmcp: {{transport: {transport}, server: {server}, tools: {tools}}}"


@each("transport", list(_OFFERED))
async def test_a_server_of_the_official_sdk_answers_beside_the_agent(transport: str, tmp_path: Path) -> None:
    """Also after the kubelet has started its container again."""
    port = free_port()
    bench = Bench(tmp_path, {"orders": spec(transport, port)})
    address = {"street": "s", "city": "Rome"}
    given: dict[str, dict[str, Any]] = {"add": {"a": 1, "b": 2}, "send": {"to": address, "copies": [address]}}
    arguments = given[_OFFERED[transport]]
    with McpServer(transport, port=port, log=tmp_path / "log") as server:
        answer = await bench.workbench.call_tool(_OFFERED[transport], arguments)
        assert (answer.to_text(), answer.is_error) in [("3", False), ("sent to Rome, copies to Rome", False)]
        first = (await bench.workbench.call_tool("process")).to_text()
        await asyncio.to_thread(server.start)
        second = await bench.workbench.call_tool("process")
        assert not second.is_error, second.to_text()
        assert second.to_text() != first
    await close_all()


@dataclass
class Pod:
    """What the runtime sees of a pod: a sidecar at its port, and a trap everywhere else."""

    sidecar: HttpTarget
    trap: Trap
    wire: Wire
    configs: dict[str, dict[str, Any]]

    async def call(self, transport: str, **changes: Any) -> str:
        """What a model is told of a call that fails, or why the config is refused."""
        self.wire.forget()
        config = copy.deepcopy(self.configs[transport])
        (component,) = config["component"]["config"]["workbench"]
        component["config"]["tools"] = [tool | changes for tool in component["config"]["tools"]]
        try:
            check_config(config, "runtime.json")
        except ConfigError as error:
            return f"refused: {error}"
        result = await Workbench.load_component(component).call_tool(_OFFERED[transport], {})
        assert result.is_error, result.to_text()
        return result.to_text()

    async def judge(self, host: str, port: int, *, is_named: bool, loopback_port: int | None = None) -> list[str]:
        """Where the guard lets connect to; nowhere if it refuses. Every name gives its first answer."""
        self.wire.forget()
        try:
            return await judged(host, port, system_resolve, False, is_named=is_named, loopback_port=loopback_port)
        except EgressError:
            return []

    def touched(self) -> set[tuple[str, int]]:
        """Who was connected to; whatever is not the sidecar ends in the trap."""
        return set(self.wire.connected)


@pytest.fixture(scope="module")
def rigged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pod]:
    folder = tmp_path_factory.mktemp("specs")
    configs = {name: compiled(folder / name, {"orders": spec(name, PORT)})[0] for name in _OFFERED}
    with HttpTarget() as sidecar, Trap("::") as trap, pytest.MonkeyPatch.context() as patch:
        wire = Wire(NAMES, {("127.0.0.1", PORT): sidecar.port}, trap.port)
        wire.install(patch)
        yield Pod(sidecar, trap, wire, configs)


@pytest.fixture
async def pod(rigged: Pod) -> AsyncIterator[Pod]:
    """The pod with nobody in the trap."""
    rigged.trap.connections = 0
    yield rigged
    await close_all()


@each("transport", list(_OFFERED))
async def test_the_port_of_the_sidecar_is_let_through(transport: str, pod: Pod) -> None:
    """And is all that is connected to: the tests below can fail."""
    text = await pod.call(transport)
    assert pod.touched() == {("127.0.0.1", PORT)}, text
    assert pod.trap.connections == 0
    text = await pod.call(transport, loopback_port=None)
    assert "leads to 127.0.0.1, which this tool may not call" in text
    assert pod.touched() == set()


_PLACES = [
    "http://127.0.0.1:8001/mcp",
    "http://127.0.0.1:80/",
    "http://127.0.0.1/",
    "https://127.0.0.1:8000/mcp",
    "http://127.0.0.1:80001/",
    "http://127.0.0.1:8000.example.com/",
    "http://127.0.0.2:8000/mcp",
    "http://127.1:8000/mcp",
    "http://0.0.0.0:8000/mcp",
    "http://[::1]:8000/mcp",
    "http://[::ffff:127.0.0.1]:8000/mcp",
    "http://localhost:8000/mcp",
    "http://shop.example.com:8000/mcp",
    "http://169.254.169.254:8000/",
    *(f"http://{host}:8000/" for host in HOSTS if host != "127.0.0.1"),
    *table.URLS,
]


@each("url", _PLACES, ids=repr)
@each("transport", list(_OFFERED))
async def test_a_config_cannot_widen_it(transport: str, url: str, pod: Pod) -> None:
    """The port stands twice, and an address that is not exactly loopback's at that port is no config."""
    text = await pod.call(transport, url=url.replace("%P", str(pod.trap.port)))
    assert text.startswith("refused: "), text
    assert (pod.touched(), pod.trap.connections) == (set(), 0)


@each("host", [*NAMES, *HOSTS, "127.0.0.2", "::1", "localhost", "0.0.0.0"], ids=repr)
async def test_the_guard_itself_lets_exactly_this_port_through(host: str, pod: Pod) -> None:
    """Whatever the config says: by the address, not by a name for it, at the port, and only where the spec leads."""
    for port, is_named in ((PORT, True), (PORT, False), (PORT + 1, True), (80, True)):
        found = await pod.judge(host, port, is_named=is_named, loopback_port=PORT)
        if (host, port, is_named) == ("127.0.0.1", PORT, True):
            assert found == ["127.0.0.1"]
        else:
            assert found == await pod.judge(host, port, is_named=is_named), "the same as without a sidecar"
            assert [address for address in found if kind_of(address) == "loopback"] == []


_LOCATIONS = [
    *table.OTHER_LOCATIONS,
    "http://127.0.0.1:8080/api/v1/sessions",
    "http://127.0.0.1:8001/",
    "http://localhost:8000/mcp",
    "https://127.0.0.1:8000/mcp",
    f"http://{PUBLIC}/",
    f"http://{OTHER}:8000/",
]


@each("location", _LOCATIONS, ids=repr)
@each("transport", list(_OFFERED))
async def test_a_sidecar_sends_the_agent_nowhere(transport: str, location: str, pod: Pod) -> None:
    """By a redirect, or by the event in which a server of the older transport says where it is."""
    pod.sidecar.location = location.replace("%P", str(pod.trap.port))
    for path in ("redirect/302", "redirect/307", *(["sse"] if transport == "sse" else [])):
        text = await pod.call(transport, url=f"http://127.0.0.1:{PORT}/{path}", timeout_seconds=1.0)
        assert pod.touched() == {("127.0.0.1", PORT)}, text
        assert pod.trap.connections == 0


@each("transport", list(_OFFERED))
def test_the_port_is_in_the_config_and_no_general_permission(transport: str, rigged: Pod) -> None:
    (component,) = rigged.configs[transport]["component"]["config"]["workbench"]
    (server,) = component["config"]["tools"]
    assert (server["loopback_port"], server["allow_private_addresses"]) == (PORT, False)
    assert server["url"] == f"http://127.0.0.1:{PORT}{PATHS[transport]}"
    assert "127.0.0.1" not in json.dumps(rigged.configs[transport]).replace(server["url"], "")
