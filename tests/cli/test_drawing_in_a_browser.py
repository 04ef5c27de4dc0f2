"""`graph --format svg` and `html` in a real browser: no text leaves its box, in the fonts that are installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness import kagent_render
from tests.runtime.ui.browser_tools import need_chromium, need_package

need_package("playwright.sync_api")

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SPECS = ("tests/cases/views/drawing/input", "examples/incident-response", "examples/quickstart")
_FAULTS = """() => {
  const faults = [];
  for (const group of document.querySelectorAll('g.card, g.team')) {
    const box = group.querySelector('rect:not(.pill)').getBBox();
    const pill = group.querySelector('.pill')?.getBBox();
    for (const text of group.querySelectorAll('text')) {
      const it = text.getBBox();
      const right = text.classList.contains('title') ? pill.x : box.x + box.width;
      if (it.x < box.x || it.x + it.width > right || it.y < box.y || it.y + it.height > box.y + box.height + 1)
        faults.push(text.textContent);
      if (text.classList.contains('badge') && it.width > pill.width) faults.push('badge ' + text.textContent);
    }
  }
  return faults;
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A Chromium."""
    from playwright.sync_api import sync_playwright

    path = need_chromium()
    with sync_playwright() as running:
        chromium = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.mark.parametrize("form", ["svg", "html"])
@pytest.mark.parametrize("specs", SPECS)
def test_no_text_leaves_its_box_and_nothing_is_loaded(browser: Browser, specs: str, form: str, tmp_path: Path) -> None:
    """Measured by the browser."""
    file = tmp_path / f"graph.{form}"
    file.write_text(kagent_render("graph", specs, "--format", form).stdout, encoding="utf-8")
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: asked.append(message.text))
    page.goto(file.as_uri())
    assert page.locator("g.card").count() >= 4
    assert page.evaluate(_FAULTS) == []
    assert asked == [file.as_uri()]
    page.close()


@pytest.mark.parametrize("form", ["svg", "html"])
def test_it_follows_the_reader_s_theme(browser: Browser, form: str, tmp_path: Path) -> None:
    """Dark where the reader wants it dark."""
    file = tmp_path / f"graph.{form}"
    file.write_text(kagent_render("graph", SPECS[1], "--format", form).stdout, encoding="utf-8")
    seen = set()
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(file.as_uri())
        seen.add(page.evaluate("getComputedStyle(document.querySelector('.page')).fill"))
        page.close()
    assert seen == {"rgb(255, 255, 255)", "rgb(15, 21, 32)"}


def test_a_narrow_page_does_not_scroll_sideways(browser: Browser, tmp_path: Path) -> None:
    """The drawing and the tables do, within themselves."""
    file = tmp_path / "graph.html"
    file.write_text(kagent_render("graph", SPECS[0], "--format", "html").stdout, encoding="utf-8")
    page = browser.new_page(viewport={"width": 360, "height": 700})
    page.goto(file.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.close()
