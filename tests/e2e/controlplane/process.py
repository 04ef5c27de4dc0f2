"""A server program as a child process: in a process group of its own, with its output in a file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.e2e.pod import free_port

_STOP_SECONDS = 10
_TAIL = 4000


class StartError(Exception):
    """A program did not become ready; the message has the end of its output."""


class Process:
    """A running program."""

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._log = log
        # A test run that is killed takes its servers with it.
        leash = ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
        with log.open("ab") as output:
            self._child = subprocess.Popen(
                [*leash, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    @property
    def pid(self) -> int:
        """Its process id, and that of its group."""
        return self._child.pid

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self._child.poll() is None

    def wait_until(self, is_ready: Callable[[], bool], seconds: float) -> None:
        """Return when it is ready; raises StartError when it ends or is not ready in time."""
        deadline = time.monotonic() + seconds
        while not is_ready():
            self.check()
            if time.monotonic() > deadline:
                raise self._error("not ready in time")
            time.sleep(0.05)

    def check(self) -> None:
        """Raise StartError if it has ended."""
        if not self.is_running:
            raise self._error(f"exited {self._child.returncode}")

    def _error(self, state: str) -> StartError:
        return StartError(f"{self._log.stem}: {state}\n{self.output()[-_TAIL:]}")

    def output(self) -> str:
        """Everything it wrote."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def stop(self, *, at_once: bool = False) -> None:
        """End its process group, by force if it takes too long or shall be at once."""
        if self.is_running:
            os.killpg(self._child.pid, signal.SIGKILL if at_once else signal.SIGTERM)
        try:
            self._child.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()


def started(
    command: Callable[[int], Sequence[str | Path]],
    log: Path,
    is_ready: Callable[[int], bool],
    seconds: float,
    environment: Mapping[str, str] | None = None,
) -> tuple[Process, int]:
    """Start a program on a free port and wait until it is ready; raises StartError.

    Another process may take the port between the moment it was found free and the program's own bind, so a program
    that ends at once is tried again on another.
    """
    for attempt in range(3):
        port = free_port()
        process = Process(command(port), log, environment)
        try:
            process.wait_until(lambda port=port: is_ready(port), seconds)  # type: ignore[misc]
        except StartError:
            was_running = process.is_running
            process.stop()
            if was_running or attempt == 2 or "address already in use" not in process.output():
                raise
            continue
        except BaseException:
            process.stop()
            raise
        return process, port
    raise AssertionError("unreachable")
