"""The lock of the image says the same as pyproject.toml, and nothing about the machine it was made on."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "runtime" / "requirements.lock").read_text("utf-8")
PINS = dict(re.findall(r"^([a-z0-9-]+)==([^ \\]+)", LOCK, re.MULTILINE))


def test_the_runtime_extra_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    wanted = [Requirement(line) for line in (*extras["runtime"], *extras["vector"])]
    stale = [str(each) for each in wanted if not each.specifier.contains(PINS.get(canonicalize_name(each.name), "0"))]
    assert not stale, "run `make lock`"


def test_every_package_has_hashes() -> None:
    blocks = re.split(r"^(?=[a-z])", LOCK, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(PINS)
    assert all("--hash=sha256:" in block for block in blocks)


def test_it_names_no_index_and_no_path() -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|(^|\s)/", LOCK)
