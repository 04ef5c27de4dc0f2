"""A real Prometheus on a loopback port, with series from the past, a target that is up, one that is down, and rules."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from tests.edge.loopback import LoopbackServer
from tests.edge.prometheus import program

SAMPLES_END = 1_700_000_000  # far enough from now that nothing scraped mixes with it
_CONFIG = """
global: {scrape_interval: 1s, evaluation_interval: 1s}
rule_files: [rules.yml]
scrape_configs:
  - job_name: shop
    static_configs: [{targets: ["%UP%"]}]
  - job_name: gone
    static_configs: [{targets: ["127.0.0.1:1"]}]
"""
_RULES = """
groups:
  - name: shop
    rules:
      - {record: "job:up:sum", expr: sum by (job) (up)}
      - alert: ShopQueueTooLong
        expr: shop_queue_length > 10
        labels: {severity: page}
        annotations: {summary: "{{ $value }} orders wait in {{ $labels.queue }}"}
      - {alert: NeverFires, expr: shop_queue_length > 1000}
"""


class Exporter(LoopbackServer):
    """Exposes one gauge with two series."""

    def __init__(self) -> None:
        super().__init__(Starlette(routes=[Route("/metrics", self._metrics)]))

    async def _metrics(self, request: Request) -> PlainTextResponse:
        lines = ['shop_queue_length{queue="orders"} 42', 'shop_queue_length{queue="mail"} 3']
        return PlainTextResponse("# TYPE shop_queue_length gauge\n" + "\n".join(lines) + "\n")


class PrometheusServer:
    """The process; `past` is in OpenMetrics text and backfilled before it starts."""

    def __init__(self, folder: Path, past: str) -> None:
        self._folder, self._past, self._exporter = folder, past, Exporter()
        self.origin = ""

    def __enter__(self) -> Self:
        """Start; skips the test where there is no Prometheus."""
        server, promtool = program("prometheus"), program("promtool")
        self._exporter.start()
        (self._folder / "past.txt").write_text(self._past)
        (self._folder / "rules.yml").write_text(_RULES)
        up = f"127.0.0.1:{self._exporter.port}"
        (self._folder / "prometheus.yml").write_text(_CONFIG.replace("%UP%", up))
        data = str(self._folder / "data")
        backfill = [promtool, "tsdb", "create-blocks-from", "openmetrics", str(self._folder / "past.txt"), data]
        subprocess.run(backfill, check=True, capture_output=True)
        self._log = (self._folder / "log").open("wb")
        port = _free_port()
        flags = [f"--web.listen-address=127.0.0.1:{port}", f"--storage.tsdb.path={data}", "--log.level=error"]
        flags += [f"--config.file={self._folder / 'prometheus.yml'}", "--storage.tsdb.retention.time=100y"]
        self._process = subprocess.Popen([server, *flags], cwd=self._folder, stderr=self._log)
        self.origin = f"http://127.0.0.1:{port}"
        self._wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        self._log.close()
        self._exporter.stop()

    def _wait(self, timeout: float = 60) -> None:
        """Until every target was tried and the alert fires."""
        deadline = time.monotonic() + timeout
        while not self._is_ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            targets = self._data("targets")["activeTargets"]
            return bool(self._data("alerts")["alerts"]) and all(item["health"] != "unknown" for item in targets)
        except OSError:
            return False

    def _data(self, path: str) -> Any:
        with urllib.request.urlopen(f"{self.origin}/api/v1/{path}", timeout=2) as answer:
            return json.load(answer)["data"]


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])
