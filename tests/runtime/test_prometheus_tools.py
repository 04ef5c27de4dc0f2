"""prometheus tools against a real Prometheus: series of the past, targets, rules and alerts that are evaluated."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from kagent_render.catalog.base import Endpoint
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.prometheus_times import parse_duration, parse_time, step_for, window
from tests.edge.http_target import HttpTarget
from tests.edge.model_server import ModelServer
from tests.edge.prometheus_server import SAMPLES_END, PrometheusServer
from tests.runtime.benches import Bench, compiled, endpoints
from tests.runtime.process import Runtime
from tests.runtime.puppet import puppet, task

OPERATIONS = ("query", "query_range", "labels", "series", "targets", "rules", "alerts")
HOURS = 48


def _past() -> str:
    """Two counters over two days, one of them with a gap, and many gauges at the end."""
    lines = ["# TYPE requests counter"]
    for code in ("200", "500"):
        for minute in range(0, HOURS * 60 + 1):
            if code == "200" or not 1000 < minute < 1300:
                at = SAMPLES_END - (HOURS * 60 - minute) * 60
                lines.append(
                    f'requests_total{{code="{code}",path="/a \\"b\\""}} {minute * (10 if code == "200" else 1)} {at}'
                )
    lines.append("# TYPE many gauge")
    lines += [f'many{{number="{number:03}"}} {number} {SAMPLES_END}' for number in range(150)]
    return "\n".join([*lines, "# EOF", ""])


def tools(url: str, **more: str) -> dict[str, str]:
    """A tool for each operation."""
    block = "".join(f", {name}: {value}" for name, value in more.items())
    return {
        operation.replace("_", "-"): f"type: prometheus\ndescription: Asks\n"
        f'prometheus: {{operation: {operation}, url: "{url}", allowPrivateAddresses: true{block}}}'
        for operation in OPERATIONS
    }


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrometheusServer]:
    with PrometheusServer(tmp_path_factory.mktemp("prometheus"), _past()) as server:
        yield server


@pytest.fixture
def bench(prometheus: PrometheusServer, tmp_path: Path) -> Bench:
    return Bench(tmp_path, tools(prometheus.origin))


async def test_the_value_of_an_expression_at_a_time(bench: Bench) -> None:
    expected = '2 series at 2023-11-14T22:13:20Z\nrequests_total{code="200", path="/a \\"b\\""} => 28800\n'
    expected += 'requests_total{code="500", path="/a \\"b\\""} => 2880'
    for moment in (str(SAMPLES_END), "2023-11-14T22:13:20Z", "2023-11-15T00:13:20+02:00", "2023-11-14T22:13:20"):
        assert await bench.gets("query", query="requests_total", time=moment) == expected
    assert (await bench.gets("query", query="1 + 1")).startswith("2 at 20")
    assert await bench.gets("query", query="nothing") == "The result is empty: no series matches."
    assert 'queue="orders"} => 42' in await bench.gets("query", query="shop_queue_length", time="now")


async def test_a_range_has_about_sixty_points(bench: Bench) -> None:
    """However long it is: the step follows."""
    for start, step in (("-1h", 60), ("-5m", 5), ("-2d", 3600), ("-6h", 600)):
        moment = {"start": str(int(parse_time(start, SAMPLES_END))), "end": str(SAMPLES_END)}
        text = await bench.gets("query-range", query='requests_total{code="200"}', **moment)
        first, _, values = text.split("\n")
        assert f"one value every {step} s" in first
        assert first.startswith("1 series, 2023-11-")
        points = values.partition(": ")[2].split()
        assert 30 < len(points) <= 61
        assert points[-1] == "28800"


async def test_gaps_are_shown_and_many_series_are_cut(bench: Bench) -> None:
    window = {"start": str(SAMPLES_END - HOURS * 3600), "end": str(SAMPLES_END), "step": "1h"}
    text = await bench.gets("query-range", query='requests_total{code="500"}', **window)
    values = text.split(": ", 1)[1].split()
    assert (len(values), values.count("-"), values[0], values[-1]) == (49, 5, "0", "2880")
    assert "min 0, max 2880, last 2880" in text
    moment = str(SAMPLES_END)
    text = await bench.gets("query", query="many", time=moment)
    assert text.startswith("150 series")
    assert text.endswith("[… 50 more series; narrow the request …]")
    text = await bench.gets("query-range", query="many", start=str(SAMPLES_END - 60), end=moment)
    assert text.endswith("[… 130 more series; narrow the request …]")
    assert (await bench.gets("query", query="many[5m]", time=moment)).startswith("150 series")


async def test_labels_and_series(bench: Bench) -> None:
    past = {"start": str(SAMPLES_END - 3600), "end": str(SAMPLES_END)}
    names = (await bench.gets("labels", match="requests_total", **past)).split("\n")
    assert names == ["__name__", "code", "path"]
    assert await bench.gets("labels", label="code", **past) == "200\n500"
    assert await bench.gets("labels", label="nothing") == "There are no values of nothing."
    assert "queue" in (await bench.gets("labels")).split("\n")
    text = await bench.gets("series", match="requests_total", **past)
    assert text.startswith('2 series\nrequests_total{code="200", path=')
    assert await bench.gets("series", match="nothing") == "No series matches."


async def test_targets_rules_and_alerts(bench: Bench) -> None:
    text = await bench.gets("targets")
    assert text.split("\n")[0].split() == ["HEALTH", "JOB", "URL", "LAST", "SCRAPE", "ERROR"]
    assert text.split("\n")[1].startswith("down     gone   http://127.0.0.1:1/metrics")
    assert "connection refused" in text
    assert "gone" not in await bench.gets("targets", job="shop")
    rules = await bench.gets("rules")
    assert "recording job:up:sum (group shop): sum by (job) (up)" in rules
    assert "alerting ShopQueueTooLong (group shop) firing: shop_queue_length > 10" in rules
    assert "NeverFires" not in await bench.gets("rules", name="ShopQueueTooLong")
    assert "ShopQueueTooLong" not in await bench.gets("rules", type="record")
    alerts = await bench.gets("alerts")
    assert alerts.startswith('firing ShopQueueTooLong{instance="127.0.0.1:')
    assert alerts.endswith(": 42 orders wait in orders")
    assert await bench.gets("alerts", state="pending") == "No alert is pending."


async def test_a_long_query_is_posted(bench: Bench) -> None:
    query = " or ".join(f'many{{number="{number:03}"}}' for number in range(150)) + " or vector(1)" * 300
    assert (await bench.gets("query", query=query, time=str(SAMPLES_END))).startswith("151 series")


async def test_errors_of_prometheus_are_passed_on(bench: Bench) -> None:
    text = await bench.fails("query", query="sum(")
    assert text.startswith("Prometheus answered bad_data: ")
    assert "parse error" in text
    assert "bad_data" in await bench.fails("series", match="{}")
    assert "is not the name of a label" in await bench.fails("labels", label="../query")
    assert "is not a time" in await bench.fails("query", query="up", time="yesterday")
    assert "the range is empty" in await bench.fails("query-range", query="up", start="now", end="-1h")
    assert "`step: 1s` gives 3,600 points; give 15s or more" in await bench.fails("query-range", query="up", step="1s")


def test_through_the_runtime_and_only_where_the_network_policy_leads(
    prometheus: PrometheusServer, tmp_path: Path
) -> None:
    with ModelServer(puppet()) as model:
        config, workload = compiled(tmp_path / "specs", tools(prometheus.origin), model.base_url)
        with Runtime(config, tmp_path / "run") as runtime:
            call = {"name": "alerts", "arguments": {}}
            events = runtime.ask(runtime.new_session(), task(solo=[{"tool_calls": [call]}, {"text": "ok"}]))
        model_port = urlsplit(model.base_url).port
    (result,) = [event for event in events if event["type"] == "tool.result"]
    assert (result["content"].startswith("firing ShopQueueTooLong"), result["isError"]) == (True, False)
    rendered = {item for item in endpoints(workload) if item.port != model_port}
    assert rendered == {Endpoint("127.0.0.1", urlsplit(prometheus.origin).port or 0, "http", is_private=True)}


async def test_headers_token_and_prefix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mimir and Thanos stand behind a path, a tenant header and a token; what is no answer of theirs is said."""
    monkeypatch.setenv("KAGENT_TOOL_QUERY_TOKEN", "t0ken-of-mimir")
    with HttpTarget() as target:
        headers = {"headers": "[{name: X-Scope-OrgID, value: shop}]"}
        token = {"bearerTokenSecretRef": "{name: mimir, key: token}"}
        bench = Bench(tmp_path, tools(f"{target.origin}/html/prometheus/", **headers, **token))
        text = await bench.fails("query", query="up")
        assert text == "HTTP 200 from 127.0.0.1, not an answer of Prometheus: <h1>Sign in</h1>"
        (request,) = target.received
        assert (request.path, request.query) == ("/html/prometheus/api/v1/query", "query=up")
        assert request.headers["authorization"] == "Bearer t0ken-of-mimir"
        assert request.headers["x-scope-orgid"] == "shop"
        refused = Bench(tmp_path, tools(f"{target.origin}/status/401", **token))
        text = await refused.fails("query", query="up")
        assert text.startswith("HTTP 401 from 127.0.0.1, not an answer of Prometheus: no: Bearer [redacted] xxx")
        huge = Bench(tmp_path, tools(f"{target.origin}/huge", **token))
        assert await huge.fails("query", query="up") == "the answer is larger than 8 MiB; aggregate, or select less"


def test_times_and_durations() -> None:
    now = time.time()
    assert parse_time("now", now) == now
    assert parse_time("-1h", now) == parse_time("now-1h", now) == parse_time("now - 60m", now) == now - 3600
    assert parse_time("1700000000.5", now) == 1_700_000_000.5
    assert parse_duration("1h30m") == parse_duration("5400") == 5400
    for text in ("", "-", "1 hour", "tomorrow", "nan", "-1x"):
        with pytest.raises(ToolFailureError, match="is not a time"):
            parse_time(text, now)
    for text in ("0", "-5", "5 minutes", "inf", "nan"):
        with pytest.raises(ToolFailureError, match="is not a duration"):
            parse_duration(text)
    assert window(None, None, now) == (now - 3600, now)
    for span in (1, 59, 60, 3600, 86400, 86400 * 30, 86400 * 400, 86400 * 4000):
        assert 0.9 <= span / step_for(0, span, None) <= 60 or span < 60
