"""Limits of cost and turns, and what a run cost, over HTTP against a model server that counts tokens."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from kagent_runtime.config import ConfigError, check_config
from tests.edge.model_server import ModelRequest, ModelServer
from tests.runtime.killing import MODULES, TOOL
from tests.runtime.process import KEY, Event, Runtime, runtime_config, types
from tests.runtime.specs import MODEL, agent, compiled, team

ROUND = {"tool_calls": [{"name": "order", "arguments": {"number": "1"}}]}
PRICING = "  pricing: {inputPerMillionTokens: 1000, outputPerMillionTokens: 20000, currency: EUR}\n"
ORDER = "tools: [{name: order}]\n"


def priced(folder: Path, base_url: str, *documents: str) -> dict[str, object]:
    """A RuntimeConfig whose model has prices: a tenth of a cent a token that is read, two cents one that is written."""
    folder.mkdir(parents=True)
    model = MODEL.format(base_url=base_url, model_info="") + PRICING
    (folder / "specs.yaml").write_text("---\n".join([model, *documents, TOOL]), encoding="utf-8")
    return runtime_config(folder)


def running(folder: Path, config: dict[str, object]) -> Runtime:
    """The runtime with the tool that orders."""
    path = f"{MODULES}:{MODULES.parents[2] / 'runtime'}"
    more = {"ORDERS_FILE": str(folder / "orders"), "KAGENT_PYTHON_MODULES": "acme.orders", "PYTHONPATH": path}
    return Runtime(config, folder / "state", **more)


def cost_of(event: Event) -> Decimal:
    """What the tokens of a run cost at those prices."""
    usage = event["usage"]
    return Decimal(usage["promptTokens"]) / 1000 + Decimal(usage["completionTokens"]) / 50


def test_no_call_starts_once_the_money_is_spent(tmp_path: Path) -> None:
    """The run is limited with the reason; what it cost is told, and is in the metrics."""
    with ModelServer(lambda _: ROUND, api_key=KEY) as model:
        config = priced(tmp_path / "specs", model.base_url, agent("solo", f"{ORDER}limits: {{cost: 0.9}}"))
        with running(tmp_path, config) as runtime:
            events = runtime.ask(runtime.new_session(), "Order. " + "x" * 400)
            metrics = runtime.client.get("/metrics").text
            described = runtime.client.get("/api/v1/agent").json()
    end = events[-1]
    assert (end["outcome"], end["stopReason"], end["error"]) == ("limited", "cost limit of 0.9 EUR reached", None)
    assert (Decimal(str(end["usage"]["cost"])), end["usage"]["currency"]) == (cost_of(end), "EUR")
    spent = [Decimal(len(json.dumps(request.messages)) // 4) / 1000 for request in model.requests]
    assert sum(spent) <= cost_of(end)  # and what was written
    assert cost_of(end) >= Decimal("0.9")
    results = [event["content"] for event in events if event["type"] == "tool.result"]
    assert results[-1] == "not run: cost limit of 0.9 EUR reached"
    assert results[:-1] == ["ordered 1"] * (len(model.requests) - 1)
    assert len((tmp_path / "orders").read_text().split()) == len(results) - 1
    line = next(line for line in metrics.splitlines() if line.startswith("kagent_cost_total{"))
    assert line.startswith('kagent_cost_total{currency="EUR",model="gpt-4o"}')
    assert float(line.split()[-1]) == pytest.approx(end["usage"]["cost"])
    assert described["limits"] == {"cost": 0.9}


def test_a_cheap_run_is_not_limited(tmp_path: Path) -> None:
    """Under the limit, with a server that does not say what it used: the estimate has a price too."""

    def answer(_: ModelRequest) -> dict[str, object]:
        return {"text": "Hello.", "is_silent": True}

    with ModelServer(answer, api_key=KEY) as model:
        config = priced(tmp_path / "specs", model.base_url, agent("solo", "limits: {cost: 100}"))
        with running(tmp_path, config) as runtime:
            end = runtime.ask(runtime.new_session(), "Hello")[-1]
    assert (end["outcome"], end["usage"]["currency"]) == ("completed", "EUR")
    assert Decimal(str(end["usage"]["cost"])) == cost_of(end) > 0


def test_a_team_shares_its_money(tmp_path: Path) -> None:
    """Whoever of a team spends it."""
    with ModelServer(lambda _: {"text": "And you?"}, api_key=KEY) as model:
        whole = team("RoundRobin", "one", "two", more="maxTurns: 50\nlimits: {cost: 0.2}")
        config = priced(tmp_path / "specs", model.base_url, agent("one"), agent("two"), whole)
        with running(tmp_path, config) as runtime:
            events = runtime.ask(runtime.new_session(), "Talk")
    assert (events[-1]["outcome"], events[-1]["stopReason"]) == ("limited", "cost limit of 0.2 EUR reached")
    assert {event["agent"] for event in events if event["type"] == "message"} == {"one", "two"}
    assert 2 <= len(model.requests) < 50


def test_without_prices_no_cost_is_told(tmp_path: Path) -> None:
    """Tokens only, as before."""
    with ModelServer(lambda _: {"text": "Hello."}, api_key=KEY) as model:
        config = compiled(tmp_path / "specs", model.base_url, agent("solo"))
        with Runtime(config, tmp_path / "state") as runtime:
            end = runtime.ask(runtime.new_session(), "Hello")[-1]
    assert sorted(end["usage"]) == ["completionTokens", "promptTokens"]


def test_turns_bound_an_agent(tmp_path: Path) -> None:
    """Three answers of the model; the call that the third one asks for is not made."""
    with ModelServer(lambda _: ROUND, api_key=KEY) as model:
        document = agent("solo", f"{ORDER}limits: {{turns: 3}}")
        with running(tmp_path, compiled(tmp_path / "specs", model.base_url, document, TOOL)) as runtime:
            events = runtime.ask(runtime.new_session(), "Order")
    assert (events[-1]["outcome"], events[-1]["stopReason"]) == ("limited", "turn limit of 3 reached")
    assert (len(model.requests), (tmp_path / "orders").read_text().split()) == (3, ["1", "1"])


def test_turns_bound_a_team(tmp_path: Path) -> None:
    """All members together."""
    with ModelServer(lambda _: {"text": "And you?"}, api_key=KEY) as model:
        whole = team("RoundRobin", "one", "two", more="maxTurns: 50\nlimits: {turns: 4}")
        with Runtime(
            compiled(tmp_path / "specs", model.base_url, agent("one"), agent("two"), whole), tmp_path / "state"
        ) as runtime:
            events = runtime.ask(runtime.new_session(), "Talk")
    assert (events[-1]["outcome"], events[-1]["stopReason"]) == ("limited", "turn limit of 4 reached")
    assert types(events).count("message") == len(model.requests) == 4


@pytest.mark.parametrize("limits", [{"cost": 0}, {"cost": "1"}, {"turns": 0}, {"money": 1}])
def test_a_limit_that_is_none_is_refused(tmp_path: Path, limits: dict[str, object]) -> None:
    """Before anything starts."""
    config = compiled(tmp_path / "specs", "http://127.0.0.1:1/v1", agent("solo"))
    with pytest.raises(ConfigError, match=r"\$\.limits"):
        check_config(config | {"limits": limits}, "runtime.json")
