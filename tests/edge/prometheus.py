"""A real Prometheus server on loopback, and promtool. Debian: apt-get install prometheus."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Any, Self

import httpx
import pytest

JSON = dict[str, Any]


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`; skips the test where there is none and none is demanded."""
    found = shutil.which(name)
    if found is None:
        if os.environ.get("REQUIRE_PROMETHEUS"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} is not installed")
    return found


def promtool(*arguments: str, stdin: str = "") -> str:
    """What promtool prints; its complaint fails the test."""
    command = [program("promtool"), *arguments]
    outcome = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=60)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    return outcome.stdout + outcome.stderr


class Prometheus:
    """Scrapes one target every second under the labels that a PodMonitor would give it."""

    def __init__(self, folder: Path, target: str, job: str, namespace: str, rules: JSON | None = None) -> None:
        self._folder = folder
        self._rules = rules
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._address = f"127.0.0.1:{free.getsockname()[1]}"
        scrape = {
            "job_name": job,
            "metrics_path": "/metrics",
            "static_configs": [{"targets": [target], "labels": {"namespace": namespace}}],
        }
        self._config: JSON = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "scrape_configs": [scrape],
        }

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        if self._rules is not None:
            (self._folder / "rules.yml").write_text(json.dumps(self._rules))
            self._config["rule_files"] = ["rules.yml"]
        config = self._folder / "prometheus.yml"
        config.write_text(json.dumps(self._config))
        flags = [f"--config.file={config}", f"--storage.tsdb.path={self._folder / 'data'}"]
        flags += [f"--web.listen-address={self._address}", "--log.level=error"]
        self._process = subprocess.Popen([program("prometheus"), *flags], stderr=subprocess.DEVNULL)
        self._client = httpx.Client(base_url=f"http://{self._address}/api/v1", timeout=10)
        try:
            self._wait_until_ready()
        except TimeoutError:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._process.terminate()
        self._process.wait(20)

    def _wait_until_ready(self, timeout: float = 60) -> None:
        # It listens before it has read its storage, and answers 503 until then.
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            try:
                if self._client.get(f"http://{self._address}/-/ready").is_success:
                    return
            except httpx.TransportError:
                pass  # not listening yet
            time.sleep(0.1)
        raise TimeoutError(f"Prometheus was not ready after {timeout} s")

    def get(self, path: str, **parameters: str) -> JSON:
        """The data of an answer of the HTTP API."""
        answer: JSON = self._client.get(path, params=parameters).raise_for_status().json()
        data: JSON = answer["data"]
        return data

    def wait_for(self, query: str, timeout: float = 30) -> list[tuple[JSON, float]]:
        """Labels and values of a query, once it has a result; raises TimeoutError."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if found := self.get("/query", query=query)["result"]:
                return [(item["metric"], float(item["value"][1])) for item in found]
            time.sleep(0.2)
        raise TimeoutError(f"no result for {query} after {timeout} s")
