"""CPU seconds and memory of `kagent-render build` over W(N), beside the bare imports of its libraries.

python -m tests.benchmarks.bench_compiler [--runs 7] [N …]
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.workload import write

BARE = [sys.executable, "-c", "import pydantic, jinja2, yaml, click"]


def measure(command: list[str]) -> tuple[float, float]:
    """CPU seconds (user + system) and peak memory in MiB of one run of a command, its output thrown away."""
    with open(os.devnull, "wb") as sink:
        actions = [(os.POSIX_SPAWN_DUP2, sink.fileno(), 1)]
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def medians(command: list[str], runs: int) -> tuple[float, float]:
    """Medians of several runs."""
    samples = [measure(command) for _ in range(runs)]
    return statistics.median(s[0] for s in samples), statistics.median(s[1] for s in samples)


def main() -> None:
    """Print one line a workload."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("counts", nargs="*", type=int, default=[1, 100, 1000])
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    bare, _ = medians(BARE, options.runs)
    print(f"bare imports: {bare:.3f} CPU s")  # noqa: T201
    with tempfile.TemporaryDirectory() as folder:
        for count in options.counts:
            specs = Path(folder, str(count))
            write(specs, count)
            command = [sys.executable, "-m", "kagent_render", "build", str(specs)]
            seconds, memory = medians(command, options.runs)
            print(f"N={count}: {seconds:.3f} CPU s ({seconds / bare:.2f}x bare), {memory:.0f} MiB")  # noqa: T201


if __name__ == "__main__":
    main()
