"""Podman, buildah and runc with storage of their own: the containers of the machine are left alone."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

TOOLS = ("podman", "buildah", "runc", "debootstrap", "slirp4netns", "openssl")

# crun refuses hybrid cgroups and some machines refuse the default limits: runc and modest limits run on all.
# tmp_dir and file locks: podman otherwise shares its state in /run and /dev/shm with the machine's own.
CONTAINERS_CONF = """\
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
tmp_dir = "{run}/libpod"
lock_type = "file"
[network]
network_backend = "netavark"
"""
STORAGE_CONF = """\
[storage]
driver = "overlay"
graphroot = "{cache}/storage"
runroot = "{run}/storage"
"""


def missing_requirement() -> str | None:
    """Return why containers cannot be run here, or None."""
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        return f"not installed: {', '.join(absent)}"
    return None if os.geteuid() == 0 else "not root: debootstrap and the container storage need it"


def cache_directory() -> Path:
    """Return the folder outside the repository that outlives a run: base image, wheels, container storage."""
    named = os.environ.get("KAGENT_RENDER_CACHE")
    return Path(named) if named else Path.home() / ".cache" / "kagent-render-tests"


class Containers:
    """The commands podman and buildah, configured alike."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        cache.mkdir(parents=True, exist_ok=True)
        # One state a cache, in /run because it must not survive a reboot.
        run = f"/run/kagent-render-tests-{hashlib.sha256(bytes(cache)).hexdigest()[:8]}"
        for name, text in (("containers.conf", CONTAINERS_CONF), ("storage.conf", STORAGE_CONF)):
            (cache / name).write_text(text.format(cache=cache, run=run), encoding="utf-8")
        self._environment = {
            **os.environ,
            "CONTAINERS_CONF": str(cache / "containers.conf"),
            "CONTAINERS_STORAGE_CONF": str(cache / "storage.conf"),
        }

    def run(self, *command: str, stdin: str | None = None) -> str:
        """Run podman or buildah and return its output; raises CommandError."""
        done = self.attempt(*command, stdin=stdin)
        if done.returncode:
            raise CommandError(command, done.returncode, done.stdout + done.stderr)
        return done.stdout

    def attempt(self, *command: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run podman or buildah, whatever comes of it."""
        return subprocess.run(command, input=stdin, env=self._environment, capture_output=True, text=True)

    def has_image(self, name: str) -> bool:
        """Say whether the storage holds the image."""
        return self.attempt("podman", "image", "exists", name).returncode == 0


class CommandError(Exception):
    """A command failed; the message holds all it printed."""

    def __init__(self, command: tuple[str, ...], code: int, output: str) -> None:
        super().__init__(f"{' '.join(command)} exited {code}:\n{output}")
