"""What the tests of the page need beyond Python: skipped where it is absent, required where CI says so."""

from __future__ import annotations

import importlib
import os
import shutil
from typing import Any

import pytest

IS_REQUIRED = os.environ.get("REQUIRE_CHROMIUM") == "1"  # a green CI must not hide a missing browser


def need_package(name: str) -> Any:
    """Import a package, or skip the module that calls this."""
    if IS_REQUIRED:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"`{name.split('.')[0]}` is not installed")


def need_chromium() -> str:
    """The path of the system's Chromium, or skip the test."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is not None:
        return found
    end_test = pytest.fail if IS_REQUIRED else pytest.skip
    end_test("no chromium on PATH: apt-get install chromium")
