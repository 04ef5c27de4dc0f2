"""Cold start of the runtime to ready, beside the import of AutoGen and the OpenAI client alone.

python -m tests.benchmarks.bench_start [--runs 7]
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.bench_compiler import medians
from tests.harness import EXAMPLES
from tests.runtime.process import Runtime, runtime_config

ALONE = [sys.executable, "-c", "import autogen_agentchat.agents, autogen_agentchat.teams, autogen_ext.models.openai"]


def main() -> None:
    """Print CPU seconds and wall seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    alone, _ = medians(ALONE, options.runs)
    wall, cpu = [], []
    with tempfile.TemporaryDirectory() as folder:
        config = runtime_config(EXAMPLES / "incident-response")
        for number in range(options.runs):
            started = time.monotonic()
            with Runtime(config, Path(folder, str(number))) as runtime:
                wall.append(time.monotonic() - started)
                fields = Path(f"/proc/{runtime.process.pid}/stat").read_text().rpartition(")")[2].split()
                cpu.append((int(fields[11]) + int(fields[12])) / 100)  # utime and stime in ticks of 10 ms
    ready = statistics.median(cpu)
    print(f"imports alone: {alone:.2f} CPU s")  # noqa: T201
    print(f"start to ready: {ready:.2f} CPU s ({ready / alone:.2f}x), {statistics.median(wall):.2f} s")  # noqa: T201


if __name__ == "__main__":
    main()
