"""http tools, from the Tool document to the wire and back to the model."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from autogen_core import CancellationToken

from kagent_render.catalog.base import Endpoint
from tests.edge.certificate import loopback_certificate
from tests.edge.http_target import HttpTarget, Received, json_of
from tests.edge.model_server import ModelServer
from tests.runtime.benches import Bench, compiled, endpoints
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task

SECRET = "s3cr3t/with+odd=characters"


@pytest.fixture(scope="module")
def target() -> Iterator[HttpTarget]:
    with HttpTarget() as server:
        yield server


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KAGENT_TOOL_T_TOKEN", SECRET + "\n")
    monkeypatch.setenv("KAGENT_TOOL_T_PASSWORD", SECRET)
    monkeypatch.setenv("KAGENT_TOOL_T_HEADER_X_KEY", SECRET)


def bench(tmp_path: Path, url: str, http: str = "", parameters: str = "") -> Bench:
    """A bench with the one tool `t`."""
    given = f"parameters: {{{parameters}}}\n" if parameters else ""
    more = f", {http}" if http else ""
    spec = f'type: http\ndescription: Calls\n{given}http: {{url: "{url}", allowPrivateAddresses: true{more}}}'
    return Bench(tmp_path / "specs", {"t": spec}, mounted=tmp_path / "tls")


async def sent(bench: Bench, target: HttpTarget, **arguments: Any) -> Received:
    """The request that a call makes."""
    before = len(target.received)
    await bench.gets("t", **arguments)
    assert len(target.received) == before + 1
    return target.received[-1]


async def test_arguments_are_encoded_where_they_stand(target: HttpTarget, tmp_path: Path) -> None:
    """Path, query and body, each by its own rules; what was left out is left out."""
    tools = bench(
        tmp_path,
        f"{target.origin}/x/v1/{{sku}}/parts-{{size}}?lang={{lang}}",
        'method: POST, query: {page: "{page}", q: "is:{lang}", flag: "{flag}"}, '
        'body: {whole: "{page}", text: "{sku} of {lang}", flag: "{flag}", raw: "{{sku}}", list: ["{page}", 1, null]}',
        "sku: {type: string, description: s, required: true}, size: {type: number, description: s, default: 1.5}, "
        "lang: {type: string, description: s, enum: [de/CH, en], default: de/CH}, "
        "page: {type: integer, description: s}, flag: {type: boolean, description: s}",
    )
    request = await sent(tools, target, sku="a b?&#%{grün}", flag=True)
    assert request.path == "/x/v1/a%20b%3F%26%23%25%7Bgr%C3%BCn%7D/parts-1.5"
    assert request.query == "lang=de%2FCH&q=is%3Ade%2FCH&flag=true"
    assert json.loads(request.body) == {
        "text": "a b?&#%{grün} of de/CH",
        "flag": True,
        "raw": "{sku}",
        "list": [1, None],
    }
    assert request.headers["content-type"] == "application/json"
    request = await sent(tools, target, sku="7", page=3.0, lang="en", size=2)
    assert (request.path, request.query) == ("/x/v1/7/parts-2", "lang=en&page=3&q=is%3Aen")
    assert json.loads(request.body)["whole"] == 3


TRAVERSALS = ["..", ".", "../stats", "a/b", "a\\b", "%2e%2e", "..%2fstats", "%2E%2E%2Fstats", "%252e%252e%252f", "..;"]
TRAVERSALS += [
    "..;/x",
    "/etc/passwd",
    "a%2fb",
    "a%5cb",
    "a%255cb",
    "\r\nX: y",
    "a\x00b",
    "a%00b",
    "a%0d%0aX",
    " ",
    ". ",
]


@pytest.mark.parametrize("value", TRAVERSALS)
async def test_no_argument_leaves_its_part_of_the_path(value: str, target: HttpTarget, tmp_path: Path) -> None:
    """autogen_ext's HttpTool calls /stats for ../../stats."""
    tools = bench(tmp_path, f"{target.origin}/v1/{{q}}", "", "q: {type: string, description: s, required: true}")
    before = len(target.received)
    await tools.fails("t", q=value)
    assert len(target.received) == before


async def test_wrong_arguments_are_refused_before_a_request(target: HttpTarget, tmp_path: Path) -> None:
    tools = bench(
        tmp_path,
        f"{target.origin}/json/{{q}}",
        'query: {count: "{count}", c: "{c}", f: "{f}"}',
        "q: {type: string, description: s, required: true}, count: {type: integer, description: s}, "
        "c: {type: string, description: s, enum: [a, b]}, f: {type: number, description: s}",
    )
    before = len(target.received)
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "the argument `q` is required"),
        ({"q": ""}, "the argument `q` is required"),
        ({"q": None}, "the argument `q` is required"),
        ({"q": "x", "other": 1}, "`other` is not an argument of t; it takes: q, count, c, f"),
        ({"q": 1}, "`q` must be of type string"),
        ({"q": "x", "count": "1"}, "`count` must be of type integer"),
        ({"q": "x", "count": True}, "`count` must be of type integer"),
        ({"q": "x", "count": 1.5}, "`count` must be of type integer"),
        ({"q": "x", "f": float("inf")}, "`f` must be a finite number"),
        ({"q": "x", "c": "z"}, "`c` must be one of: a, b"),
        ({"q": "\ud800"}, "`q` is not valid Unicode"),
        ({"q": "x" * 40_000}, "`q` is longer than 32,768 characters"),
    ]
    for arguments, message in cases:
        assert await tools.fails("t", **arguments) == message
    assert await tools.fails("other") == "there is no tool `other`; there are: t"
    assert len(target.received) == before


async def test_credentials_are_sent_and_never_shown(target: HttpTarget, tmp_path: Path) -> None:
    """The server repeats its headers: raw, in an error, and with the basic pair encoded."""
    bearer = bench(tmp_path, f"{target.origin}/x", "auth: {bearerTokenSecretRef: {name: s, key: k}}")
    echoed = json_of(await bearer.gets("t"))
    assert target.received[-1].headers["authorization"] == f"Bearer {SECRET}"
    assert echoed["headers"]["authorization"] == "Bearer [redacted]"
    failing = bench(tmp_path, f"{target.origin}/status/403", "auth: {bearerTokenSecretRef: {name: s, key: k}}")
    assert (await failing.fails("t")).startswith("HTTP 403 Forbidden from 127.0.0.1\nno: Bearer [redacted] xxx")
    basic = bench(tmp_path, f"{target.origin}/x", "auth: {basic: {username: me, passwordSecretRef: {name: s, key: k}}}")
    assert json_of(await basic.gets("t"))["headers"]["authorization"] == "Basic [redacted]"
    pair = base64.b64encode(f"me:{SECRET}".encode()).decode()
    assert target.received[-1].headers["authorization"] == f"Basic {pair}"
    header = bench(tmp_path, f"{target.origin}/x", "auth: {header: {name: X-Key, secretRef: {name: s, key: k}}}")
    assert SECRET not in await header.gets("t")
    assert target.received[-1].headers["x-key"] == SECRET


async def test_a_secret_that_is_cut_is_not_shown_either(
    target: HttpTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At every place where the answer may end."""
    spec = "auth: {bearerTokenSecretRef: {name: s, key: k}}, maxBytes: 256"
    for length in range(60, 110):
        monkeypatch.setenv("KAGENT_TOOL_T_TOKEN", "A" * length + "Z" * 60)
        tools = bench(tmp_path, f"{target.origin}/x", spec)
        text = await tools.gets("t")
        assert "AAAA" not in text
        assert "ZZZZ" not in text


async def test_a_credential_that_is_missing_or_no_header_value(
    target: HttpTarget, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tools = bench(tmp_path, f"{target.origin}/x", "auth: {bearerTokenSecretRef: {name: s, key: k}}")
    before = len(target.received)
    for value in ("one\ntwo", "grün", "tab\x01"):
        monkeypatch.setenv("KAGENT_TOOL_T_TOKEN", value)
        text = await tools.fails("t")
        assert text == "the credential KAGENT_TOOL_T_TOKEN cannot be sent: it is not one line of ASCII"
    monkeypatch.delenv("KAGENT_TOOL_T_TOKEN")
    assert await tools.fails("t") == "the credential KAGENT_TOOL_T_TOKEN is not set"
    assert len(target.received) == before


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data.items[*].name", '["item 0", "item 1", "item 2"]'),
        ("data.items[1]", '{"name": "item 1", "price": 1}'),
        ("text", "grün"),
        ('data["odd key"]', "true"),
        ("data.items", '[\n{"name": "item 0", "price": 0},\n'),
    ],
)
async def test_a_part_of_a_json_answer(path: str, expected: str, target: HttpTarget, tmp_path: Path) -> None:
    tools = bench(tmp_path, f"{target.origin}/json/", f"response: {{path: '{path}'}}")
    assert (await tools.gets("t")).startswith(expected)


async def test_an_answer_without_that_part(target: HttpTarget, tmp_path: Path) -> None:
    """What is there instead is the most useful thing to say."""
    expected = {
        "json|data.missing": "the answer has no `missing` at data: it has items, total, odd key",
        "json|data.items[9]": "the answer has no `9` at data.items: it is a list of 3",
        "json|data.total[*]": "the answer has no list at data.total: it is 3",
        "html|data": "the answer is not JSON (text/html): <h1>Sign in</h1>",
        "broken|data": 'the answer is not JSON (application/json): {"data": [1, 2',
        "huge|data": "the answer is larger than 4 MiB; narrow the request",
    }
    for case, message in expected.items():
        path, _, selection = case.partition("|")
        tools = bench(tmp_path, f"{target.origin}/{path}/", f"response: {{path: '{selection}'}}")
        assert await tools.fails("t") == message


ITEMS = "{type: array, items: {type: object, properties: {name: {type: string}, price: {type: integer}}}}"


@pytest.mark.parametrize(
    ("response", "start"),
    [
        ("path: data.items, schema: " + ITEMS, '[\n{"name": "item 0", "price": 0},\n'),
        ("path: data.total, schema: {type: integer}", "3"),
        ("path: text, schema: {type: string, enum: [grün, rot]}", "grün"),
        # What the schema does not name is let through, since servers may say more tomorrow.
        ("schema: {type: object, properties: {text: {type: string}}}", '{"data": {"items": [{"name": "item 0"'),
        ("schema: {type: object, properties: {absent: {type: integer}}, required: []}", '{"data": '),
    ],
)
async def test_an_answer_that_is_as_it_should_be(response: str, start: str, target: HttpTarget, tmp_path: Path) -> None:
    tools = bench(tmp_path, f"{target.origin}/json/", f"response: {{{response}}}")
    assert (await tools.gets("t")).startswith(start)
    assert target.received[-1].headers["accept"].startswith("application/json, ")


async def test_an_answer_that_is_not_as_it_should_be_is_an_error(target: HttpTarget, tmp_path: Path) -> None:
    """The field is named, and nothing of the answer is shown."""
    string = "schema: {type: object, properties: {data: {type: string}, text: {type: string}}}"
    prices = f"path: data.items, schema: {ITEMS.replace('integer', 'string')}"
    unfit = "the answer is not as `response.schema` says:"
    expected = {
        f"json|{string}": f"{unfit} $.data must be of type string, not an object",
        f"json|{prices}": f"{unfit} "
        + "; ".join(f"$[{n}].price must be of type string, not a number" for n in range(3)),
        "json|path: text, schema: {type: string, enum: [rot]}": f'{unfit} $ must be one of ["rot"]',
        "json|schema: {type: object, properties: {id: {type: integer}}}": f"{unfit} $.id is missing",
        "json|path: data.missing, schema: {type: string}": "the answer has no `missing` at data: "
        "it has items, total, odd key",
        f"html|{string}": "the answer is not JSON (text/html)",
        f"broken|{string}": "the answer is not JSON (application/json)",
        "nan|path: data, schema: {type: number}": "the answer is not JSON (application/json)",
        f"nothing|{string}": f"HTTP 200 OK: {unfit} it is empty",
        f"huge|{string}": "the answer is larger than 4 MiB; narrow the request",
    }
    for case, message in expected.items():
        path, _, response = case.partition("|")
        tools = bench(tmp_path, f"{target.origin}/{path}/", f"response: {{{response}}}")
        assert await tools.fails("t") == message
    empty = bench(tmp_path, f"{target.origin}/empty/", f"response: {{{string}}}")
    assert await empty.gets("t") == "HTTP 204 No Content"


async def test_the_accepted_type_is_for_the_spec_to_say(target: HttpTarget, tmp_path: Path) -> None:
    """In whatever case it writes the header."""
    http = "headers: [{name: accept, value: application/hal+json}], response: {path: text, schema: {type: string}}"
    assert await bench(tmp_path, f"{target.origin}/json/", http).gets("t") == "grün"
    assert target.received[-1].headers["accept"] == "application/hal+json"


async def test_answers_of_all_kinds(target: HttpTarget, tmp_path: Path) -> None:
    async def text(path: str, http: str = "") -> str:
        return await bench(tmp_path, f"{target.origin}/{path}", http).gets("t")

    assert await text("latin/") == "grün\nrot"
    assert await text("image/") == "[500 bytes of image/png, not shown]"
    assert await text("empty/") == "HTTP 204 No Content"
    assert (await text("json/", "method: HEAD")).startswith("HTTP 200 OK\ncontent-type: application/json\n")
    cut = await text("huge/", "maxBytes: 1000")
    assert cut.endswith("\n\n[… cut after 1,000 bytes; narrow the request to see the rest …]")
    assert len(cut) < 1100
    assert len(await text("bomb/", "maxBytes: 1000")) < 1100


async def test_an_error_status_is_an_error(target: HttpTarget, tmp_path: Path) -> None:
    """autogen_ext's HttpTool gives the body of a 404 as a success."""
    for status, start in (("404", "HTTP 404 Not Found"), ("500", "HTTP 500 Internal Server Error")):
        text = await bench(tmp_path, f"{target.origin}/status/{status}").fails("t")
        assert text.startswith(start)
        assert len(text) < 2200
    text = await bench(tmp_path, f"{target.origin}/status/429").fails("t")
    assert text.startswith("HTTP 429 Too Many Requests from 127.0.0.1; try again after 7 s\n")


async def test_a_drip_ends_with_the_deadline(target: HttpTarget, tmp_path: Path) -> None:
    """A byte every 50 ms: each read is in time, the answer never is."""
    tools = bench(tmp_path, f"{target.origin}/drip/", "timeoutSeconds: 0.5")
    target.hung_up.clear()
    started = time.monotonic()
    assert await tools.fails("t") == "no complete answer within 0.5 s"
    assert time.monotonic() - started < 1.5
    assert await asyncio.to_thread(target.hung_up.wait, 5)


async def test_a_cancelled_call_ends_at_once(target: HttpTarget, tmp_path: Path) -> None:
    """Upstream #7956: the agent would wait for ever."""
    tools = bench(tmp_path, f"{target.origin}/drip/")
    token = CancellationToken()
    call = asyncio.ensure_future(tools.call("t", token))
    await asyncio.sleep(0.3)
    started = time.monotonic()
    token.cancel()
    assert await call == ("cancelled", True)
    assert time.monotonic() - started < 1


async def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with HttpTarget() as gone:
        origin = gone.origin
    text = await bench(tmp_path, f"{origin}/x").fails("t")
    assert text.startswith(f"127.0.0.1 cannot be reached on port {urlsplit(origin).port}: ")


async def test_without_permission_the_loopback_address_is_refused(target: HttpTarget, tmp_path: Path) -> None:
    """The name resolves to it; the compiler could not know."""
    spec = f"type: http\ndescription: Calls\nhttp: {{url: 'http://localhost.localdomain:{target.port}/x'}}"
    tools = Bench(tmp_path / "specs", {"t": spec})
    before = len(target.received)
    text = await tools.fails("t")
    assert "may not call" in text or "does not resolve" in text
    assert len(target.received) == before


async def test_a_tool_with_its_own_ca_and_client_certificate(tmp_path: Path) -> None:
    """The files are where the Deployment mounts them, below another folder."""
    pair = loopback_certificate(tmp_path)
    for part, names in (("ca", {"ca.crt": pair[0]}), ("client", {"tls.crt": pair[0], "tls.key": pair[1]})):
        folder = tmp_path / "tls" / "tools" / "t" / part
        folder.mkdir(parents=True)
        for name, source in names.items():
            os.symlink(source, folder / name)
    with HttpTarget(tls=pair, client_ca=pair[0]) as target:
        url, ca = f"{target.origin}/x", "caSecretRef: {name: ca, key: k}, useSystemCAs: false"
        both = f"tls: {{{ca}, clientCertificateSecretRef: {{name: c}}}}"
        assert json_of(await bench(tmp_path, url, both).gets("t"))["path"] == "/x"
        assert "CERTIFICATE_VERIFY_FAILED" in await bench(tmp_path, url).fails("t")
        # The server wants a certificate: whoever shows none is cut off.
        await bench(tmp_path, url, f"tls: {{{ca}}}").fails("t")
        assert len(target.received) == 1


def test_what_is_called_is_what_the_network_policy_lets_through(target: HttpTarget, tmp_path: Path) -> None:
    """Through the real runtime and a scripted model: hosts and ports contacted are the endpoints of the compiler."""
    spec = f'''
type: http
description: Looks up an article
parameters: {{sku: {{type: string, description: Number, required: true}}}}
http:
  url: "{target.origin}/articles/{{sku}}"
  auth: {{bearerTokenSecretRef: {{name: shop, key: token}}}}
  allowPrivateAddresses: true
'''
    before = len(target.received)
    with ModelServer(puppet()) as model:
        config, workload = compiled(tmp_path / "specs", {"article": spec}, model.base_url)
        model_port = urlsplit(model.base_url).port
        with Runtime(config, tmp_path / "run", KAGENT_TOOL_ARTICLE_TOKEN=SECRET) as runtime:
            calls = [{"name": "article", "arguments": {"sku": "a/7"}}, {"name": "article", "arguments": {"sku": "A 7"}}]
            events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": calls}, {"text": "done"}]))
            runtime.process.terminate()
            log = runtime.wait_stderr()
        asked = model.requests[0].body["tools"]
    results = {event["content"]: event["isError"] for event in events if event["type"] == "tool.result"}
    assert results.pop("`sku` must be one part of a path: not empty, without `/` and `\\`") is True
    ((text, is_error),) = results.items()
    assert (json_of(text)["path"], is_error) == ("/articles/A%207", False)
    assert SECRET not in log + json.dumps(events)
    contacted = {(request.headers["host"]) for request in target.received[before:]}
    assert contacted == {f"127.0.0.1:{target.port}"}
    rendered = {item for item in endpoints(workload) if item.port != model_port}
    assert rendered == {Endpoint("127.0.0.1", target.port, "http", is_private=True)}
    assert [tool["function"]["name"] for tool in asked] == ["article"]
    assert asked[0]["function"]["parameters"]["required"] == ["sku"]


def test_a_replay_does_not_call_them(target: HttpTarget, tmp_path: Path) -> None:
    """It has nothing to ask, and they may do more than read."""
    http = f"{{method: DELETE, url: '{target.origin}/x', allowPrivateAddresses: true}}"
    spec = f"type: http\ndescription: Deletes\nhttp: {http}"
    before = len(target.received)
    config, _ = compiled(tmp_path / "specs", {"delete": spec})
    with Runtime(config, tmp_path / "run", "--model", "replay") as runtime:
        events = runtime.ask(runtime.new_session(), "What is wrong?")
        described = runtime.client.get("/api/v1/agent").json()
    assert events[-1]["type"] == "run.finished"
    assert "does not call delete in a replay" in json.dumps(events)
    assert len(target.received) == before
    (shown,) = described["agents"][0]["tools"]
    assert (shown["name"], shown["description"]) == ("delete", "Deletes")
    assert described["clusterMode"] is None
