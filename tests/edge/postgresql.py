"""A real PostgreSQL on a free loopback port, as an unprivileged user. Debian: apt-get install postgresql."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any, Self

import asyncpg
import pytest

PASSWORD = "pg-canary/0@1#2"
_USER = "agents"


def program(name: str) -> str:
    """The path of a server program; skips the test where there is none and none is demanded."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found = shutil.which(name, path=os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")]))
    if found is None:
        if os.environ.get("REQUIRE_POSTGRES"):
            pytest.fail(f"{name} is not installed")
        pytest.skip(f"{name} of PostgreSQL is not installed")
    return found


class PostgreSQL:
    """A cluster of its own, gone with the block. `stop` and `start` are an outage."""

    def __init__(self) -> None:
        self._programs = {name: program(name) for name in ("initdb", "postgres")}
        self._account = "nobody" if os.getuid() == 0 else None  # the server refuses to run as root
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
        if self._account:
            os.chown(self._folder, pwd.getpwnam(self._account).pw_uid, -1)
        secret = self._folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        try:
            self._run("initdb", "-D", str(self._folder / "data"), "-U", _USER, "--pwfile", str(secret),
                      "-A", "scram-sha-256", "--no-sync", "-E", "UTF8", "--locale=C")  # fmt: skip
            self.start()
        except BaseException:
            shutil.rmtree(self._folder, ignore_errors=True)
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _run(self, name: str, *arguments: str) -> None:
        command = [self._programs[name], *arguments]
        subprocess.run(command, user=self._account, cwd=self._folder, check=True, capture_output=True, timeout=120)

    def start(self) -> None:
        """Serve, and wait until it does."""
        flags = ["-D", str(self._folder / "data"), "-h", "127.0.0.1", "-p", str(self.port), "-k", str(self._folder)]
        with (self._folder / "log").open("ab") as log:
            command = [self._programs["postgres"], *flags]
            self._process = subprocess.Popen(command, user=self._account, cwd=self._folder, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                self.query("SELECT 1")
                return
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < deadline, (self._folder / "log").read_text()
                time.sleep(0.1)

    def stop(self) -> None:
        """End at once, as at a failover: connections are cut."""
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)

    def url(self, database: str = "postgres") -> str:
        """The URL of a database, password included."""
        from urllib.parse import quote

        return f"postgresql://{_USER}:{quote(PASSWORD, safe='')}@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """The URL of a new, empty database, with a name that begins like this."""
        unique = f"{name[:50]}-{uuid.uuid4().hex[:8]}"
        self.query(f'CREATE DATABASE "{unique}"')
        return self.url(unique)

    def query(self, sql: str, database: str = "postgres") -> list[Any]:
        """The rows of a query."""

        async def rows() -> list[Any]:
            connection = await asyncpg.connect(self.url(database), timeout=5)
            try:
                return list(await connection.fetch(sql))
            finally:
                await connection.close()

        return asyncio.run(rows())
