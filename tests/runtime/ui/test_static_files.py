"""What the page is made of, read as files: nothing inline, nothing from elsewhere, third-party copies unchanged."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from tests.harness import ROOT

STATIC = ROOT / "runtime" / "kagent_runtime" / "ui" / "static"
THIRD_PARTY = {
    "vendor/marked.esm.js": "5371fea86fd0656b4fc7bea7c94c663109d82789b69433eeee78d42895aa44de",
    "fonts/ibm-plex-sans-latin-wght-normal.woff2": "e2291e842cf5af167122a22881a740c7f2dda7716f1e8cd76680264f4a859470",
    "fonts/ibm-plex-mono-latin-400-normal.woff2": "08949f728dc52d528e69b1667d15c89a5686a4ee9a296ff90983985f99c380f7",
    "fonts/ibm-plex-mono-latin-500-normal.woff2": "01d285447409c8a588692162439a038b8cbd7871309ee20267b0d2d91c6e8e22",
}
OWN = sorted(p for p in STATIC.rglob("*") if p.suffix in (".js", ".css", ".html") and p.parent.name != "vendor")
HTML_SINKS = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "DOMParser")


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_third_party_file_is_the_published_one(name: str) -> None:
    assert hashlib.sha256((STATIC / name).read_bytes()).hexdigest() == THIRD_PARTY[name]


def test_every_third_party_file_is_listed() -> None:
    found = [*STATIC.glob("vendor/*.js"), *STATIC.rglob("*.woff2")]
    assert {path.relative_to(STATIC).as_posix() for path in found} == set(THIRD_PARTY)


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.name)
def test_own_file_asks_nobody_else_and_makes_no_html(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.findall(r"https?://(?!www\.w3\.org/2000/svg)\S+", text) == []
    assert [sink for sink in HTML_SINKS if sink in text] == []
    assert "crypto.randomUUID" not in text  # missing on plain http, where a port-forward ends


def test_page_has_nothing_inline_and_only_relative_addresses() -> None:
    html = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)", html) == []
    addresses = re.findall(r'(?:src|href)="([^"#]+)"', html)
    assert addresses
    assert [address for address in addresses if not (STATIC.parent / address).is_file()] == []


@pytest.mark.parametrize("path", [path for path in OWN if path.suffix == ".js"], ids=lambda path: path.name)
def test_import_resolves(path: Path) -> None:
    imports = re.findall(r'^import .* from "([^"]+)";$', path.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name in imports if not name.startswith(".") or not (path.parent / name).is_file()] == []
