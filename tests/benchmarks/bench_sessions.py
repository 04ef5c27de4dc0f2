"""Streaming conversations at once on one process, beside AutoGen alone with the same model.

python -m tests.benchmarks.bench_sessions [--sessions 500] [--turns 3] [--every 20] [--latency 0.2]

Every session sends a message each `--every` seconds and reads its events to the end of the turn; 0 sends all at once,
again and again. Overhead is what a turn takes beyond the latency of the model.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.runtime.process import Runtime
from tests.runtime.specs import agent, compiled


@dataclass
class Outcome:
    """What the turns took, in seconds, wall clock and CPU, and what went wrong. Memory in bytes."""

    seconds: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    memory: int = 0
    cpu: float = 0

    def quantile(self, share: float) -> float:
        """What so many of the turns took at most."""
        return sorted(self.seconds)[min(int(share * len(self.seconds)), len(self.seconds) - 1)]


@contextmanager
def slow_model(latency: float) -> Iterator[str]:
    """The model's process."""
    command = [sys.executable, "-m", "tests.benchmarks.slow_model", str(latency)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class Caller:
    """One client on one connection. Plain sockets: the load must not be the bottleneck on two cores."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def open(self) -> None:
        """Connect, and start a session."""
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 20)
        head, body = await self._send("/api/v1/sessions", b"{}", "application/json")
        assert b" 201 " in head, head
        self._session = json.loads(body)["id"]

    async def turn(self) -> float:
        """Send a message and read its events; the seconds until its end. Raises RuntimeError."""
        path, started = f"/api/v1/sessions/{self._session}/messages", time.monotonic()
        _, body = await self._send(path, b'{"content": "How is it going?"}', "text/event-stream")
        taken = time.monotonic() - started
        if b'"completed"' not in body or b"All is well in the cluster." not in body:
            raise RuntimeError(body[-200:].decode(errors="replace"))
        return taken

    def close(self) -> None:
        """Hang up."""
        self._writer.close()

    async def _send(self, path: str, body: bytes, accept: str) -> tuple[bytes, bytes]:
        head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{self._port}\r\nAccept: {accept}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        self._writer.write(head.encode() + body)
        answer = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        if b"content-length:" in answer:
            length = int(answer.partition(b"content-length:")[2].split(b"\r\n", 1)[0])
            return answer, await self._reader.readexactly(length)
        pieces = []
        while size := int(await self._reader.readline(), 16):
            pieces.append((await self._reader.readexactly(size + 2))[:-2])
        await self._reader.readline()
        return answer, b"".join(pieces)


async def load(port: int, sessions: int, turns: int, every: float, outcome: Outcome) -> None:
    """Every session with its turns."""
    callers = [Caller(port) for _ in range(sessions)]
    for start in range(0, sessions, 50):
        await asyncio.gather(*(caller.open() for caller in callers[start : start + 50]))

    async def play(number: int, caller: Caller) -> None:
        await asyncio.sleep(every * number / sessions)
        for _ in range(turns):
            started = time.monotonic()
            try:
                outcome.seconds.append(await caller.turn())
            except (RuntimeError, OSError, asyncio.IncompleteReadError) as error:
                outcome.errors.append(repr(error))
            await asyncio.sleep(max(every - (time.monotonic() - started), 0))
        caller.close()

    await asyncio.gather(*(play(*item) for item in enumerate(callers)))


def memory_of(pid: int) -> int:
    """The resident memory of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096


def cpu_of(pid: int) -> float:
    """The CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100  # utime and stime in ticks of 10 ms


def ours(url: str, options: argparse.Namespace, folder: Path) -> tuple[Outcome, int]:
    """The runtime, and its memory before the first session."""
    config, outcome = compiled(folder / "specs", url, agent("solo")), Outcome()
    limits = ("--max-runs", str(options.sessions), "--log-level", "error")
    with Runtime(config, folder / "state", *limits) as runtime:
        port, pid = int(runtime.url.rpartition(":")[2]), runtime.process.pid
        asyncio.run(load(port, 1, 3, 0, Outcome()))  # warm: what is imported at the first turn
        before, spent = memory_of(pid), cpu_of(pid)
        asyncio.run(load(port, options.sessions, options.turns, options.every, outcome))
        outcome.memory, outcome.cpu = memory_of(pid), cpu_of(pid) - spent
    return outcome, before


def alone(url: str, options: argparse.Namespace) -> Outcome:
    """AutoGen by itself."""
    command = [sys.executable, "-m", "tests.benchmarks.plain_autogen", url]
    command += [str(value) for value in (options.sessions, options.turns, options.every)]
    printed = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Outcome(**json.loads(printed))


def _figure(name: str, outcome: Outcome, latency: float) -> str:
    p50, p99 = ((outcome.quantile(share) - latency) * 1000 for share in (0.5, 0.99))
    turns = f"{len(outcome.seconds)} turns, {len(outcome.errors)} errors"
    cpu = outcome.cpu / max(len(outcome.seconds), 1) * 1000
    return f"{name}: {turns}, overhead p50 {p50:.0f} ms, p99 {p99:.0f} ms, {cpu:.1f} CPU ms a turn"


def main() -> None:
    """Print the figures; exits with 1 after an error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=500)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--every", type=float, default=20)
    parser.add_argument("--latency", type=float, default=0.2)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, slow_model(options.latency) as url:
        found, before = ours(url, options, Path(folder))
        plain = alone(url, options)
    figures = [_figure("kagent-runtime", found, options.latency), _figure("AutoGen alone", plain, options.latency)]
    each = (found.memory - before) / options.sessions / 1024
    figures.append(
        f"memory: {each:.0f} KiB a session over {before / 2**20:.0f} MiB; AutoGen {plain.memory / 2**20:.0f} MiB"
    )
    print(*figures, *found.errors[:3], sep="\n")  # noqa: T201
    raise SystemExit(bool(found.errors))


if __name__ == "__main__":
    main()
