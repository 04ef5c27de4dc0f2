"""`kagent-render run`: the stock runtime on this machine, with the config that a build would put into the ConfigMap."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from kagent_render.cli.local_models import model_clients, obstacles, usual_keys
from kagent_render.cli.local_tools import about_servers, named_urls, with_urls
from kagent_render.cli.output import report, say
from kagent_render.cli.watched import SECONDS, Stamps, stamps, with_folders
from kagent_render.compiler import Compilation, compile_paths
from kagent_render.lower import Workload

LOCAL_NAMESPACE = "default"  # documents without a namespace need one for RBAC, which nothing here uses


@dataclass(frozen=True, slots=True)
class _Options:
    """What the command line says."""

    path: str
    name: str | None
    port: int
    model_url: str | None
    replay: bool
    context: str | None
    tool_urls: dict[str, str]


@dataclass(frozen=True, slots=True)
class _Plan:
    """A process to start: what decides that it has to be another one."""

    config: str
    arguments: tuple[str, ...]
    environment: dict[str, str]
    about: tuple[str, ...]
    python_files: tuple[tuple[str, str], ...] = ()

    @property
    def content(self) -> tuple[object, ...]:
        """What makes it another one."""
        return (self.config, self.python_files, self.environment.get("KAGENT_PYTHON_MODULES"))


def run(
    path: str,
    name: str | None,
    port: int,
    model_url: str | None,
    replay: bool,
    context: str | None,
    tool_urls: Sequence[str],
) -> int:
    """Compile in memory, run the runtime as a child, and another one after a save. Exit 1 on errors in the specs."""
    if importlib.util.find_spec("kagent_runtime") is None or importlib.util.find_spec("autogen_agentchat") is None:
        raise click.UsageError("the runtime is not installed: pip install 'kagent-render[runtime]'")
    options = _Options(path, name, port or _free_port(), model_url, replay, context, named_urls(tool_urls))
    compilation = compile_paths([path], LOCAL_NAMESPACE)
    report(compilation, sys.stderr, None)
    if compilation.diagnostics.has_errors:
        return 1
    plan = _plan(compilation, options)
    with tempfile.TemporaryDirectory(prefix="kagent-render-run-") as folder:
        return _Serving(options, Path(folder)).run(plan, [file.path for file in compilation.files])


def _plan(compilation: Compilation, options: _Options) -> _Plan:
    workload = _choose(list(compilation.workloads), options.name)
    clients = model_clients(workload.runtime_config["component"])
    environment = os.environ | usual_keys(clients, os.environ)
    in_the_way = [] if options.model_url else obstacles(clients, environment)
    is_replay = options.replay or bool(in_the_way)
    arguments = ["--host", "127.0.0.1", "--port", str(options.port), "--model", "replay" if is_replay else "real"]
    context = options.context
    arguments += ["--cluster", "kubeconfig", "--kube-context", context] if context else ["--cluster", "sample"]
    if options.model_url:
        environment["KAGENT_MODEL_BASE_URL"] = options.model_url
    environment["KAGENT_QUEUE"] = "local"  # on a laptop nobody takes the tasks of production
    environment["POD_NAMESPACE"] = workload.namespace or LOCAL_NAMESPACE
    environment |= {item.name: item.value for item in workload.variables if item.name == "KAGENT_PYTHON_MODULES"}
    about = [*_about(workload, in_the_way, is_replay, context), *about_servers(workload, options.tool_urls)]
    config = json.dumps(with_urls(workload, options.tool_urls))
    return _Plan(config, tuple(arguments), environment, tuple(about), workload.python_files)


def _free_port() -> int:
    """The same one after every save, so that the page in the browser goes on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


def _choose(workloads: list[Workload], name: str | None) -> Workload:
    names = ", ".join(workload.name for workload in workloads)
    chosen = [workload for workload in workloads if name in (None, workload.name)]
    if not chosen:
        raise click.UsageError(f"there is no agent or team `{name}`; there are: {names}")
    if len(chosen) > 1:
        raise click.UsageError(f"say which one to run: {names}")
    return chosen[0]


def _about(workload: Workload, in_the_way: list[str], is_replay: bool, context: str | None) -> Iterator[str]:
    yield f"{workload.kind} {workload.name}: {workload.description}"
    if is_replay:
        yield "  model: replay, no LLM is called" + (" because:" if in_the_way else "")
        yield from (f"    {reason}" for reason in in_the_way)
    if workload.needs_kubernetes_api:
        yield f"  cluster: {context or 'a recorded sample (--context C uses a real one)'}"


class _Serving:
    """The child, and what it was started with. Its conversations are in the folder, and outlive it."""

    def __init__(self, options: _Options, folder: Path) -> None:
        self._options, self._folder = options, folder
        self._child: subprocess.Popen[bytes] | None = None
        self._served: _Plan | None = None
        self._is_ending = False

    def run(self, plan: _Plan, files: list[str]) -> int:
        """Serve until the child ends by itself or this process is told to. Returns the exit code."""
        # The terminal sends Ctrl-C to the child as well; a plain kill of this process must reach it too.
        signal.signal(signal.SIGTERM, lambda *_: self._end())
        try:
            while True:
                seen = stamps(with_folders([self._options.path, *files]))
                child = self._start(plan)
                if (code := _wait(child, seen)) is not None or self._is_ending:
                    return code or 0
                plan, files = self._changed(plan, files)
        except KeyboardInterrupt:
            if self._child is not None:
                self._child.send_signal(signal.SIGTERM)
                self._child.wait()
            return 130

    def _end(self) -> None:
        self._is_ending = True
        if self._child is not None:
            self._child.terminate()

    def _start(self, plan: _Plan) -> subprocess.Popen[bytes]:
        """The child; the one that runs already, when it has this plan."""
        if self._child is not None and self._child.poll() is None:
            if self._served is not None and self._served.content == plan.content:
                return self._child
            self._child.terminate()
            self._child.wait()
        config, code = self._folder / "runtime.json", self._folder / "python"
        config.write_text(plan.config, encoding="utf-8")
        shutil.rmtree(code, ignore_errors=True)  # with the bytecode of what was there
        code.mkdir()
        for name, text in plan.python_files:
            (code / name).write_text(text, encoding="utf-8")
        self._served = plan
        for line in plan.about:
            say(line)
        command = [sys.executable, "-m", "kagent_runtime", "--config", str(config), *plan.arguments]
        environment = plan.environment | {"KAGENT_STATE_DIR": str(self._folder), "KAGENT_PYTHON_PATH": str(code)}
        self._child = subprocess.Popen(command, env=environment)
        return self._child

    def _changed(self, plan: _Plan, files: list[str]) -> tuple[_Plan, list[str]]:
        """What to serve after a save: what was served before, as long as the specs have errors."""
        compilation = compile_paths([self._options.path], LOCAL_NAMESPACE)
        known = [file.path for file in compilation.files] or files
        if compilation.diagnostics.has_errors:
            report(compilation, sys.stderr, None)
            say("the specs have errors; what ran before goes on")
            return plan, known
        try:
            return _plan(compilation, self._options), known
        except click.UsageError as error:
            say(f"{error.message}; what ran before goes on")
            return plan, known


def _wait(child: subprocess.Popen[bytes], seen: Stamps) -> int | None:
    """The exit code of the child, or None once files were saved and nothing more is."""
    is_saved = False
    while True:
        try:
            return child.wait(SECONDS)
        except subprocess.TimeoutExpired:
            now = stamps(seen)
            if is_saved and now == seen:
                return None
            is_saved, seen = is_saved or now != seen, now
