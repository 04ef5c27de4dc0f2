"""Committed output is documentation: every example and build case, byte for byte, however it is built."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.harness import BUILDS, EXAMPLES, ROOT, Build, kagent_render, rewrite, tree

EACH_BUILD = pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)


@EACH_BUILD
def test_the_output_is_exactly_what_is_committed(build: Build, tmp_path: Path, update_golden: bool) -> None:
    """As sets of files, so that an extra file fails too."""
    outcome = kagent_render("build", str(build.source), *build.options, "-o", str(tmp_path / "out"))
    assert outcome.code == 0, outcome.stderr
    if update_golden:
        rewrite(build.expected, tree(tmp_path / "out"))
    assert tree(tmp_path / "out") == tree(build.expected)


@EACH_BUILD
def test_the_output_does_not_depend_on_where_or_how_it_is_built(build: Build, tmp_path: Path) -> None:
    """Hash seed, locale, time zone, order and names of files, working directory: the same bytes."""
    expected = kagent_render("build", str(build.source), *build.options, PYTHONHASHSEED="0").stdout
    assert expected
    _shuffle(build.source, tmp_path / "shuffled")
    relative = kagent_render(
        "build", ".", *build.options, cwd=build.source, PYTHONHASHSEED="1", LC_ALL="C", TZ="Asia/Tokyo"
    )
    other = kagent_render("build", str(tmp_path / "shuffled"), *build.options, cwd=tmp_path, PYTHONHASHSEED="4242")
    assert relative.stdout == expected
    assert other.stdout == expected


def _shuffle(source: Path, target: Path) -> None:
    """Copy with one document a file, in the reverse order."""
    shutil.copytree(source, target, ignore=shutil.ignore_patterns("rendered"))
    for folder in {path.parent for path in target.rglob("*.yaml")}:
        files = sorted(folder.glob("*.yaml"))
        documents = [text for path in files for text in path.read_text().split("---\n")]
        for path in files:
            path.unlink()
        for number, text in enumerate(reversed(documents)):
            (folder / f"{number:02}.yaml").write_text(text)


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
    """An example is specs, a README and what is rendered from them, perhaps for environments."""
    for example in EXAMPLES.iterdir():
        names = {path.name for path in example.iterdir()}
        assert names - {"environments", "how-to", "images.lock"} == {"README.md", "rendered", "specs"}
        rendered = {build.expected.name for build in BUILDS if build.source == example}
        assert {path.name for path in (example / "rendered").iterdir()} == rendered


def test_the_examples_build_from_a_copy(tmp_path: Path) -> None:
    """Nothing outside an example's own folder is needed."""
    shutil.copytree(EXAMPLES / "quickstart", tmp_path / "mine")
    outcome = kagent_render(
        "build", "mine", "-o", "mine/rendered/default", "--check", cwd=tmp_path, PYTHONPATH=str(ROOT)
    )
    assert outcome.code == 0, outcome.stderr
