"""What a runtime under test is pointed at: a kubeconfig, and a server that never answers."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from types import TracebackType
from typing import Self


def kubeconfig(folder: Path, server: str) -> str:
    """The path of a kubeconfig for this server."""
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "edge", "cluster": {"server": server}}],
        "contexts": [{"name": "edge", "context": {"cluster": "edge", "user": "edge"}}],
        "users": [{"name": "edge", "user": {}}],
        "current-context": "edge",
    }
    path = folder / "kubeconfig"
    path.write_text(json.dumps(content))
    return str(path)


class SilentServer:
    """Takes connections on loopback and says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.was_called = threading.Event()

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.close()

    def _accept(self) -> None:
        connections = []
        while True:
            try:
                connections.append(self._listener.accept())
            except OSError:
                break
            self.was_called.set()
        for connection, _ in connections:
            connection.close()
