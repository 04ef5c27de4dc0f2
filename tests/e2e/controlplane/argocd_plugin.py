"""Argo CD's plugin server with our plugin.yaml, as the sidecar of its repo server starts it."""

from __future__ import annotations

import sys
from pathlib import Path

from kagent_render.gitops.argocd_objects import plugin_configuration
from tests.e2e.controlplane.process import Process
from tests.harness import ROOT

_GENERATE = '"msg":"kagent-render argocd generate"'


class PluginServer:
    """A running plugin server: its files are in `folder`, its socket is in `sockets`. Raises StartError."""

    def __init__(self, program: Path, folder: Path, sockets: Path) -> None:
        config, self.work = folder / "config", folder / "work"
        for each in (config, self.work, sockets):
            each.mkdir(parents=True, exist_ok=True)
        (config / "plugin.yaml").write_text(plugin_configuration(), encoding="utf-8")
        environment = {
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(ROOT),
            "HOME": str(self.work),
            "ARGOCD_CMP_WORKDIR": str(self.work),
            "ARGOCD_PLUGINSOCKFILEPATH": str(sockets),
        }
        command: list[str | Path] = [program, "--config-dir-path", config, "--loglevel", "info"]
        self.socket = sockets / "kagent-render.sock"
        self.process = Process(command, folder / "argocd-cmp-server.log", environment)
        try:
            self.process.wait_until(self.socket.exists, 30)
        except BaseException:
            self.stop()
            raise

    @property
    def runs(self) -> int:
        """How often it has run the command that prints the manifests."""
        return self.process.output().count(_GENERATE)

    def stop(self) -> None:
        """End it, and remove its socket."""
        self.process.stop(at_once=True)  # it takes note of SIGTERM, and goes on
        self.socket.unlink(missing_ok=True)
