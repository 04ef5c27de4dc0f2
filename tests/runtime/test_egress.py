"""Where a tool can be made to connect: nowhere but where its spec says. The trap counts whatever gets through."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from kagent_runtime.components import egress
from kagent_runtime.components.addresses import is_in_cluster, kind_of
from kagent_runtime.components.egress import Answer, Call, EgressError, fetch, system_resolve
from kagent_runtime.model import RemoteTls
from tests.edge.certificate import loopback_certificate
from tests.edge.http_target import HttpTarget, Trap, json_of

# Each is 127.0.0.1 or the pod itself for some resolver, or for some parser of URLs.
LOOPBACK_HOSTS = [
    "127.0.0.1",
    "127.0.0.2",
    "127.255.255.254",
    "127.1",
    "127.0.1",
    "0",
    "0.0.0.0",
    "2130706433",
    "0x7f000001",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "017700000001",
    "0x7f.1",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "①②⑦.⓪.⓪.①",
    "127。0。0。1",
    "\uff11\uff12\uff17.0.0.1",
]
NEVER = [
    "0.0.0.0",
    "0.1.2.3",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.170.2",
    "169.254.0.1",
    "192.0.0.192",
    "192.0.0.1",
    "192.0.2.1",
    "192.88.99.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:8.8.8.8",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "100::1",
    "2001::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:a9fe:a9fe::1",
    "2002:7f00:1::",
    "3fff::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "5f00::1",
    "not an address",
]
PRIVATE = ["10.0.0.1", "10.255.255.255", "100.64.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "198.18.0.1"]
PRIVATE += ["fc00::1", "fd12:3456::1"]
LOOPBACK = ["127.0.0.1", "127.8.8.8", "::1"]
PUBLIC = ["8.8.8.8", "140.82.121.6", "2606:4700::1111", "64:ff9b::808:808", "172.32.0.1", "100.128.0.1"]


def resolver(**known: list[str] | list[list[str]]):  # type: ignore[no-untyped-def]
    """Answers for names (`_` for `.`); a list of lists is one answer after the other. Counts what it is asked."""
    asked: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        answers = known.get(host.replace(".", "_").replace("-", "_"))
        if answers is None:
            return await system_resolve(host, port)
        if answers and isinstance(answers[0], list):
            return list(answers[min(asked.count(host), len(answers)) - 1])
        return [str(item) for item in answers]

    resolve.asked = asked  # type: ignore[attr-defined]
    return resolve


@pytest.fixture(scope="module")
def trap() -> Iterator[Trap]:
    with Trap("0.0.0.0") as trap:
        yield trap


@pytest.fixture(scope="module")
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as server:
        yield server


def test_the_tables_are_large_enough() -> None:
    """What is claimed of the guard rests on them."""
    assert len(set(LOOPBACK_HOSTS)) + len(set(NEVER)) + len(REDIRECTS) >= 80


@pytest.mark.parametrize("address", NEVER)
def test_addresses_that_nobody_may_call(address: str) -> None:
    assert kind_of(address) == "never"


def test_addresses_that_somebody_may_call() -> None:
    assert {kind_of(address) for address in PRIVATE} == {"private"}
    assert {kind_of(address) for address in LOOPBACK} == {"loopback"}
    assert {kind_of(address) for address in PUBLIC} == {"public"}


def test_names_of_the_cluster() -> None:
    inside = ["vllm", "VLLM", "prom.monitoring.svc", "prom.monitoring.svc.cluster.local", "prom.monitoring.svc."]
    outside = [
        "localhost",
        "svc",
        "a.svc",
        "example.com",
        "a.b.svc.example.com",
        "a.b.c.svc",
        "::1",
        "svc.cluster.local",
    ]
    assert [name for name in inside if not is_in_cluster(name)] == []
    assert [name for name in outside if is_in_cluster(name)] == ["svc"]


async def test_the_trap_is_where_an_unguarded_client_ends(trap: Trap) -> None:
    """Otherwise the tests below could not fail."""
    before = trap.connections
    async with httpx.AsyncClient(trust_env=False) as client:
        for host in ("127.0.0.1", "2130706433", "0x7f.1", "127.1", "localhost", "0"):
            assert (await client.get(f"http://{host}:{trap.port}/")).text == "secret"
    assert trap.connections == before + 6


@pytest.mark.parametrize("host", LOOPBACK_HOSTS)
async def test_no_form_of_a_loopback_address_is_called(host: str, trap: Trap) -> None:
    before = trap.connections
    with pytest.raises(EgressError):
        await fetch(Call("GET", f"http://{host}:{trap.port}/"))
    assert trap.connections == before


@pytest.mark.parametrize("address", [*NEVER, *PRIVATE, *LOOPBACK])
async def test_a_name_that_leads_to_one_such_address_is_not_called(address: str, trap: Trap) -> None:
    """One bad address among good ones is enough: which one is used would be the resolver's choice."""
    before = trap.connections
    for answers in ([address], ["127.0.0.1", address], [address, "8.8.8.8"]):
        with pytest.raises(EgressError, match="may not call"):
            await fetch(Call("GET", f"http://evil.example.com:{trap.port}/"), resolver(evil_example_com=answers))
    assert trap.connections == before


@pytest.mark.parametrize("address", NEVER)
async def test_not_even_where_private_addresses_are_allowed(address: str, trap: Trap) -> None:
    before = trap.connections
    for host in ("evil.example.com", "evil", "evil.ns.svc"):
        resolve = resolver(evil_example_com=[address], evil=[address], evil_ns_svc=[address])
        with pytest.raises(EgressError, match="may not call"):
            await fetch(Call("GET", f"http://{host}:{trap.port}/", allow_private=True), resolve)
    assert trap.connections == before


async def test_a_service_of_the_cluster_may_be_private_but_not_the_pod_itself(trap: Trap) -> None:
    """A Service never is on a loopback address; a name that says so is not one."""
    before = trap.connections
    with pytest.raises(EgressError, match=r"127\.0\.0\.1, which this tool may not call"):
        await fetch(Call("GET", f"http://vllm.models.svc:{trap.port}/"), resolver(vllm_models_svc=["127.0.0.1"]))
    assert trap.connections == before
    inside = resolver(vllm_models_svc=["10.96.0.7"])
    assert await egress.judged("vllm.models.svc", 80, inside, False, is_named=True) == ["10.96.0.7"]
    with pytest.raises(EgressError, match="may not call"):
        await egress.judged("vllm.models.svc", 80, inside, False, is_named=False)


# %P is the trap's port, %T the target's own.
REDIRECTS = [
    "http://127.0.0.1:%P/",
    "http://127.0.0.1/",
    "http://localhost:%P/",
    "http://[::1]:%P/",
    "http://[::ffff:127.0.0.1]:%P/",
    "http://2130706433:%P/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://0/",
    "http://①②⑦.⓪.⓪.①/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/",
    "http://100.100.100.200/",
    "http://168.63.129.16/machine",
    "http://[64:ff9b::a9fe:a9fe]/",
    "http://[2002:a9fe:a9fe::]/",
    "http://vault:%P/",
    "http://vault/",
    "http://vault.prod.svc:%P/",
    "http://vault.prod.svc/",
    "http://vault.prod.svc.cluster.local/",
    "http://kubernetes.default.svc/",
    "https://kubernetes.default.svc/api/v1/secrets",
    "http://user:password@127.0.0.1:%P/",
    "http://shop.example.com@127.0.0.1:%P/",
    "http://127.0.0.1:%P#@shop.example.com/",
    "http://127.0.0.1:%P\\@shop.example.com/",
    "//127.0.0.1:%P/",
    "///127.0.0.1:%P/",
    "http:/\\127.0.0.1:%P/",
    "http://private.example.com/",
    "http://rebound.example.com/",
    "http://shop.example.com:%P/",
    "https://shop.example.com:%P/",
    "http://SHOP.example.com.:%P/",
    "ftp://127.0.0.1:%P/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:%P/_GET%20/",
    "data:text/plain,secret",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "http://",
    "http://[::1",
    "http://127.0.0.1:99999/",
    "http://a b/",
    "http://127.0.0.1%00.example.com:%P/",
    "http://evil\r\nhost: a/",
]


@pytest.mark.parametrize("location", REDIRECTS)
async def test_no_redirect_leads_to_the_inside(location: str, target: HttpTarget, trap: Trap) -> None:
    """The server that the spec names turns hostile. It is named, and private: neither is inherited."""
    where = location.replace("%P", str(trap.port)).replace("%T", str(target.port))
    inside = ["127.0.0.1"]
    resolve = resolver(
        shop_example_com=inside,
        SHOP_example_com_=inside,
        shop_example_com_=inside,
        vault=inside,
        vault_prod_svc=inside,
        vault_prod_svc_cluster_local=inside,
        kubernetes_default_svc=["10.96.0.1"],
        private_example_com=["10.0.0.7"],
        rebound_example_com=["8.8.8.8", "127.0.0.1"],
        metadata_google_internal=["169.254.169.254"],
    )
    before = trap.connections
    for status in (301, 302, 307, 308):
        target.location = where.replace("\r", "").replace("\n", "")
        call = Call("GET", f"http://shop.example.com:{target.port}/redirect/{status}", allow_private=True)
        try:
            answer = await asyncio.wait_for(fetch(call, resolve), 10)
        except EgressError:
            continue
        # Some of these are paths for a URL parser: then they stay where they are.
        assert answer.host == "shop.example.com"
        assert answer.body != b"secret"
    assert trap.connections == before


async def test_a_name_is_resolved_once_for_a_request(target: HttpTarget) -> None:
    """DNS rebinding: the second answer would be the trap's, on the same port of another address."""
    with Trap("127.0.0.2", target.port) as trap:
        resolve = resolver(shop_example_com=[["127.0.0.1"], ["127.0.0.2"]])
        call = Call("GET", f"http://shop.example.com:{target.port}/", allow_private=True)
        answer = await fetch(call, resolve)
        assert json_of(answer.body.decode())["headers"]["host"] == f"shop.example.com:{target.port}"
        assert (resolve.asked, trap.connections) == (["shop.example.com"], 0)


async def test_a_redirect_to_the_same_place_is_judged_anew(target: HttpTarget) -> None:
    """The second answer of the resolver is the metadata of a cloud."""
    target.location = "/json/"
    resolve = resolver(shop_example_com=[["127.0.0.1"], ["169.254.169.254"]])
    call = Call("GET", f"http://shop.example.com:{target.port}/redirect/302", allow_private=True)
    with pytest.raises(EgressError, match=r"169\.254\.169\.254"):
        await fetch(call, resolve)


def _local(target: HttpTarget, path: str, **more: object) -> Call:
    return Call("GET", f"{target.origin}/{path}", allow_private=True, **more)  # type: ignore[arg-type]


async def test_a_redirect_on_the_same_origin_keeps_the_credentials(target: HttpTarget) -> None:
    target.location = "/x/y"
    answer = await fetch(_local(target, "redirect/302", headers={"Authorization": "Bearer t"}))
    assert json_of(answer.body.decode())["headers"]["authorization"] == "Bearer t"


async def test_another_origin_gets_no_credentials() -> None:
    """Hop by hop, as the client builds it: no public address can be reached from a test."""
    hop = egress._Hop(
        httpx.URL("https://a.example.com/x"), "GET", {"authorization": "t", "x-key": "k", "accept": "*/*"}, None, True
    )
    other = egress._redirected(hop, 302, "https://b.example.com/y", is_followed=True)
    assert (dict(other.headers), other.is_named) == ({"accept": "*/*"}, False)
    upgraded = egress._redirected(
        egress._Hop(httpx.URL("http://a.example.com/x"), "GET", dict(hop.headers), None, True),
        302,
        "https://a.example.com/x",
        is_followed=True,
    )
    assert (dict(upgraded.headers), upgraded.is_named) == ({"accept": "*/*"}, False)
    with pytest.raises(EgressError, match="https to http"):
        egress._redirected(hop, 302, "http://a.example.com/x", is_followed=True)
    post = egress._Hop(hop.url, "POST", hop.headers, b"{}", True)
    with pytest.raises(EgressError, match="redirects a POST"):
        egress._redirected(post, 307, "https://b.example.com/y", is_followed=True)
    seen = egress._redirected(post, 303, "https://a.example.com/y", is_followed=True)
    assert (seen.method, seen.content, seen.is_named) == ("GET", None, True)


async def test_redirects_end(target: HttpTarget) -> None:
    target.location = "/redirect/302"
    before = len(target.received)
    with pytest.raises(EgressError, match="more than 5 redirects"):
        await fetch(_local(target, "redirect/302"))
    assert len(target.received) - before == 6
    with pytest.raises(EgressError, match="not followed"):
        await fetch(_local(target, "redirect/302", max_redirects=0))


async def test_proxies_of_the_environment_are_not_used(
    target: HttpTarget, trap: Trap, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{trap.port}")
    before = trap.connections
    assert (await fetch(_local(target, "json/"))).status == 200
    assert trap.connections == before


async def test_what_a_body_unpacks_to_is_counted(target: HttpTarget) -> None:
    """200 KiB on the wire, 200 MiB in memory, if it were unpacked at once."""
    answer = await fetch(_local(target, "bomb/", limit=1000))
    assert (answer.body, answer.was_cut) == (b"0" * 1000, True)
    target.hung_up.clear()
    answer = await fetch(_local(target, "huge/", limit=5000))
    assert (len(answer.body), answer.was_cut) == (5000, True)
    assert target.hung_up.wait(5)
    assert (await fetch(_local(target, "deflate/"))).body == b"unpacked"


async def test_encodings_that_were_not_asked_for_are_refused(target: HttpTarget) -> None:
    for path in ("brotli/", "nogzip/"):
        with pytest.raises(EgressError, match="cannot be read"):
            await fetch(_local(target, path))


async def test_the_end_of_a_log_is_kept(target: HttpTarget) -> None:
    answer = await fetch(_local(target, "tail/100000", limit=500, keep="tail"))
    assert (len(answer.body), answer.was_cut) == (500, True)
    assert answer.body.endswith(b"line 99999\n")


async def test_tls_verifies_the_name_that_was_asked_for(tmp_path: Path) -> None:
    """The connection goes to an address; certificate and SNI are about the name."""
    pair = loopback_certificate(tmp_path, names=("shop.example.com",))
    tls = RemoteTls(system_cas=False, ca=str(pair[0]))
    with HttpTarget(tls=pair) as target:
        resolve = resolver(shop_example_com=["127.0.0.1"], other_example_com=["127.0.0.1"])
        call = Call("GET", f"https://shop.example.com:{target.port}/", tls=tls, allow_private=True)
        assert isinstance(await fetch(call, resolve), Answer)
        for url, trusted in ((f"https://other.example.com:{target.port}/", tls), (call.url, None)):
            with pytest.raises(EgressError, match="CERTIFICATE_VERIFY_FAILED"):
                await fetch(Call("GET", url, tls=trusted, allow_private=True), resolve)
        assert len(target.received) == 1
    missing = RemoteTls(system_cas=True, ca=str(tmp_path / "none.crt"))
    with pytest.raises(EgressError, match="TLS files"):
        await fetch(Call("GET", "https://127.0.0.1:1/", tls=missing, allow_private=True))


async def test_a_second_address_is_tried_when_the_first_does_not_answer(target: HttpTarget) -> None:
    with socket.create_server(("127.0.0.3", 0)) as closed:
        closed.close()
        resolve = resolver(shop_example_com=["127.0.0.3", "127.0.0.1"])
        call = Call("GET", f"http://shop.example.com:{target.port}/json/", allow_private=True)
        assert (await fetch(call, resolve)).status == 200
    with pytest.raises(EgressError, match="does not resolve"):
        await fetch(call, resolver(shop_example_com=[]))
    with pytest.raises(EgressError, match="does not resolve"):
        await fetch(Call("GET", "http://nobody.invalid/"))
