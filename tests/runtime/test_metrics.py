"""Metrics as Prometheus sees them: a real server scrapes the real process, and the rendered rules fire on it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.edge.kubernetes_api import KubernetesApi
from tests.edge.model_server import ModelServer
from tests.edge.prometheus import Prometheus, promtool
from tests.harness import CASES
from tests.runtime.configs import agent, runtime_config, tools
from tests.runtime.process import KEY, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.surroundings import kubeconfig
from tests.runtime.test_agent_runs import GET_PODS, POD

JSON = dict[str, Any]
RENDERED = CASES / "build" / "observability" / "expected" / "team"
SAID = "canary-said-4711"
NAME = re.compile(r"\b(?:kagent|process)_[a-z_]+")


@pytest.fixture(scope="module")
def model() -> Iterator[ModelServer]:
    with ModelServer(puppet(), api_key=KEY) as server:
        yield server


@pytest.fixture(scope="module")
def cluster() -> Iterator[KubernetesApi]:
    with KubernetesApi([POD]) as server:
        yield server


@pytest.fixture(scope="module")
def runtime(model: ModelServer, cluster: KubernetesApi, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runtime]:
    """A process that has finished two runs, failed one and cancelled one."""
    folder = tmp_path_factory.mktemp("runtime")
    config = runtime_config(agent("solo", model.base_url, workbench=tools("get")))
    with Runtime(config, folder, "--cluster", "kubeconfig", KUBECONFIG=kubeconfig(folder, cluster.origin)) as process:
        runs: tuple[list[JSON], ...] = (
            [{"tool_calls": [GET_PODS]}, {"text": SAID}],
            [{"tool_calls": [GET_PODS | {"arguments": {"resource": "nonsense"}}]}, {"text": SAID}],
            [{"error": 400}],
        )
        for steps in runs:
            process.ask(process.new_session(), task(solo=steps))
        session = process.new_session()
        calls = len(model.requests)
        process.send(session, task(solo=[{"text": "never", "sleep": 30}]))
        model.wait_for_requests(calls + 1)
        assert process.client.post(f"/api/v1/sessions/{session}/cancel").status_code == 202
        process.wait_finished(session)
        yield process


def scrape(runtime: Runtime) -> str:
    """The exposition."""
    answer = runtime.client.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def rule_file(name: str) -> JSON:
    """The rendered rules as a Prometheus reads them: what the operator makes of a PrometheusRule."""
    document: JSON = yaml.safe_load((RENDERED / name / "prometheusrule.yaml").read_text())
    spec: JSON = document["spec"]
    return spec


def dashboard() -> JSON:
    """The rendered dashboard."""
    config_map = yaml.safe_load((RENDERED / "configmap-kagent-dashboard.yaml").read_text())
    ((_, text),) = config_map["data"].items()
    parsed: JSON = json.loads(text)
    return parsed


def test_prometheus_reads_what_happened(runtime: Runtime, tmp_path: Path) -> None:
    """Outcomes, tokens and latencies, under the labels that the rules and the dashboard select by."""
    target = runtime.url.removeprefix("http://")
    with Prometheus(tmp_path / "prometheus", target, "one", "team", rule_file("one")) as prometheus:
        outcomes = prometheus.wait_for('sum by (outcome) (kagent_runs_total{namespace="team",job="one"})')
        assert {labels["outcome"]: value for labels, value in outcomes} == {"completed": 2, "failed": 1, "cancelled": 1}
        calls = prometheus.wait_for("kagent_model_calls_total")
        assert {labels["outcome"]: value for labels, value in calls} == {"ok": 4, "error": 1, "cancelled": 1}
        tools = prometheus.wait_for("kagent_tool_calls_total")
        assert {(labels["tool"], labels["outcome"]): value for labels, value in tools} == {
            ("kubectl-get", "ok"): 1,
            ("kubectl-get", "error"): 1,
        }
        tokens = dict((labels["type"], value) for labels, value in prometheus.wait_for("kagent_tokens_total"))
        assert tokens["input"] > 0
        assert tokens["output"] > 0
        assert prometheus.wait_for("kagent_runs_in_flight")[0][1] == 0
        assert prometheus.wait_for("kagent_run_duration_seconds_count")[0][1] == 4
        assert prometheus.wait_for("kagent_run_time_to_first_token_seconds_count")[0][1] == 2
        assert prometheus.wait_for("kagent_messages_total")[0] == (
            {"__name__": "kagent_messages_total", "agent": "solo"}
            | {"instance": target, "job": "one", "namespace": "team"},
            2.0,
        )
        (build,) = prometheus.wait_for("kagent_build_info")
        assert (build[0]["workload"], build[0]["kind"]) == ("under-test", "Agent")
        rules = prometheus.get("/rules")["groups"][0]["rules"]
        assert [(rule["name"], rule["health"]) for rule in rules if rule["health"] == "err"] == []


def test_every_metric_of_the_rules_and_the_dashboard_exists(runtime: Runtime) -> None:
    """A rule over a misspelt name never fires, and nobody notices."""
    exposed = {match[0] for line in scrape(runtime).splitlines() if (match := re.match(r"\w+", line))}
    used = set(NAME.findall(json.dumps([rule_file("one"), rule_file("two"), dashboard()])))
    assert len(used) >= 10
    assert used <= exposed


def test_the_exposition_is_well_formed_and_says_nothing_of_a_conversation(runtime: Runtime) -> None:
    """By Prometheus' own linter; no session id, no text."""
    text = scrape(runtime)
    promtool("check", "metrics", stdin=text)
    sessions = [item["id"] for item in runtime.client.get("/api/v1/sessions").json()["sessions"]]
    assert len(sessions) == 4
    for secret in (*sessions, SAID, "nonsense", KEY):
        assert secret not in text
    open_metrics = runtime.client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert open_metrics.headers["content-type"].startswith("application/openmetrics-text")
    assert open_metrics.text.endswith("# EOF\n")


def test_series_known_beforehand_start_at_zero(model: ModelServer, tmp_path: Path) -> None:
    """A counter that appears with its first failure has no rate: the first alert would not come."""
    with Runtime(runtime_config(agent("solo", model.base_url)), tmp_path) as fresh:
        text = scrape(fresh)
    for line in (
        'kagent_runs_total{outcome="failed"} 0.0',
        'kagent_messages_total{agent="solo"} 0.0',
        'kagent_model_calls_total{model="gpt-4o",outcome="error"} 0.0',
        'kagent_tokens_total{model="gpt-4o",type="output"} 0.0',
    ):
        assert line in text.splitlines()


def _series(name: str, labels: str, values: str) -> JSON:
    return {"series": f'{name}{{namespace="team",{labels}}}', "values": values}


def _case(series: list[JSON], expected: dict[tuple[str, str], list[JSON]]) -> JSON:
    tests = [{"eval_time": at, "alertname": name, "exp_alerts": alerts} for (at, name), alerts in expected.items()]
    return {"interval": "1m", "input_series": series, "alert_rule_test": tests}


def _firing(name: str, severity: str, summary: str, description: str) -> list[JSON]:
    annotations = {"summary": summary, "description": description}
    labels = {"severity": severity, "namespace": "team", "job": name}
    return [{"exp_labels": labels, "exp_annotations": annotations}]


def test_the_rendered_alerts_fire_and_do_not_fire(tmp_path: Path) -> None:
    """By promtool, on made-up series: down, failing, burning, each also just below."""
    for name in ("one", "two"):
        (tmp_path / f"{name}.yml").write_text(yaml.safe_dump(rule_file(name)))
        assert "3 rules found" in promtool("check", "rules", str(tmp_path / f"{name}.yml"))
    down = _firing("one", "critical", "one is down", "No pod has answered for 5 min.")
    down_two = _firing("two", "critical", "two is down", "No pod has answered for 5 min.")
    half = "50% of the runs of the last 15 minutes failed."
    burn = "600k tokens in the last hour; 500000 are expected at most."
    cases = [
        # One of two pods is enough; none for five minutes is not.
        _case(
            [
                _series("up", 'job="one",pod="a"', "1x20 0x20"),
                _series("up", 'job="one",pod="b"', "0x40"),
            ],
            {("19m", "KagentDown"): [], ("24m", "KagentDown"): [], ("30m", "KagentDown"): down},
        ),
        # Two may be scaled to zero: no pod is no alert, a pod that does not answer is.
        _case([], {("30m", "KagentDown"): down}),
        _case(
            [_series("up", 'job="two",pod="a"', "1x10 0x20")],
            {("9m", "KagentDown"): down, ("30m", "KagentDown"): [*down, *down_two]},
        ),
        _case(
            [
                _series("up", 'job="one"', "1x60"),
                _series("kagent_runs_total", 'job="one",outcome="failed"', "0+1x60"),
                _series("kagent_runs_total", 'job="one",outcome="completed"', "0+1x60"),
                _series("kagent_runs_total", 'job="two",outcome="failed"', "0+1x60"),
                _series("kagent_runs_total", 'job="two",outcome="completed"', "0+9x60"),
            ],
            {
                ("5m", "KagentRunsFail"): [],
                ("40m", "KagentRunsFail"): _firing("one", "warning", "Runs of one fail", half),
                ("40m", "KagentDown"): [],
            },
        ),
        _case(
            [
                _series("kagent_tokens_total", 'job="one",type="input"', "0+9000x120"),
                _series("kagent_tokens_total", 'job="one",type="output"', "0+1000x120"),
                _series("kagent_tokens_total", 'job="two",type="input"', "0+8000x120"),
            ],
            {
                ("30m", "KagentTokenBurn"): [],
                ("110m", "KagentTokenBurn"): _firing("one", "warning", "one uses many tokens", burn),
            },
        ),
    ]
    tests = {"rule_files": ["one.yml", "two.yml"], "evaluation_interval": "1m", "tests": cases}
    (tmp_path / "tests.yml").write_text(yaml.safe_dump(tests))
    promtool("test", "rules", str(tmp_path / "tests.yml"))


def test_the_dashboard_fits_grafana() -> None:
    """A stable uid within its limit, no panel over another, every expression one that Prometheus parses."""
    board = dashboard()
    assert len(board["uid"]) <= 40
    places = [tuple(panel["gridPos"][key] for key in "xy") for panel in board["panels"]]
    assert len(set(places)) == len(places)
    expressions = [target["expr"] for panel in board["panels"] for target in panel["targets"]]
    rules = [
        {"record": f"test:{number}", "expr": expression.replace("$__rate_interval", "5m")}
        for number, expression in enumerate(expressions)
    ]
    assert "SUCCESS" in promtool(
        "check", "rules", "/dev/stdin", stdin=json.dumps({"groups": [{"name": "g", "rules": rules}]})
    )
    assert all('namespace="team",job=~"$workload"' in expression for expression in expressions)
