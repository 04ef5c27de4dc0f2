"""`kagent-render run`: the stock runtime on this machine, with the config that a build would put into the ConfigMap."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from kagent_render.cli.local_models import model_clients, obstacles, usual_keys
from kagent_render.cli.output import report, say
from kagent_render.compiler import compile_paths
from kagent_render.lower import Workload

LOCAL_NAMESPACE = "default"  # documents without a namespace need one for RBAC, which nothing here uses


def run(path: str, name: str | None, port: int, model_url: str | None, replay: bool, context: str | None) -> int:
    """Compile in memory, start the runtime as a child, and wait for it. Exit 1 on errors in the specs."""
    if importlib.util.find_spec("kagent_runtime") is None or importlib.util.find_spec("autogen_agentchat") is None:
        raise click.UsageError("the runtime is not installed: pip install 'kagent-render[runtime]'")
    compilation = compile_paths([path], LOCAL_NAMESPACE)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    workload = _choose(list(compilation.workloads), name)
    clients = model_clients(workload.runtime_config["component"])
    environment = os.environ | usual_keys(clients, os.environ)
    in_the_way = [] if model_url else obstacles(clients, environment)
    is_replay = replay or bool(in_the_way)
    _explain(workload, in_the_way, is_replay, context)
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--model", "replay" if is_replay else "real"]
    arguments += ["--cluster", "kubeconfig", "--kube-context", context] if context else ["--cluster", "sample"]
    if model_url:
        environment["KAGENT_MODEL_BASE_URL"] = model_url
    environment["KAGENT_QUEUE"] = "local"  # on a laptop nobody takes the tasks of production
    environment["POD_NAMESPACE"] = workload.namespace or LOCAL_NAMESPACE
    return _serve(workload, arguments, environment)


def _choose(workloads: list[Workload], name: str | None) -> Workload:
    names = ", ".join(workload.name for workload in workloads)
    chosen = [workload for workload in workloads if name in (None, workload.name)]
    if not chosen:
        raise click.UsageError(f"there is no agent or team `{name}`; there are: {names}")
    if len(chosen) > 1:
        raise click.UsageError(f"say which one to run: {names}")
    return chosen[0]


def _explain(workload: Workload, in_the_way: list[str], is_replay: bool, context: str | None) -> None:
    say(f"{workload.kind} {workload.name}: {workload.description}")
    if is_replay:
        say("  model: replay, no LLM is called" + (" because:" if in_the_way else ""))
        for reason in in_the_way:
            say(f"    {reason}")
    if workload.needs_kubernetes_api:
        say(f"  cluster: {context or 'a recorded sample (--context C uses a real one)'}")


def _serve(workload: Workload, arguments: list[str], environment: dict[str, str]) -> int:
    with tempfile.TemporaryDirectory(prefix="kagent-render-run-") as folder:
        config = Path(folder, "runtime.json")
        config.write_text(json.dumps(workload.runtime_config), encoding="utf-8")
        environment["KAGENT_STATE_DIR"] = folder
        command = [sys.executable, "-m", "kagent_runtime", "--config", str(config), *arguments]
        child = subprocess.Popen(command, env=environment)
        # The terminal sends Ctrl-C to the child as well; a plain kill of this process must reach it too.
        signal.signal(signal.SIGTERM, lambda *_: child.terminate())
        try:
            return child.wait()
        except KeyboardInterrupt:
            child.send_signal(signal.SIGTERM)
            child.wait()
            return 130
