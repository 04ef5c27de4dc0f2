"""The real runtime as a child process, and a client for its API."""

from __future__ import annotations

import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self

import httpx

from kagent_render.compiler import compile_paths
from tests.harness import ROOT

KEY = "sk-canary-0123456789abcdefghijklmnop"
_SERVING = re.compile(r"serving (\S+) on (https?://\S+)")
Event = dict[str, Any]


def runtime_config(path: Path | str, name: str | None = None) -> dict[str, Any]:
    """The RuntimeConfig that the compiler makes of the specs in a folder: what its ConfigMap would hold."""
    compilation = compile_paths([str(path)], "default")
    assert not compilation.diagnostics.has_errors, compilation.diagnostics.in_order()
    chosen = [w for w in compilation.workloads if name in (None, w.name)]
    assert len(chosen) == 1, [w.name for w in chosen]
    config: dict[str, Any] = json.loads(json.dumps(chosen[0].runtime_config))
    return config


class Runtime:
    """`python -m kagent_runtime` on a free port of the loopback address."""

    def __init__(self, config: Mapping[str, Any], folder: Path, *flags: str, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.config = folder / "runtime.json"
        self.config.write_text(json.dumps(config))
        self._command = [sys.executable, "-m", "kagent_runtime", "--config", str(self.config)]
        self._command += ["--host", "127.0.0.1", "--port", "0", *flags]
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("KAGENT_", "KUBE"))}
        self._environment = inherited | {"KAGENT_STATE_DIR": str(folder), "KAGENT_GPT4_CONFIG_API_KEY": KEY}
        self._environment |= environment
        self.verify: ssl.SSLContext | bool = True
        self.stderr = ""
        self.url = ""

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()
        if self.url:
            self.client.close()

    def start(self) -> None:
        """Start, and wait until it serves."""
        self.process = subprocess.Popen(
            self._command, cwd=ROOT, env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._reader = threading.Thread(target=self._read_stderr, daemon=True)
        self._reader.start()
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        match = _SERVING.search(line)
        assert match, f"not serving: {line!r}\n{self.wait_stderr()}"
        self.url = match[2]
        self.client = httpx.Client(base_url=self.url, timeout=30, verify=self.verify)
        deadline = time.monotonic() + 20
        while self.client.get("/readyz").status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    def _read_stderr(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.stderr += line

    def wait_stderr(self) -> str:
        """Everything it wrote to stderr, once it has ended."""
        self.process.wait(20)
        self._reader.join(10)
        return self.stderr

    def kill(self) -> None:
        """As the kernel does it: no warning."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def new_session(self) -> str:
        """A new session's id."""
        answer = self.client.post("/api/v1/sessions", json={})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def send(self, session: str, content: str) -> Event:
        """Send a message without waiting for the run."""
        answer = self.client.post(f"/api/v1/sessions/{session}/messages", json={"content": content})
        assert answer.status_code == 202, answer.text
        accepted: Event = answer.json()
        return accepted

    def ask(self, session: str, content: str) -> list[Event]:
        """Send a message and return all events of its run, live-only ones included."""
        path = f"/api/v1/sessions/{session}/messages"
        headers = {"Accept": "text/event-stream"}
        with self.client.stream("POST", path, json={"content": content}, headers=headers) as answer:
            assert answer.status_code == 200, answer.read()
            return list(read_sse(answer))

    def log(self, session: str, after: int = 0) -> list[Event]:
        """The stored events."""
        answer = self.client.get(f"/api/v1/sessions/{session}/events", params={"after": after})
        assert answer.status_code == 200, answer.text
        events: list[Event] = answer.json()["events"]
        return events

    def wait_finished(self, session: str, timeout: float = 20) -> list[Event]:
        """The stored events, once the last run has ended."""
        deadline = time.monotonic() + timeout
        while not (events := self.log(session)) or events[-1]["type"] != "run.finished":
            assert time.monotonic() < deadline, events
            time.sleep(0.02)
        return events


def read_sse(answer: httpx.Response) -> Iterator[Event]:
    """The events of a stream; the frame's id and type must be those of the data."""
    fields: dict[str, str] = {}
    for line in answer.iter_lines():
        if line == "" and "data" in fields:
            event = json.loads(fields["data"])
            assert fields["event"] == event["type"]
            assert fields.get("id", "") == str(event.get("seq", ""))
            yield event
            fields = {}
        elif line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


def types(events: list[Event]) -> list[str]:
    """The event types in order, without the live-only ones."""
    return [event["type"] for event in events if event["type"] != "message.delta"]
