"""The helm program: run with folders of its own, with nothing of the pod's environment that it does not need.

`runtime/helm.Dockerfile` puts it into the image.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path

from kagent_runtime.components.cluster import CONNECTION
from kagent_runtime.components.failures import ToolFailureError
from kagent_runtime.components.texts import printable

_MAX_ERROR = 4000
_END_SECONDS = 10.0  # for Helm to write down that a release failed
# How it finds the API server, and how it gets out; no credential of a model or of another tool.
_PASSED = (
    "PATH",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


async def run_helm(arguments: Sequence[str], given: bytes = b"") -> bytes:
    """What helm prints; `given` is its standard input. Raises ToolFailureError with what it says of a failure.

    When it is cancelled, helm is told to end and then, if it does not, ended.
    """
    if CONNECTION.mode == "sample":
        raise ToolFailureError("the recorded sample cluster cannot be changed with Helm")
    with tempfile.TemporaryDirectory(prefix="helm-", ignore_cleanup_errors=True) as folder:
        command = ["helm", *arguments]
        if CONNECTION.mode == "kubeconfig" and CONNECTION.context:
            command.append(f"--kube-context={CONNECTION.context}")
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=pipe,
                stdout=pipe,
                stderr=pipe,
                env=_environment(folder),
                cwd=folder,
                start_new_session=True,
            )
        except FileNotFoundError:
            message = "this image has no helm program; it needs one that is built of runtime/helm.Dockerfile"
            raise ToolFailureError(message) from None
        try:
            output, errors = await process.communicate(given)
        except asyncio.CancelledError:
            await _ended(process)
            raise
    if process.returncode:
        raise ToolFailureError(_reason(errors))
    return output


def _environment(folder: str) -> dict[str, str]:
    found = {name: value for name in _PASSED if (value := os.environ.get(name))}
    places = {f"HELM_{name}_HOME": f"{folder}/{name.lower()}" for name in ("CACHE", "CONFIG", "DATA")}
    if CONNECTION.mode == "kubeconfig":
        places["KUBECONFIG"] = os.environ.get("KUBECONFIG") or str(Path.home() / ".kube" / "config")
    return found | places | {"HOME": folder, "HELM_PLUGINS": f"{folder}/plugins"}


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Interrupt it, as Ctrl-C does: it then marks the release as failed."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(process.wait()), _END_SECONDS)
            return


def _reason(errors: bytes) -> str:
    text = printable(errors.decode("utf-8", "replace")).strip()
    found = text.rfind("Error: ")  # before it are lines of its log
    return f"helm: {text[found + 7 if found >= 0 else 0 :][:_MAX_ERROR] or 'it failed and does not say why'}"
