"""Committed output is documentation: every example and build case, byte for byte, however it is built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness import CASES, EXAMPLES, ROOT, kagent_render, rewrite, tree

EXAMPLE_NAMES = sorted(path.name for path in EXAMPLES.iterdir())
CASE_NAMES = sorted(path.name for path in (CASES / "build").iterdir())
INPUTS = [EXAMPLES / name for name in EXAMPLE_NAMES] + [CASES / "build" / name for name in CASE_NAMES]


def _source(folder: Path) -> Path:
    return folder if folder.parent == EXAMPLES else folder / "input"


def _expected(folder: Path) -> Path:
    return folder / "rendered" / "default" if folder.parent == EXAMPLES else folder / "expected"


@pytest.mark.parametrize("folder", INPUTS, ids=lambda folder: folder.name)
def test_the_output_is_exactly_what_is_committed(folder: Path, tmp_path: Path, update_golden: bool) -> None:
    """As sets of files, so that an extra file fails too."""
    outcome = kagent_render("build", str(_source(folder)), "-o", str(tmp_path / "out"))
    assert outcome.code == 0, outcome.stderr
    if update_golden:
        rewrite(_expected(folder), tree(tmp_path / "out"))
    assert tree(tmp_path / "out") == tree(_expected(folder))


@pytest.mark.parametrize("folder", INPUTS, ids=lambda folder: folder.name)
def test_the_output_does_not_depend_on_where_or_how_it_is_built(folder: Path, tmp_path: Path) -> None:
    """Hash seed, locale, time zone, order and names of files, working directory: the same bytes."""
    expected = kagent_render("build", str(_source(folder)), PYTHONHASHSEED="0").stdout
    assert expected
    shuffled = tmp_path / "shuffled" / "specs"
    shuffled.mkdir(parents=True)
    source = _source(folder) / "specs" if (_source(folder) / "specs").is_dir() else _source(folder)
    documents = [text for path in sorted(source.glob("*.yaml")) for text in path.read_text().split("---\n")]
    for number, text in enumerate(reversed(documents)):
        (shuffled / f"{number:02}.yaml").write_text(text)
    for lock in _source(folder).glob("*.lock"):
        shutil.copy(lock, shuffled.parent)
    relative = kagent_render("build", ".", cwd=_source(folder), PYTHONHASHSEED="1", LC_ALL="C", TZ="Asia/Tokyo")
    other = kagent_render("build", str(tmp_path / "shuffled"), cwd=tmp_path, PYTHONHASHSEED="4242")
    assert relative.stdout == expected
    assert other.stdout == expected


def test_a_second_build_changes_nothing_and_check_agrees(tmp_path: Path) -> None:
    """Idempotence, and `--check` as CI uses it."""
    out = tmp_path / "out"
    assert kagent_render("build", "examples/quickstart", "-o", str(out)).code == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    again = kagent_render("build", "examples/quickstart", "-o", str(out))
    assert (again.code, again.stderr) == (0, "")
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == before
    assert kagent_render("build", "examples/quickstart", "-o", str(out), "--check").code == 0


def test_examples_have_a_readme_and_nothing_unexpected() -> None:
    """An example is specs, a README and what is rendered from them."""
    for name in EXAMPLE_NAMES:
        assert sorted(path.name for path in (EXAMPLES / name).iterdir()) == ["README.md", "rendered", "specs"]


def test_the_examples_build_from_a_copy(tmp_path: Path) -> None:
    """Nothing outside an example's own folder is needed."""
    shutil.copytree(EXAMPLES / "quickstart", tmp_path / "mine")
    outcome = kagent_render(
        "build", "mine", "-o", "mine/rendered/default", "--check", cwd=tmp_path, PYTHONPATH=str(ROOT)
    )
    assert outcome.code == 0, outcome.stderr
