"""Kill processes at random moments under load, and report what that cost.

python -m tests.benchmarks.bench_kill [--kills 200] [--postgresql] [--seed 1]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.edge.postgresql import PostgreSQL
from tests.runtime.killing import Report, Shop, bombard


def main() -> None:
    """Print the figures; exits with 1 when something acknowledged was lost or a call was made twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--postgresql", action="store_true", help="two processes on one PostgreSQL, else one on SQLite")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    started = time.monotonic()
    with ExitStack() as stack:
        shop = Shop(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(shop.close)
        names, environment = ["a"], {}
        if options.postgresql:
            names = ["a", "b"]
            environment["KAGENT_DATABASE_URL"] = stack.enter_context(PostgreSQL()).url()
        processes = [stack.enter_context(shop.runtime(name, **environment)) for name in names]
        report = bombard(shop, processes, options.kills, options.seed)
    _tell(report, time.monotonic() - started)
    raise SystemExit(bool(report.lost or report.repeated or report.hidden or report.unfinished or report.broken_logs))


def _tell(report: Report, seconds: float) -> None:
    ready = sorted(report.ready_seconds)
    figures = {
        "kills": report.kills,
        "messages acknowledged": report.acknowledged,
        "of them lost": len(report.lost),
        "of them not ended": len(report.unfinished),
        "calls made twice": len(report.repeated),
        "calls that nobody was told of": len(report.hidden),
        "calls reported as unknown": report.unknown,
        "turns gone on with by another process": report.resumed,
        "outcomes": dict(report.outcomes),
        "errors": report.errors,
        "logs with a gap": len(report.broken_logs),
        "restart to ready": f"{statistics.median(ready):.2f} s median, {ready[-1]:.2f} s at most",
        "took": f"{seconds:.0f} s",
    }
    for name, value in figures.items():
        print(f"{name}: {value}")  # noqa: T201


if __name__ == "__main__":
    main()
