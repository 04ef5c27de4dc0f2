"""A real Alertmanager on a loopback port. Debian: apt-get install prometheus-alertmanager."""

from __future__ import annotations

import json
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.edge.prometheus import program

_CONFIG = """
route: {receiver: nobody, group_wait: 0s}
receivers: [{name: nobody}]
"""


class AlertmanagerServer:
    """The process, with nobody that it tells of alerts."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.origin = ""

    def __enter__(self) -> Self:
        """Start; skips the test where there is no Alertmanager."""
        server = program("prometheus-alertmanager")
        (self._folder / "alertmanager.yml").write_text(_CONFIG)
        with socket.create_server(("127.0.0.1", 0)) as free:
            address = f"127.0.0.1:{free.getsockname()[1]}"
        flags = [f"--config.file={self._folder / 'alertmanager.yml'}", f"--storage.path={self._folder / 'data'}"]
        # Without a cluster of Alertmanagers: nothing but this one port.
        flags += [f"--web.listen-address={address}", "--cluster.listen-address=", "--log.level=error"]
        self._log = (self._folder / "log").open("wb")
        self._process = subprocess.Popen([server, *flags], cwd=self._folder, stderr=self._log)
        self.origin = f"http://{address}"
        deadline = time.monotonic() + 30
        while not self._is_ready():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise TimeoutError((self._folder / "log").read_text()[-2000:])
            time.sleep(0.1)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(10)
        self._log.close()

    def fire(self, *alerts: dict[str, Any]) -> None:
        """Alerts as Prometheus sends them."""
        self._request("POST", "alerts", list(alerts))

    def silences(self) -> list[dict[str, Any]]:
        """All there are."""
        found: list[dict[str, Any]] = self._request("GET", "silences")
        return found

    def _is_ready(self) -> bool:
        try:
            self._request("GET", "status")
        except OSError:
            return False
        return True

    def _request(self, method: str, path: str, body: Any = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.origin}/api/v2/{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=5) as answer:
            text = answer.read()
        return json.loads(text) if text.strip() else None
