"""`--format sarif`: valid by the official schema for every kind of defect, with the places an editor would show."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import pytest

from kagent_render.compiler import compile_paths
from kagent_render.diagnostics import CODES, Diagnostic
from kagent_render.reports import sarif
from kagent_render.reports.text import SourceLines
from tests.harness import CASES, ROOT, kagent_render

SCHEMA = json.loads((Path(__file__).parent / "sarif" / "sarif-2.1.0-rtm.5.json").read_text())
VALIDATOR = jsonschema.Draft4Validator(SCHEMA)
NAMES = sorted(path.name for path in (CASES / "diagnostics").iterdir())


def _log(found: Sequence[Diagnostic]) -> dict[str, Any]:
    log: dict[str, Any] = json.loads("\n".join(sarif.render(found, SourceLines([], found))))
    VALIDATOR.validate(log)
    assert len(log["runs"]) == 1
    return log


@pytest.mark.parametrize("name", NAMES)
def test_every_defect_is_a_valid_result(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Result for result the diagnostics, with rule, level, place and text; those without a place are notifications."""
    monkeypatch.chdir(ROOT)
    folder = CASES / "diagnostics" / name
    environment = folder / "environment.txt"
    chosen = environment.read_text().strip() if environment.exists() else None
    found = compile_paths([(folder / "input").relative_to(ROOT).as_posix()], None, chosen).diagnostics.in_order()
    run = _log(found)["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    placed = [item for item in found if item.span]
    for item, result in zip(placed, run["results"], strict=True):
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"] == item.code
        assert result["level"] == item.severity.label
        place = result["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uriBaseId"] == "%SRCROOT%"
        assert (ROOT / unquote(place["artifactLocation"]["uri"])).exists()
        assert item.span
        assert place["region"]["startLine"] == max(item.span.line, 1)
        assert len(result.get("relatedLocations", [])) == len(item.labels)
    notified = run["invocations"][0].get("toolConfigurationNotifications", [])
    assert [item["descriptor"]["id"] for item in notified] == [item.code for item in found if not item.span]
    assert run["results"] or notified


def test_every_code_is_a_rule_with_help() -> None:
    """So that a viewer explains a finding without our command."""
    rules = _log([])["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(CODES)
    assert all(rule["help"]["text"] == CODES[rule["id"]].explanation for rule in rules)
    assert {rule["name"] for rule in rules} >= {"UnknownReference", "InlineSecret"}


def test_the_region_is_the_offending_value_in_code_points(tmp_path: Path) -> None:
    """Also after characters outside the basic plane, which count two in UTF-16: the log says what it counts."""
    text = 'apiVersion: kagent.dev/v1alpha1\nkind: Agent\nmetadata: {name: a, labels: {"😀": "x"}, nmae: b}\n'
    folder = tmp_path / "a folder with #"
    folder.mkdir()
    (folder / "ä.yaml").write_text(text, encoding="utf-8")
    outcome = kagent_render("check", "a folder with #", "--format", "sarif", cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert outcome.code == 1
    log = json.loads(outcome.stdout)
    VALIDATOR.validate(log)
    assert log["runs"][0]["columnKind"] == "unicodeCodePoints"
    result = next(item for item in log["runs"][0]["results"] if "nmae" in item["message"]["text"])
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "a%20folder%20with%20%23/%C3%A4.yaml"
    region = place["region"]
    assert text.splitlines()[2][region["startColumn"] - 1 : region["endColumn"] - 1] == "nmae"


def test_a_path_elsewhere_is_a_file_uri(tmp_path: Path) -> None:
    """Nothing relative leads there."""
    (tmp_path / "a.yaml").write_text("a: [\n")
    outcome = kagent_render("check", str(tmp_path / "a.yaml"), "--format", "sarif")
    result = json.loads(outcome.stdout)["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["artifactLocation"] == {"uri": (tmp_path / "a.yaml").as_uri()}


def test_no_credential_gets_into_the_log() -> None:
    """A finding about one names its place only."""
    folder = "tests/cases/diagnostics/KR106-inline-secret/input"
    values = [line.partition(": ")[2] for path in (ROOT / folder).glob("*") for line in path.read_text().splitlines()]
    secrets = [value.split()[0] for value in values if "KR106" in value and len(value.split()[0]) > 12]
    assert secrets
    shown = kagent_render("check", folder, "--format", "sarif").stdout
    assert [value for value in secrets if value in shown] == []
