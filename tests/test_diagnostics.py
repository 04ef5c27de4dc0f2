"""Every diagnostic, by cases: `input/` with markers on the offending lines, `expected.txt` with the exact report."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kagent_render.compiler import compile_paths
from kagent_render.diagnostics import CODES
from tests.harness import CASES, ROOT, kagent_render

FOLDER = CASES / "diagnostics"
NAMES = sorted(path.name for path in FOLDER.iterdir())
_MARKER = re.compile(r"# (?:error|warning): ((?:KR\d{3} ?)+)$")
# Found in a flag, the output folder, templates or imports, or a defect of ours: see tests/unit and tests/cli.
_ELSEWHERE = {
    "KR011",
    "KR401",
    "KR402",
    "KR403",
    "KR404",
    "KR405",
    "KR407",
    "KR408",
    "KR409",
    "KR502",
    "KR503",
    "KR504",
    "KR601",
    "KR602",
    "KR701",
    "KR702",
    "KR703",
    "KR704",
    "KR900",
}


def _marked(folder: Path) -> set[tuple[int, str]]:
    found = set()
    for path in (path for suffix in ("yaml", "lock", "py") for path in folder.rglob(f"*.{suffix}")):
        for number, line in enumerate(path.read_bytes().decode("utf-8", "replace").splitlines(), 1):
            if match := _MARKER.search(line):
                found |= {(number, code) for code in match[1].split()}
    return found


def _environment(folder: Path) -> str | None:
    """A case about environments says in a file which one to build."""
    file = folder / "environment.txt"
    return file.read_text().strip() if file.exists() else None


@pytest.mark.parametrize("name", NAMES)
def test_the_report_is_exactly_as_expected(name: str, update_golden: bool) -> None:
    """Exit code, stdout and stderr of `check`, and no output of `build`."""
    folder = FOLDER / name
    paths = (folder / "input").relative_to(ROOT).as_posix()
    environment = _environment(folder)
    flags = ["--env", environment] if environment else []
    checked = kagent_render("check", paths, "--format", "full", *flags)
    shown = f"exit {checked.code}\n{checked.stdout}{checked.stderr}".replace(f"{paths}/", "")
    if update_golden:
        (folder / "expected.txt").write_text(shown, encoding="utf-8")
    assert shown == (folder / "expected.txt").read_text(encoding="utf-8")
    assert "Traceback" not in shown
    if checked.code:
        built = kagent_render("build", paths, *flags)
        assert (built.code, built.stdout) == (1, "")


@pytest.mark.parametrize("name", NAMES)
def test_every_marked_line_is_reported_and_no_other(name: str) -> None:
    """The markers are the claim of whoever wrote the case; the report must agree with all of them."""
    folder = FOLDER / name / "input"
    marked = _marked(folder)
    found = compile_paths([str(folder)], environment=_environment(folder.parent)).diagnostics.in_order()
    if not marked:
        assert [item.code for item in found] == [name[:5]], "a case without markers is for a single diagnostic"
    else:
        assert {(item.span.line if item.span else 0, item.code) for item in found} == marked


def test_every_code_has_a_case() -> None:
    """A code without a case may not work at all."""
    covered = {code for name in NAMES for _, code in _marked(FOLDER / name / "input")} | {name[:5] for name in NAMES}
    assert set(CODES) - covered == _ELSEWHERE


def test_there_are_enough_cases() -> None:
    """Broken input is what users meet most."""
    assert len(NAMES) >= 25
