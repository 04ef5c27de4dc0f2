"""Conversations under load while processes are killed, and what must be true of them afterwards.

Every message orders something by a tool that changes the world: a line in a file for every call.
"""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from kagent_runtime.journal import UNKNOWN
from tests.edge.model_server import ModelServer
from tests.harness import ROOT
from tests.runtime.process import KEY, Event, Runtime
from tests.runtime.puppet import puppet, task
from tests.runtime.specs import agent, compiled

MODULES = ROOT / "tests/edge/python_modules"
TOOL = """apiVersion: kagent.dev/v1alpha1
kind: Tool
metadata: {name: order}
spec:
  type: python
  description: Order something
  parameters:
    number: {type: string, description: Which, required: true}
    seconds: {type: number, description: How long it takes}
  python: {module: acme.orders, function: order}
---
apiVersion: render.kagent.dev/v1alpha1
kind: Platform
metadata: {name: platform}
spec: {python: {modules: [acme.orders]}}
"""


class Shop:
    """An agent that orders, its model, and the file of orders."""

    def __init__(self, folder: Path, *, approval: bool = False) -> None:
        self.folder = folder
        self.orders = folder / "orders"
        self.model = ModelServer(puppet(), api_key=KEY)
        self.model.start()
        tools = f"tools: [{{name: order, requireApproval: {str(approval).lower()}}}]"
        self.config: dict[str, Any] = compiled(folder / "specs", self.model.base_url, agent("solo", tools), TOOL)
        self.orders.touch()

    def close(self) -> None:
        """Stop the model."""
        self.model.stop()

    def runtime(self, name: str, **environment: str) -> Runtime:
        """A process, not started yet."""
        ours = {"ORDERS_FILE": str(self.orders), "KAGENT_PYTHON_MODULES": "acme.orders"}
        path = f"{MODULES}:{ROOT / 'runtime'}"
        return Runtime(self.config, self.folder / name, PYTHONPATH=path, **ours, **environment)

    def ordered(self) -> list[str]:
        """The orders that were made."""
        return self.orders.read_text().split()


def message(number: str, seconds: float = 0.02, sleep: float = 0.02) -> str:
    """What makes the agent order, and then say so; `seconds` is how long each half of the call takes."""
    call = {"name": "order", "arguments": {"number": number, "seconds": seconds}, "id": f"call-{number}"}
    return task(solo=[{"tool_calls": [call], "sleep": sleep}, {"text": f"Ordered {number}.", "sleep": sleep}])


@dataclass
class Report:
    """What was found afterwards."""

    kills: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    repeated: list[str] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """Orders that were made, and that nobody was told of, nor that it is unknown."""
    unfinished: list[str] = field(default_factory=list)
    broken_logs: list[str] = field(default_factory=list)
    resumed: int = 0
    unknown: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    ready_seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


class Load:
    """Clients that talk to whichever process answers, each in a session of its own, until they are told to stop."""

    def __init__(self, processes: list[Runtime], clients: int, seed: int) -> None:
        self._processes, self._random = processes, random.Random(seed)
        self.acknowledged: list[tuple[str, str]] = []
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._talk, args=(number,)) for number in range(clients)]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """No new messages."""
        self._stop.set()
        for thread in self._threads:
            thread.join(60)

    def _talk(self, client: int) -> None:
        with httpx.Client(timeout=10, verify=False) as http:  # plain HTTP: certificates cost time
            self._ask(http, client)

    def _ask(self, http: httpx.Client, client: int) -> None:
        session, turn = None, 0
        while not self._stop.is_set():
            turn += 1
            url = self._processes[(client + turn) % len(self._processes)].url
            number = f"{client}-{turn}"
            try:
                if session is None:
                    answer = http.post(f"{url}/api/v1/sessions", json={})
                    session = answer.json()["id"] if answer.status_code == 201 else None
                    continue
                body = {"content": message(number)}
                answer = http.post(f"{url}/api/v1/sessions/{session}/messages", json=body)
                if answer.status_code == 202:
                    self.acknowledged.append((session, number))
                else:
                    assert answer.status_code in (409, 503), answer.text
                    time.sleep(0.05)
            except httpx.HTTPError:
                time.sleep(0.1)


def kill_and_restart(process: Runtime) -> float:
    """The seconds from the start of the new process until it is ready."""
    process.kill()
    process.__exit__()
    started = time.monotonic()
    process.start()
    return time.monotonic() - started


def examine(process: Runtime, shop: Shop, acknowledged: list[tuple[str, str]], report: Report) -> Report:
    """Wait for every session to rest, and compare what was acknowledged with what the logs and the orders say."""
    logs = {session: _at_rest(process, session) for session in {session for session, _ in acknowledged}}
    report.acknowledged = len(acknowledged)
    orders = Counter(shop.ordered())
    report.repeated = [number for number, times in orders.items() if times > 1]
    for session, number in acknowledged:
        run = _run(logs[session], number)
        if not run:
            report.lost.append(number)
        elif run[-1]["type"] != "run.finished":
            report.unfinished.append(number)
        else:
            _count(run, number, orders[number], report)
    for session, log in logs.items():
        if [event["seq"] for event in log] != list(range(1, len(log) + 1)):
            report.broken_logs.append(session)
    return report


def _count(run: list[Event], number: str, orders: int, report: Report) -> None:
    report.outcomes[run[-1]["outcome"]] += 1
    if run[-1].get("error"):
        report.errors.append(f"{number}: {run[-1]['error']}")
    report.resumed += any(event["type"] == "notice" for event in run)
    results = [event["content"] for event in run if event["type"] == "tool.result"]
    is_unknown = UNKNOWN in results or "unknown" in str(run[-1].get("error"))
    report.unknown += is_unknown
    is_told = is_unknown or "calls of order ran" in str(run[-1].get("error"))
    if orders != results.count(f"ordered {number}") and not is_told:
        report.hidden.append(number)


def _at_rest(process: Runtime, session: str) -> list[Event]:
    deadline = time.monotonic() + 40
    while process.client.get(f"/api/v1/sessions/{session}").json()["status"] != "idle":
        if time.monotonic() > deadline:
            break
        time.sleep(0.05)
    return process.log(session)


def _run(log: list[Event], number: str) -> list[Event]:
    asked = [event for event in log if event["type"] == "message.user" and f'"{number}"' in event["content"]]
    return [event for event in log if asked and event["runId"] == asked[0]["runId"]]


def bombard(shop: Shop, processes: list[Runtime], kills: int, seed: int, clients: int = 4) -> Report:
    """Kill one process after another at random moments, start each again, and examine what is left."""
    chance, report = random.Random(seed), Report()
    load = Load(processes, clients, seed)
    load.start()
    try:
        for _ in range(kills):
            time.sleep(chance.uniform(0.05, 0.6))
            victim = chance.choice(processes)
            report.ready_seconds.append(kill_and_restart(victim))
            report.kills += 1
    finally:
        load.stop()
    return examine(processes[0], shop, load.acknowledged, report)
