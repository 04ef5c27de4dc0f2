"""The output folder: only our own files change, all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from kagent_render.diagnostics import Diagnostics
from kagent_render.emit import HEADER
from kagent_render.sinks import directory
from tests.harness import tree

FILES = {"a/x.yaml": HEADER + "x: 1\n", "b/y.yaml": HEADER + "y: 1\n"}
LISTED = HEADER + "resources:\n- a/x.yaml\n- b/y.yaml\n"


def _write(folder: Path, files: dict[str, str]) -> tuple[list[str], list[str]]:
    diagnostics = Diagnostics()
    changes = directory.compare(folder, files, diagnostics)
    codes = [item.code for item in diagnostics.in_order()]
    if not codes:
        directory.write(folder, files, changes)
    return list(changes.lines()), codes


def test_stale_files_of_ours_go_and_foreign_ones_stay(tmp_path: Path) -> None:
    """Ownership is what our kustomization lists, and the header."""
    _write(tmp_path, FILES | {"kustomization.yaml": LISTED})
    (tmp_path / "a" / "notes.md").write_text("mine\n")
    (tmp_path / "b" / "z.yaml").write_text(HEADER + "an orphan that no kustomization lists\n")
    lines, codes = _write(tmp_path, {"kustomization.yaml": HEADER + "resources: []\n"})
    assert (lines, codes) == (["changed kustomization.yaml", "deleted a/x.yaml", "deleted b/y.yaml"], [])
    assert sorted(tree(tmp_path)) == ["a/notes.md", "b/z.yaml", "kustomization.yaml"]


def test_emptied_folders_are_removed(tmp_path: Path) -> None:
    """A removed agent leaves no empty folder behind."""
    _write(tmp_path, FILES | {"kustomization.yaml": LISTED})
    _write(tmp_path, {"kustomization.yaml": HEADER + "resources: []\n"})
    assert [path.name for path in tmp_path.iterdir()] == ["kustomization.yaml"]


def test_a_listed_file_that_someone_took_over_is_not_deleted(tmp_path: Path) -> None:
    """Without our header it is theirs."""
    _write(tmp_path, FILES | {"kustomization.yaml": LISTED})
    (tmp_path / "a" / "x.yaml").write_text("mine: now\n")
    lines, _ = _write(tmp_path, {"kustomization.yaml": HEADER + "resources: []\n"})
    assert "deleted a/x.yaml" not in lines
    assert (tmp_path / "a" / "x.yaml").read_text() == "mine: now\n"


def test_a_foreign_file_in_the_way_stops_everything(tmp_path: Path) -> None:
    """Nothing is written at all."""
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "y.yaml").write_text("mine: 1\n")
    _, codes = _write(tmp_path, FILES)
    assert codes == ["KR601"]
    assert tree(tmp_path) == {"b/y.yaml": "mine: 1\n"}


@pytest.mark.parametrize("link", ["a", "a/x.yaml"])
def test_a_symbolic_link_in_the_way_stops_everything(tmp_path: Path, link: str) -> None:
    """Helm CVE-2025-53547: writing through a link lands elsewhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    out = tmp_path / "out"
    (out / link).parent.mkdir(parents=True)
    (out / link).symlink_to(outside if link == "a" else outside / "x.yaml")
    _, codes = _write(out, FILES)
    assert codes == ["KR602"]
    assert tree(outside) == {}


def test_a_kustomization_that_lists_paths_outside_deletes_nothing_there(tmp_path: Path) -> None:
    """The list is input too."""
    victim = tmp_path / "victim.yaml"
    victim.write_text(HEADER)
    out = tmp_path / "out"
    out.mkdir()
    (out / "kustomization.yaml").write_text(HEADER + f"resources:\n- ../victim.yaml\n- {victim}\n")
    _write(out, FILES)
    assert victim.exists()
