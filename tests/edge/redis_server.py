"""A real Redis on a free loopback port, with a user and a password. Debian: apt-get install redis-server."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any, Self

import pytest
import redis

USER, PASSWORD = "agents", "redis-canary-0123456789"


def program() -> str:
    """The path of redis-server; skips the test where there is none and none is demanded."""
    found = shutil.which("redis-server", path=f"{os.environ.get('PATH', '')}:/usr/bin:/usr/local/bin")
    if found is None:
        if os.environ.get("REQUIRE_REDIS"):
            pytest.fail("redis-server is not installed")
        pytest.skip("redis-server is not installed")
    return found


class RedisServer:
    """A server of its own, gone with the block. `stop` and `start` are an outage."""

    def __init__(self) -> None:
        self._program = program()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Serve, and wait until it does."""
        options = {"port": self.port, "bind": "127.0.0.1", "dir": self._folder, "appendonly": "yes", "save": ""}
        rule = f"{USER} on >{PASSWORD} ~* &* +@all"
        command = [self._program, *(part for key, value in options.items() for part in (f"--{key}", str(value)))]
        command += ["--user", *rule.split(), "--user", "default", "off"]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log)
        self.client: Any = redis.Redis(
            port=self.port, username=USER, password=PASSWORD, decode_responses=True, protocol=2
        )
        deadline = time.monotonic() + 30
        while True:
            try:
                self.client.ping()
                return
            except redis.ConnectionError:
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.05)

    def stop(self) -> None:
        """End; what was written is on the disk."""
        self._process.terminate()
        self._process.wait(30)

    def environment(self) -> dict[str, str]:
        """What a process needs to log in."""
        return {"KAGENT_QUEUE_USERNAME": USER, "KAGENT_QUEUE_PASSWORD": PASSWORD}
