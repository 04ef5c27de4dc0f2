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
from typing import Any
from urllib.parse import urlsplit

import click

from kagent_render.catalog.providers.registry import PROVIDERS
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
    environment = os.environ | _key_variables(workload, dict(os.environ))
    clients = _model_clients(workload.runtime_config["component"])
    keys = sorted({client["api_key_env"] for client in clients if client["api_key_env"]})
    missing = [key for key in keys if key not in environment]
    is_replay = replay or (model_url is None and bool(missing or any(map(_is_in_cluster, clients))))
    _explain(workload, _usual(clients, missing), is_replay, context)
    arguments = ["--host", "127.0.0.1", "--port", str(port), "--model", "replay" if is_replay else "real"]
    arguments += ["--cluster", "kubeconfig", "--kube-context", context] if context else ["--cluster", "sample"]
    if model_url:
        environment["KAGENT_MODEL_BASE_URL"] = model_url
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


def _key_variables(workload: Workload, environment: dict[str, str]) -> dict[str, str]:
    """On a laptop a provider's usual variable serves every model of its that has no key of its own there."""
    found = {}
    for client in _model_clients(workload.runtime_config["component"]):
        usual = PROVIDERS[client["provider"]].usual_variable
        if client["api_key_env"] and client["api_key_env"] not in environment and usual in environment:
            found[client["api_key_env"]] = environment[str(usual)]
    return found


def _usual(clients: list[dict[str, Any]], missing: list[str]) -> list[str]:
    """What is missing, with the variables that serve as well."""
    providers = {client["api_key_env"]: PROVIDERS[client["provider"]] for client in clients}
    return [f"{name} or {usual}" if (usual := providers[name].usual_variable) else name for name in missing]


def _is_in_cluster(client: dict[str, Any]) -> bool:
    """Whether only a pod finds the model's host."""
    host = urlsplit(client["base_url"]).hostname or ""
    return host.endswith((".svc", ".svc.cluster.local")) or ("." not in host and host != "localhost")


def _model_clients(value: Any) -> list[dict[str, Any]]:
    if isinstance(value, list):
        return [client for item in value for client in _model_clients(item)]
    if not isinstance(value, dict):
        return []
    if value.get("component_type") == "model":
        return [value["config"]]
    return [client for item in value.values() for client in _model_clients(item)]


def _explain(workload: Workload, missing: list[str], is_replay: bool, context: str | None) -> None:
    say(f"{workload.kind} {workload.name}: {workload.description}")
    if is_replay:
        reason = f" ({', '.join(missing)} not set)" if missing else ""
        say(f"  model: replay, no LLM is called{reason}")
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
