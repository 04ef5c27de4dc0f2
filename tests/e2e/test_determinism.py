"""The same specs, the same bytes: hash seeds, locales, time zones, orders of files and working directories."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.harness import EXAMPLES, ROOT, kagent_render, tree

SOURCE, ENVIRONMENT = EXAMPLES / "platform-team", "prod"
SEEDS = range(20)
# Turkish: the upper case of `i` is not `I` there. C: what is not ASCII is no letter.
LOCALES = ("C", "C.UTF-8", "tr_TR.UTF-8")
ZONES = ("Pacific/Kiritimati", "America/St_Johns")


@pytest.fixture(scope="module")
def locales(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with the locale that machines do not have by themselves."""
    folder = tmp_path_factory.mktemp("locales")
    command = ["localedef", "-i", "tr_TR", "-f", "UTF-8", str(folder / "tr_TR.UTF-8")]
    made = subprocess.run(command, capture_output=True, text=True, check=False) if shutil.which(command[0]) else None
    if made is None or not (folder / "tr_TR.UTF-8" / "LC_CTYPE").is_file():
        stop = pytest.fail if os.environ.get("REQUIRE_CONTAINERS") == "1" else pytest.skip
        stop("the sources of locales are not installed (Debian: locales)")
    return str(folder)


def shuffled(seed: int, folder: Path) -> Path:
    """A copy whose files were made in another order, which is the order in which a folder lists them."""
    paths = [path for path in sorted(SOURCE.rglob("*")) if path.is_file() and "rendered" not in path.parts]
    random.Random(seed).shuffle(paths)
    target = folder / (f"{seed:x}" * (1 + seed % 3))
    for path in paths:
        copy = target / path.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, copy)
    return target


def test_a_locale_that_is_asked_for_is_used(locales: str) -> None:
    """Without this the matrix would be narrower than it looks."""
    script = "import locale; print(locale.setlocale(locale.LC_CTYPE, ''))"
    environment = {"LOCPATH": locales, "LC_ALL": "tr_TR.UTF-8"}
    found = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | environment, stdout=subprocess.PIPE, text=True, check=True
    )
    assert found.stdout.strip() == "tr_TR.UTF-8"


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("zone", ZONES)
def test_every_build_is_byte_equal(locales: str, locale: str, zone: str, tmp_path: Path) -> None:
    """Twenty hash seeds for each locale and zone, each with folders and a working directory of its own."""
    expected = tree(SOURCE / "rendered" / ENVIRONMENT)

    def build(seed: int) -> dict[str, str]:
        source, place = shuffled(seed, tmp_path / "specs"), tmp_path / "cwd" / str(seed)
        place.mkdir(parents=True)
        path = os.path.relpath(source, place) if seed % 2 else str(source)
        outcome = kagent_render(
            *("build", path, "--env", ENVIRONMENT, "-o", "out"),
            cwd=place,
            PYTHONHASHSEED=str(seed * 104_729),
            LC_ALL=locale,
            LOCPATH=locales,
            TZ=zone,
            PYTHONPATH=str(ROOT),
        )
        assert outcome.code == 0, outcome.stderr
        return tree(place / "out")

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        differing = [seed for seed, found in zip(SEEDS, pool.map(build, SEEDS), strict=True) if found != expected]
    assert differing == []
